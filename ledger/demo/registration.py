"""First half of the pilot: the real catalogue through first registration with public notice, and one transfer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.demo.cast import Cast
from ledger.demo.catalogue import Library
from ledger.demo.stages import Run
from ledger.errors import Conflict
from ledger.service.local_chain import LocalClock
from ledger.service.registrations import Intake
from ledger.service.wiring import Ledger

Tick = Callable[[int], None]
Progress = Callable[[str, int], Tick]


def register_catalogue(ledger: Ledger, cast: Cast, library: Library, run: Run, progress: Progress) -> tuple[str, ...]:
    """Register every data set of the library; identical content is refused and told. Returns the assets."""
    index = library.index()
    with run.stage("读取目录 read the catalogue") as stage:
        tick = progress(stage.name, len(index))
        resources = []
        for data_set in index:
            resources.append(library.describe(data_set))
            tick(1)
        stage.count = len(resources)
    with run.stage("申请登记 submit and register") as stage:
        intake = ledger.registrations.submit(cast.provider, resources)
        tick = progress(stage.name, len(intake.accepted))
        stage.gas = ledger.registrations.register(intake.accepted, tick)
        stage.count = len(intake.accepted)
    take_through(ledger, cast, intake.accepted, run, progress)
    with run.stage("登记凭证上链 anchor registration certificates") as stage:
        stage.gas, stage.count = ledger.anchoring.flush().gas, len(intake.accepted)
    _tell(run, intake, len(resources))
    return intake.accepted


def take_through(ledger: Ledger, cast: Cast, assets: Sequence[str], run: Run, progress: Progress) -> None:
    """Accept, review, notice and confirm applications; the local chain's clock is moved past the notice."""
    review, registrar = ledger.review, cast.registrar
    for name, step in (
        ("受理 accept", review.accept),
        ("审核 review", review.review),
        ("公示 public notice", review.notice),
    ):
        with run.stage(name) as stage:
            stage.count, stage.gas = len(assets), step(registrar, assets, progress(name, len(assets)))
    over = wait_for_notice(ledger, assets)
    with run.stage("确认并发登记凭证 confirm and certify") as stage:
        stage.count = len(over)
        stage.gas = review.confirm(registrar, over, progress(stage.name, len(over)))


def wait_for_notice(ledger: Ledger, assets: Sequence[str]) -> list[str]:
    """Let the notices run out, if the chain's clock is still behind the present; else they take their days.

    Returns the assets whose notice is over.
    """
    ends = {asset.id: asset.until for asset in ledger.reader.assets(assets) if asset and asset.stage == "noticed"}
    skip_to(ledger, max(ends.values(), default=0) + 1)
    now = ledger.clock()
    return [asset for asset in assets if ends.get(asset, 0) < now]


def skip_to(ledger: Ledger, moment: int) -> None:
    """Move the local chain's clock to ``moment`` (seconds UTC), but never beyond the present."""
    clock = LocalClock(ledger.settings)
    if 0 < (wait := moment - clock()) <= -clock.ahead:
        clock.skip(ledger.reader.connection, wait)


def catch_up(ledger: Ledger, before: int = 0) -> None:
    """Move the local chain's clock to the present, or to so many seconds before it."""
    clock = LocalClock(ledger.settings)
    if (left := -clock.ahead - before) > 0:
        clock.skip(ledger.reader.connection, left)


def transfer_one(ledger: Ledger, cast: Cast, run: Run) -> str:
    """Offer one registration to a bank, which accepts; returns the new certificate's number."""
    asset = _first_held_by(ledger, cast.provider)
    with run.stage("流转 transfer in two steps") as stage:
        offered = ledger.transfers.offer(asset, cast.provider, cast.bank)
        accepted = ledger.transfers.accept(asset, cast.bank)
        stage.count, stage.gas = 1, offered.gas_used + accepted.gas
    certificate = accepted.certificate
    provenance = ledger.provenances.asset(asset)
    run.transfer = {
        "asset": asset,
        "old_certificate": certificate.supersedes,
        "new_certificate": certificate.certificate_no,
        **provenance.to_dict(),
    }
    return certificate.certificate_no


def _tell(run: Run, intake: Intake, resources: int) -> None:
    run.refused = [
        {"resource": refusal.resource.code, "code": refusal.error.code, "message": refusal.error.message}
        for refusal in intake.refused
    ]
    run.counts |= {
        "resources": resources,
        "registrations": len(intake.accepted),
        "duplicates_refused": len(intake.refused),
    }


def _first_held_by(ledger: Ledger, holder: str) -> str:
    after = None
    while page := ledger.registrations.page(after, 50):
        ids = [row.asset_id for row in page]
        for asset in ledger.reader.assets(ids):
            if asset is not None and asset.holder == holder and asset.state == "confirmed" and not asset.frozen:
                return asset.id
        after = ids[-1]
    raise Conflict("NOTHING_TO_TRANSFER", "The provider holds no registered asset any more.")
