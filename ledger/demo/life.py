"""Ten registered assets go on: change, assessment, licence, lien, transfer, objection, annulment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from ledger.demo.cast import Cast
from ledger.demo.registration import Progress, wait_for_notice
from ledger.demo.stages import Run
from ledger.domain.assessment import DIMENSIONS, QualityReport, Valuation
from ledger.domain.canonical import digest
from ledger.domain.days import shanghai_day
from ledger.domain.resource import DataResource
from ledger.errors import Conflict
from ledger.service.rights import NewRight
from ledger.service.wiring import Ledger

TEN = 10
DAY = 86_400
WEIGHTS = dict(zip(DIMENSIONS, (15, 20, 20, 15, 20, 10), strict=True))


def live_on(ledger: Ledger, cast: Cast, assets: Sequence[str], run: Run, progress: Progress) -> None:
    """Take the first ten of ``assets`` through the rest of their life, step by step."""
    chosen = assets[:TEN]
    acts = Acts(ledger, cast)
    for name, act in (
        ("变更：申请 apply for change", acts.change),
        ("变更：受理 accept", lambda asset: ledger.review.accept(cast.registrar, [asset])),
        ("变更：审核 review", lambda asset: ledger.review.review(cast.registrar, [asset])),
        ("变更：公示 notice", lambda asset: ledger.review.notice(cast.registrar, [asset])),
    ):
        _step(run, name, chosen, act, progress)
    wait_for_notice(ledger, chosen)
    for name, act in (
        ("变更：确认 confirm the change", lambda asset: ledger.review.confirm(cast.registrar, [asset])),
        ("质量评估 quality report", acts.quality),
        ("价值评估 valuation", acts.valuation),
        ("许可经营权 license the right to operate", acts.license),
        ("质押 pledge to a bank", acts.pledge),
        ("未经同意的转让被拒 transfer without consent: refused", acts.move_unconsented),
        ("债权人同意 creditor consents", acts.consent),
        ("转让 transfer", acts.transfer),
        ("异议 objection to the registration", acts.object),
        ("异议核实并成立 objection verified and upheld", acts.uphold),
        ("撤销登记 annul", acts.annul),
    ):
        _step(run, name, chosen, act, progress)
    run.counts["lives"] = len(chosen)


def _step(run: Run, name: str, assets: Sequence[str], act: Callable[[str], int], progress: Progress) -> None:
    tick = progress(name, len(assets))
    with run.stage(name) as stage:
        for asset in assets:
            stage.gas += act(asset)
            stage.count += 1
            tick(1)


class Acts:
    """What the parties do with one asset; each returns the gas it used."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        self._ledger = ledger
        self._cast = cast

    def change(self, asset: str) -> int:
        """The provider has more rows now: a new description of new content."""
        resource = DataResource.from_dict(self._ledger.registrations.get(asset)["resource"])
        content = digest(f"{resource.content_digest} and one row more".encode())
        grown = replace(resource, rows=resource.rows + 1, content_digest=content)
        return self._ledger.registrations.change(asset, self._cast.provider, "change", grown).gas_used

    def quality(self, asset: str) -> int:
        """An accredited third party reports on the quality."""
        scores = dict(zip(DIMENSIONS, (92, 88, 95, 90, 71, 84), strict=True))
        report = QualityReport(scores, WEIGHTS, digest(f"quality report of {asset}".encode()))
        return self._ledger.assessments.quality(asset, self._cast.assessor, report, self._in_a_year()).gas_used

    def valuation(self, asset: str) -> int:
        """The same values it: three million yuan, in fen, by income."""
        today = shanghai_day(self._ledger.clock()).isoformat()
        value = Valuation("income", 300_000_000, today, digest(f"valuation of {asset}".encode()))
        return self._ledger.assessments.valuation(asset, self._cast.assessor, value, self._in_a_year()).gas_used

    def license(self, asset: str) -> int:
        """The first bank gets the exclusive right to operate for a year."""
        start = self._ledger.clock() + 60
        right = NewRight("operate", self._cast.bank, start, start + 365 * DAY, "贷款风控 credit decisions", True)
        return self._ledger.rights.grant(asset, self._cast.provider, right).gas_used

    def pledge(self, asset: str) -> int:
        """The provider pledges the asset to the first bank."""
        terms = {"amount": 200_000_000, "contract": digest(f"loan against {asset}".encode())}
        return self._ledger.liens.pledge(asset, self._cast.provider, self._cast.bank, terms).gas_used

    def move_unconsented(self, asset: str) -> int:
        """An offer without the creditor's consent must be refused."""
        try:
            self._ledger.transfers.offer(asset, self._cast.provider, self._cast.other_bank)
        except Conflict as refusal:
            if refusal.code != "ASSET_PLEDGED":
                raise
            return 0
        raise Conflict("LIEN_IGNORED", "A pledged asset was offered without consent.", where=asset)

    def consent(self, asset: str) -> int:
        """The creditor lets it go to the second bank; the lien stays."""
        return self._ledger.liens.consent(asset, 0, self._cast.bank, self._cast.other_bank).gas_used

    def transfer(self, asset: str) -> int:
        """Offered to the second bank, and accepted."""
        offered = self._ledger.transfers.offer(asset, self._cast.provider, self._cast.other_bank)
        return offered.gas_used + self._ledger.transfers.accept(asset, self._cast.other_bank).gas

    def object(self, asset: str) -> int:
        """A firm objects to the registration."""
        firm = next(iter(self._cast.firms.values()))
        return self._ledger.objections.file(
            asset, firm, "数据来源于本企业，未经授权 Taken from us without consent"
        ).gas_used

    def uphold(self, asset: str) -> int:
        """The registrar admits, verifies and upholds it: the asset is frozen."""
        return sum(
            self._ledger.objections.decide(asset, 1, self._cast.registrar, state, "核实属实 Found to be so").gas_used
            for state in ("admitted", "verified", "upheld")
        )

    def annul(self, asset: str) -> int:
        """So the registration is annulled."""
        return self._ledger.transfers.annul(asset, self._cast.registrar, "fraud", "来源不合法 Unlawful source").gas_used

    def _in_a_year(self) -> date:
        return shanghai_day(self._ledger.clock()) + timedelta(days=365)
