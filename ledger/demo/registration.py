"""The first half of the pilot: the real catalogue is registered, with public notice, and one registration is
transferred.

If an earlier run did part of a step, the step finds that work on the ledger, counts it, and does only the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from ledger.chain.reading.contract_state import AssetRecord
from ledger.demo.actors import silent
from ledger.demo.data.cast import Cast
from ledger.demo.data.catalogue import Library
from ledger.demo.earlier_runs import EarlierRuns
from ledger.demo.stages import Progress, Run, Stage, Step, Tick
from ledger.domain.resource import DataResource
from ledger.errors import Conflict
from ledger.installation.local_chain import LocalClock
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor

Act = Callable[[Actor, Sequence[str], Tick], int]
# A function that shows a registration certificate: its number, and the resource.
Show = Callable[[str, DataResource], None]


class Registering:
    """Registers the library's data sets: acts as the provider of the data sets, and as the registrar.

    ``assets`` are in the order of the library, without refused resources. The content of an asset in ``single`` occurs
    in no other resource.
    """

    def __init__(self, ledger: Ledger, cast: Cast, library: Library, run: Run, progress: Progress, show: Show) -> None:
        """``show`` shows the first certificate as soon as it exists."""
        self._show = show
        self._ledger = ledger
        self._cast = cast
        self._library = library
        self._run = run
        self._progress = progress
        self._earlier = EarlierRuns(ledger)
        self._resources: list[DataResource] = []
        self._first = ""
        self.assets: tuple[str, ...] = ()
        self.single: tuple[str, ...] = ()

    def steps(self) -> list[Step]:
        """Return every step with its name, in order."""
        review = self._ledger.registration.review
        return [
            ("first certificate", self._take_first),
            ("read", self._read),
            ("submit", self._submit),
            ("accept", partial(self._advance, "受理 accept", "submitted", review.accept)),
            ("review", partial(self._advance, "审核 review", "accepted", review.review)),
            ("notice", partial(self._advance, "公示 public notice", "reviewed", review.notice)),
            ("confirm", self._confirm),
            ("anchor registrations", self._anchor),
        ]

    def _take_first(self) -> None:
        """Take the first data set to its certificate before the others, so that a reader soon has a certificate.

        This needs a public notice of its own. So it is done only on a local chain, whose clock can be moved.
        """
        if self._ledger.settings.rpc_url is not None:
            return
        registration, clock = self._ledger.registration, LocalClock(self._ledger.settings)
        resource = self._library.describe(self._library.index()[0])
        known = self._earlier.registrations(self._cast.provider)
        if resource.code not in known and clock.ahead >= 0:
            return
        with self._run.stage("首张登记凭证 first registration certificate") as stage:
            if resource.code not in known:
                registration.registrations.submit(self._ledger.actor(self._cast.provider), [resource])
                known = self._earlier.registrations(self._cast.provider)
            self._first = first = known[resource.code]
            stage.count, stage.found = 1, len(self._earlier.certified([first]))
            if not self._earlier.assets([first]):
                stage.gas += registration.registrations.register([first], silent)
            registrar, review = self._ledger.actor(self._cast.registrar), registration.review
            for state, act in (("submitted", review.accept), ("accepted", review.review), ("reviewed", review.notice)):
                if self._is_at([first], state):
                    stage.gas += act(registrar, [first], silent)
            if over := wait_for_notice(self._ledger, self._is_at([first], "noticed")):
                stage.gas += review.confirm(registrar, over, silent)
            if not stage.found:
                registration.certificates.settle([first])
            stage.gas += self._ledger.anchoring.flush().gas
        registered = registration.registrations.get(first)
        if registered["certificate_no"] and not stage.found:
            self._show(str(registered["certificate_no"]), resource)

    def _is_at(self, assets: Sequence[str], stage: str) -> list[str]:
        """Return those of the assets whose first application is at this stage."""
        return [asset.id for asset in self._applied(assets) if asset.stage == stage]

    def _read(self) -> None:
        index = self._library.index()
        with self._run.stage("读取目录 read the catalogue") as stage:
            tick = self._progress(stage.name, len(index))
            for data_set in index:
                self._resources.append(self._library.describe(data_set))
                tick(1)
            stage.count = len(self._resources)

    def _submit(self) -> None:
        """Submit and register the resources that are not registered yet. If two resources have the same content, the
        second resource is refused and reported.
        """
        resources = self._resources
        with self._run.stage("申请登记 submit and register") as stage:
            known = self._earlier.registrations(self._cast.provider)
            intake = self._ledger.registration.registrations.submit(
                self._ledger.actor(self._cast.provider),
                [resource for resource in resources if resource.code not in known],
            )
            known = self._earlier.registrations(self._cast.provider)
            assets = [known[resource.code] for resource in resources if resource.code in known]
            rest = self.rest(assets)
            there = {asset.id for asset in self._earlier.assets(rest)}
            missing = [asset for asset in rest if asset not in there]
            stage.gas = self._ledger.registration.registrations.register(
                missing, self._progress(stage.name, len(missing))
            )
            stage.count, stage.found = len(rest), len(there)
        fingerprints = Counter(resource.fingerprint for resource in resources)
        self.assets = tuple(assets)
        self.single = tuple(
            known[each.code] for each in resources if each.code in known and fingerprints[each.fingerprint] == 1
        )
        self._run.refused = [
            {"resource": refusal.resource.code, "code": refusal.error.code, "message": refusal.error.message}
            for refusal in intake.refused
        ]
        self._run.counts |= {
            "resources": len(resources),
            "registrations": len(assets),
            "duplicates_refused": len(intake.refused),
        }

    def _confirm(self) -> None:
        """Move the local chain's clock past the public notices, then confirm and certify the registrations."""
        with self._run.stage("确认并发登记凭证 confirm and certify") as stage:
            applied = [asset.id for asset in self._applied(self.rest(self.assets))]
            over = wait_for_notice(self._ledger, applied)
            self._take(stage, over, self._ledger.registration.review.confirm)
            # A chain whose clock shows the real time cannot be moved forward, so some notices may not have ended yet.
            stage.count = len(self.rest(self.assets)) - len(applied) + len(over)
            stage.found = stage.count - len(over)
            # An earlier run that was interrupted may have confirmed assets without issuing their certificates. So
            # missing certificates are issued here.
            confirmed = {asset.id for asset in self._earlier.assets(self.assets) if asset.state == "confirmed"}
            self._ledger.registration.certificates.settle(
                sorted(confirmed - self._earlier.certified(sorted(confirmed)))
            )

    def _anchor(self) -> None:
        with self._run.stage("登记凭证上链 anchor registration certificates") as stage:
            stage.gas, stage.count = self._ledger.anchoring.flush().gas, len(self.rest(self.assets))

    def _advance(self, name: str, source: str, act: Act) -> None:
        with self._run.stage(name) as stage:
            self._take(stage, self._is_at(self.rest(self.assets), source), act)

    def rest(self, assets: Sequence[str]) -> list[str]:
        """Return the assets without the one that was taken to its certificate first."""
        return [asset for asset in assets if asset != self._first]

    def _applied(self, assets: Sequence[str]) -> list[AssetRecord]:
        """Return the assets whose first application is not decided yet. Confirmed assets that have a later application
        are left out.
        """
        return [asset for asset in self._earlier.assets(assets) if asset.state == "applied"]

    def _take(self, stage: Stage, assets: Sequence[str], act: Act) -> None:
        total = len(self.rest(self.assets))
        stage.count, stage.found = total, total - len(assets)
        tick = self._progress(stage.name, len(assets))
        if assets:
            stage.gas = act(self._ledger.actor(self._cast.registrar), assets, tick)


