"""Takes ten registered assets through the rest of an asset's life: change, assessment, licence, lien, transfer,
objection and annulment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Final

from ledger.demo.data.cast import Cast
from ledger.demo.earlier_runs import EarlierRuns
from ledger.demo.registration import wait_for_notice
from ledger.demo.stages import Progress, Run, Step
from ledger.domain.canonical import digest
from ledger.domain.days import DAY, shanghai_day
from ledger.domain.resource import DataResource
from ledger.errors import Conflict
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from ledger.registration.reports import DIMENSIONS, QualityReport, Valuation
from ledger.registration.rights import NewRight

TEN = 10
DECISIONS: Final = ("admitted", "verified", "upheld")
WEIGHTS = dict(zip(DIMENSIONS, (15, 20, 20, 15, 20, 10), strict=True))
# After each of these events the asset gets a new certificate.
_CERTIFIED: Final = frozenset({"Confirmed", "RightGranted", "TransferAccepted"})


@dataclass(frozen=True, slots=True)
class Mark:
    """How to see that an act on an asset is completed: the asset's history then has the event ``event`` at least
    ``times`` times.
    """

    event: str
    times: int = 1

    def on(self, events: Sequence[str]) -> bool:
        """Return whether an asset's history shows that the act is completed."""
        return events.count(self.event) >= self.times


class AssetHistories:
    """Takes ten registered assets through the acts after registration. Each act is done on all ten assets before the
    next act begins.
    """

    def __init__(self, ledger: Ledger, cast: Cast, assets: Sequence[str], run: Run, progress: Progress) -> None:
        """Choose the first ten of ``assets``. Give only assets whose content occurs in no other resource."""
        self.assets = tuple(assets[:TEN])
        self._ledger = ledger
        self._cast = cast
        self._run = run
        self._progress = progress
        self._earlier = EarlierRuns(ledger)

    @property
    def begun(self) -> bool:
        """Return whether an earlier run has begun these histories."""
        return any("Filed" in events for events in self._earlier.events(self.assets).values())

    def steps(self) -> list[Step]:
        """Return every step with its name, in order."""
        acts, review, registrar = Acts(self._ledger, self._cast), self._ledger.registration.review, self._cast.registrar
        steps: list[tuple[str, Callable[[str], int], Mark]] = [
            ("变更：申请 apply for change", acts.change, Mark("Filed")),
            ("变更：受理 accept", lambda asset: review.accept(acts.actor(registrar), [asset]), Mark("Advanced", 4)),
            ("变更：审核 review", lambda asset: review.review(acts.actor(registrar), [asset]), Mark("Advanced", 5)),
            ("变更：公示 notice", lambda asset: review.notice(acts.actor(registrar), [asset]), Mark("Advanced", 6)),
            ("变更：确认 confirm the change", acts.confirm, Mark("Confirmed", 2)),
            ("质量评估 quality report", acts.quality, Mark("Assessed", 1)),
            ("价值评估 valuation", acts.valuation, Mark("Assessed", 2)),
            ("许可经营权 license the right to operate", acts.license, Mark("RightGranted")),
            ("质押 pledge to a bank", acts.pledge, Mark("Pledged")),
            ("未经同意的转让被拒 transfer without consent: refused", acts.move_unconsented, Mark("LienConsented")),
            ("质权人同意 creditor consents", acts.consent, Mark("LienConsented")),
            ("转让 transfer", acts.transfer, Mark("TransferAccepted")),
            ("异议 objection to the registration", acts.object, Mark("Objected")),
            ("异议核实并成立 objection verified and upheld", acts.uphold, Mark("ObjectionDecided", len(DECISIONS))),
            ("撤销登记 annul", acts.annul, Mark("Annulled")),
        ]
        return [(name, partial(self._step, name, act, mark)) for name, act, mark in steps]

    def _step(self, name: str, act: Callable[[str], int], mark: Mark) -> None:
        tick = self._progress(name, len(self.assets))
        with self._run.stage(name) as stage:
            before = [asset for asset, events in self._earlier.events(self.assets).items() if mark.on(events)]
            if before and mark.event in _CERTIFIED:
                # An earlier run that was interrupted may have done an act on the chain without issuing the new
                # certificate. So missing certificates are issued here.
                self._ledger.registration.certificates.settle(before)
            for asset in self.assets:
                if asset not in before:
                    stage.gas += act(asset)
                stage.count += 1
                tick(1)
            stage.found = len(before)
        self._run.counts["lives"] = len(self.assets)


