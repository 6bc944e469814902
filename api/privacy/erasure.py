"""Routes that erase the personal text of one certificate or of a party."""

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
    """Permanently destroy a certificate's claims and salts in this installation.

    The certificate's status does not change, and the holder's copy stays valid.
    """
    return _told(ledger, ledger.erasure.certificate(actor, number, body.reason))


@router.post("/parties/{party}/erasure")
def erase_party(party: schemas.HexId, body: ErasureIn, ledger: OpenLedger, actor: ActCaller) -> ErasureOut:
    """Permanently destroy, in this installation, the name and identifier of a person or firm and all texts about this
    party."""
    return _told(ledger, ledger.erasure.party(actor, party, body.reason))


def _told(ledger: Ledger, erased: Erased) -> ErasureOut:
    return ErasureOut(
        entry=erased.entry,
        seq=erased.seq,
        certificates=list(erased.certificates),
        scrubbed=ledger.erasure.scrub(erased),
    )
