"""Routes that erase personal text: of one certificate, or of a party."""

from __future__ import annotations

from api.http import schemas
from api.http.access import ActCaller, OpenLedger
from api.http.routing import Router
from api.privacy.schemas import ErasureIn, ErasureOut
from ledger.installation.wiring import Ledger
from ledger.privacy.erasure import Erased

router = Router(tags=["erasure"])


@router.post("/certificates/{number}/erasure")
def erase_certificate(
    number: schemas.CertificateNo, body: ErasureIn, ledger: OpenLedger, actor: ActCaller
) -> ErasureOut:
    """Destroy a certificate's claims and salts here, permanently. Its status stays, and the holder's copy verifies."""
    return _told(ledger, ledger.erasure.certificate(actor, number, body.reason))


@router.post("/parties/{party}/erasure")
def erase_party(party: schemas.HexId, body: ErasureIn, ledger: OpenLedger, actor: ActCaller) -> ErasureOut:
    """Destroy a person's or firm's name and identifier here, and all texts about it, permanently."""
    return _told(ledger, ledger.erasure.party(actor, party, body.reason))


def _told(ledger: Ledger, erased: Erased) -> ErasureOut:
    return ErasureOut(
        entry=erased.entry,
        seq=erased.seq,
        certificates=list(erased.certificates),
        scrubbed=ledger.erasure.scrub(erased),
    )
