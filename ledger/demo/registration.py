"""First half of the pilot: the real catalogue through registration, and one transfer."""

from __future__ import annotations

from collections.abc import Callable

from ledger.demo.cast import Cast
from ledger.demo.catalogue import Library
from ledger.demo.stages import Run
from ledger.errors import Conflict
from ledger.service.wiring import Ledger

Tick = Callable[[int], None]


def register_catalogue(
    ledger: Ledger, cast: Cast, library: Library, run: Run, progress: Callable[[str, int], Tick]
) -> None:
    """Register every data set of the library; identical content is refused and told."""
    index = library.index()
    with run.stage("读取目录 read the catalogue") as stage:
        tick = progress(stage.name, len(index))
        resources = []
        for data_set in index:
            resources.append(library.describe(data_set))
            tick(1)
        stage.count = len(resources)
    with run.stage("登记 register") as stage:
        intake = ledger.registrations.submit(cast.provider, resources)
        tick = progress(stage.name, len(intake.accepted))
        stage.gas = ledger.registrations.register(intake.accepted, tick)
        stage.count = len(intake.accepted)
    with run.stage("确认并发登记凭证 confirm and certify") as stage:
        tick = progress(stage.name, len(intake.accepted))
        stage.gas = ledger.registrations.confirm(cast.registrar, intake.accepted, tick)
        stage.count = len(intake.accepted)
    with run.stage("登记凭证上链 anchor registration certificates") as stage:
        stage.gas, stage.count = ledger.anchoring.flush().gas, len(intake.accepted)
    run.refused = [
        {"resource": refusal.resource.code, "code": refusal.error.code, "message": refusal.error.message}
        for refusal in intake.refused
    ]
    run.counts |= {
        "resources": len(resources),
        "registrations": len(intake.accepted),
        "duplicates_refused": len(intake.refused),
    }


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


def _first_held_by(ledger: Ledger, holder: str) -> str:
    after = None
    while page := ledger.registrations.page(after, 50):
        for row in page:
            asset = ledger.reader.asset(row.asset_id)
            if asset is not None and asset.holder == holder and asset.state == "confirmed" and not asset.frozen:
                return row.asset_id
        after = page[-1].asset_id
    raise Conflict("NOTHING_TO_TRANSFER", "The provider holds no registered asset any more.")