class Acts:
    """The parties' acts on one asset. Each act returns how much gas it used."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        self._ledger = ledger
        self._registration = ledger.registration
        self._cast = cast

    def actor(self, party: str) -> Actor:
        """Return the party as the actor of a use case."""
        return self._ledger.actor(party)

    def change(self, asset: str) -> int:
        """As the provider, apply for a change: the resource now has one more row, so its content is new."""
        resource = DataResource.from_dict(self._registration.registrations.get(asset)["resource"])
        content = digest(f"{resource.content_digest} and one row more".encode())
        grown = replace(resource, rows=resource.rows + 1, content_digest=content)
        return self._registration.applications.apply(self.actor(self._cast.provider), asset, "change", grown).gas_used

    def confirm(self, asset: str) -> int:
        """As the registrar, confirm the change after its public notice."""
        wait_for_notice(self._ledger, [asset])
        return self._registration.review.confirm(self.actor(self._cast.registrar), [asset])

    def quality(self, asset: str) -> int:
        """As an accredited assessor, report on the asset's quality."""
        scores = dict(zip(DIMENSIONS, (92, 88, 95, 90, 71, 84), strict=True))
        report = QualityReport(scores, WEIGHTS, digest(f"quality report of {asset}".encode()))
        assessor = self.actor(self._cast.assessor)
        return self._registration.assessments.quality(assessor, asset, report, self._in_a_year()).gas_used

    def valuation(self, asset: str) -> int:
        """As the assessor, value the asset at three million yuan by the income method; amounts are in fen."""
        today = shanghai_day(self._ledger.clock()).isoformat()
        value = Valuation("income", 300_000_000, today, digest(f"valuation of {asset}".encode()))
        assessor = self.actor(self._cast.assessor)
        return self._registration.assessments.valuation(assessor, asset, value, self._in_a_year()).gas_used

    def license(self, asset: str) -> int:
        """As the provider, grant the first bank the exclusive right to operate the asset for a year."""
        start = self._ledger.clock() + 60
        right = NewRight("operate", self._cast.bank, start, start + 365 * DAY, "贷款风控 credit decisions", True)
        return self._registration.rights.grant(self.actor(self._cast.provider), asset, right).gas_used

    def pledge(self, asset: str) -> int:
        """As the provider, pledge the asset to the first bank."""
        terms = {"amount": 200_000_000, "contract": digest(f"loan against {asset}".encode())}
        return self._registration.liens.pledge(self.actor(self._cast.provider), asset, self._cast.bank, terms).gas_used

    def move_unconsented(self, asset: str) -> int:
        """As the provider, offer the asset without the creditor's consent. The contract must refuse the offer."""
        try:
            self._registration.transfers.offer(self.actor(self._cast.provider), asset, self._cast.other_bank)
        except Conflict as refusal:
            if refusal.code != "ASSET_PLEDGED":
                raise
            return 0
        raise Conflict("LIEN_IGNORED", "A pledged asset was offered without consent.", where=asset)

    def consent(self, asset: str) -> int:
        """As the creditor, consent to a transfer to the second bank; the lien remains."""
        return self._registration.liens.consent(self.actor(self._cast.bank), asset, 0, self._cast.other_bank).gas_used

    def transfer(self, asset: str) -> int:
        """As the provider, offer the asset to the second bank; as this bank, accept the offer."""
        gas, transfers = 0, self._registration.transfers
        if "TransferOffered" not in self._history(asset):
            gas = transfers.offer(self.actor(self._cast.provider), asset, self._cast.other_bank).gas_used
        return gas + transfers.accept(self.actor(self._cast.other_bank), asset).gas

    def object(self, asset: str) -> int:
        """As a firm, object to the registration."""
        firm = next(iter(self._cast.firms.values()))
        grounds = "数据来源于本企业，未经授权 The data comes from our firm, which did not consent"
        return self._registration.objections.file(self.actor(firm), asset, grounds).gas_used

    def uphold(self, asset: str) -> int:
        """As the registrar, admit, verify and uphold the objection. This freezes the asset."""
        registrar, decide = self.actor(self._cast.registrar), self._registration.objections.decide
        return sum(
            decide(registrar, asset, 1, state, "核实属实 The objection is justified").gas_used
            for state in DECISIONS[self._history(asset).count("ObjectionDecided") :]
        )

    def annul(self, asset: str) -> int:
        """As the registrar, annul the registration."""
        registrar = self.actor(self._cast.registrar)
        return self._registration.transfers.annul(registrar, asset, "fraud", "来源不合法 Unlawful source").gas_used

    def _history(self, asset: str) -> Sequence[str]:
        return EarlierRuns(self._ledger).events([asset])[asset]

    def _in_a_year(self) -> date:
        return shanghai_day(self._ledger.clock()) + timedelta(days=365)