def wait_for_notice(ledger: Ledger, assets: Sequence[str]) -> list[str]:
    """Move the local chain's clock past the end of the public notices, but not beyond the present.

    Returns the assets whose notice has ended.
    """
    ends = {asset.id: asset.until for asset in EarlierRuns(ledger).assets(assets) if asset.stage == "noticed"}
    skip_to(ledger, max(ends.values(), default=0) + 1)
    now = ledger.clock()
    return [asset for asset in assets if asset in ends and ends[asset] < now]


def skip_to(ledger: Ledger, moment: int) -> None:
    """Move the local chain's clock to ``moment`` (seconds UTC), but not beyond the present."""
    clock = LocalClock(ledger.settings)
    if 0 < (wait := moment - clock()) <= -clock.ahead:
        clock.skip(ledger.reader.connection, wait)


def catch_up(ledger: Ledger, before: int = 0) -> None:
    """If the local chain's clock is behind, move it forward until it is ``before`` seconds before the present."""
    clock = LocalClock(ledger.settings)
    if (left := -clock.ahead - before) > 0:
        clock.skip(ledger.reader.connection, left)


def transfer_one(ledger: Ledger, cast: Cast, assets: Sequence[str], run: Run) -> str:
    """Transfer one of the registrations to a bank: the holder offers it and the bank accepts. Return the new
    certificate's number.
    """
    asset = _to_move(ledger, cast, assets)
    with run.stage("流转 transfer in two steps") as stage:
        stage.count = 1
        if asset.holder == cast.bank:
            stage.found = 1
        elif asset.offered_to is None or asset.until < ledger.clock():
            stage.gas = ledger.registration.transfers.offer(ledger.actor(cast.provider), asset.id, cast.bank).gas_used
        accepted = ledger.registration.transfers.accept(ledger.actor(cast.bank), asset.id)
        stage.gas += accepted.gas
    certificate = accepted.certificate
    provenance = ledger.provenances.asset(asset.id)
    run.transfer = {
        "asset": asset.id,
        "old_certificate": certificate.supersedes,
        "new_certificate": certificate.certificate_no,
        **provenance.to_dict(),
    }
    return certificate.certificate_no


def _to_move(ledger: Ledger, cast: Cast, assets: Sequence[str]) -> AssetRecord:
    """Return the first asset that the bank already has. If the bank has none, return the first asset that can be
    offered to the bank.
    """
    found = [
        asset for asset in EarlierRuns(ledger).assets(sorted(assets)) if asset.state == "confirmed" and not asset.frozen
    ]
    held = [asset for asset in found if asset.holder == cast.bank]
    free = [asset for asset in found if asset.holder == cast.provider and asset.offered_to in (None, cast.bank)]
    if not held and not free:
        raise Conflict("NOTHING_TO_TRANSFER", "The provider no longer holds a registered asset.")
    return min(held or free, key=lambda asset: (asset.offered_to is None, asset.id))
