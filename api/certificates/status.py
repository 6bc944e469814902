"""Routes for a certificate's status.

Anybody may read the status, the issuer changes it, and authorities and supervisors set and lift holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastapi.responses import JSONResponse

from api.certificates.revocation_schemas import RevocationOut, RevocationsIn, RevocationsOut
from api.http import schemas
from api.http.access import ActCaller, OpenLedger
from api.http.problems import answers
from api.http.routing import Lane, Router
from api.http.waiting import WAITS, waiting
from api.registration.assets import signing
from ledger.installation.wiring import Ledger
from ledger.usage.revocations import revoked_at_once

router = Router(tags=["status"])

ENDED = answers({403: ["PARTY_LACKS_ROLE"], 409: ["LOG_ALREADY_REVOKED"]})
HELD = answers({403: ["PARTY_LACKS_ROLE"], 409: ["LOG_NOT_HELD", "REGISTRATION_NOT_HELD", "SIGNATURE_REQUIRED"]})


@router.get("/certificates/{number}/status")
def public_status(number: schemas.CertificateNo, ledger: OpenLedger) -> schemas.PublicStatusOut:
    """Return a certificate's state and the time from which it has this state, without content and reason. Public."""
    return schemas.PublicStatusOut(**{"since": None} | ledger.verification.public_status(number))


@router.post("/certificates/{number}/revoke", responses=ENDED)
def revoke(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut:
    """Revoke a certificate permanently.

    The certificate's issuer may do this. A provider of its data may do this too, but only for the reason `data_error`.
    """
    ledger.usage.status_acts.revoke(actor, number, body.reason)
    return _status(ledger, number)


@router.post("/certificates/revocations", responses=answers({403: ["PARTY_LACKS_ROLE"]}))
@Lane.IMPORTING
def revoke_many(body: RevocationsIn, ledger: OpenLedger, actor: ActCaller) -> RevocationsOut:
    """Revoke many certificates permanently. Their issuer may do this. A provider of their data may do this too, but
    only for the reason `data_error`.

    The answer has an outcome for each certificate. If the call is repeated, certificates that are revoked or superseded
    are skipped. If a provider names a certificate that does not rest on the provider's data, none is revoked.
    """
    report = revoked_at_once(ledger.usage.status_acts.revoke_many(actor, body.numbers, body.reason))
    counts = Counter(answer.outcome.value for answer in report.answers)
    items = [
        RevocationOut(certificate_no=each.number, outcome=each.outcome.value, code=each.code, tx_hash=each.tx_hash)
        for each in report.answers
    ]
    return RevocationsOut(
        items=items,
        revoked=counts["revoked"],
        ended_before=counts["ended_before"],
        not_revoked=counts["not_revoked"],
        transactions=len({each.tx_hash for each in report.answers if each.tx_hash}),
        gas=report.gas,
    )


@router.post("/certificates/{number}/suspend", responses=ENDED)
def suspend(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut:
    """Suspend a certificate until it is resumed. Only the certificate's issuer may do this."""
    ledger.usage.status_acts.suspend(actor, number, body.reason)
    return _status(ledger, number)


@router.post("/certificates/{number}/resume", responses=ENDED)
def resume(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut:
    """End the suspension of a certificate. Only the certificate's issuer may do this. A hold by an authority or a
    supervisor stays.
    """
    ledger.usage.status_acts.resume(actor, number, body.reason)
    return _status(ledger, number)


@router.post("/certificates/{number}/supersede", responses=ENDED)
def supersede(
    number: schemas.CertificateNo, body: schemas.SupersedeIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut:
    """Replace a certificate permanently by another certificate of the same subject. Only the issuer may do this."""
    ledger.usage.status_acts.supersede(actor, number, body.successor)
    return _status(ledger, number)


@router.post("/certificates/{number}/hold", responses=HELD)
def hold(
    number: schemas.CertificateNo, body: schemas.HoldIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut:
    """Hold a usage certificate and its request. Only an authority or a supervisor may do this.

    While the request is held, no certificate of the request is valid. A registration certificate cannot be held; freeze
    its asset instead.
    """
    ledger.usage.status_acts.hold(signing(actor, body), number, body.reason)
    return _status(ledger, number)


@router.post("/certificates/{number}/lift", response_model=schemas.StatusOut, responses=HELD | WAITS)
def lift(
    number: schemas.CertificateNo, body: schemas.LiftIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StatusOut | JSONResponse:
    """Lift the hold on a certificate and its request. Two parties with the role that set the hold must agree.

    A hold by the other role (authority or supervisor) stays. If this service does not keep a second party's key, the
    answer is 202, and the proposal waits for a second party.
    """
    row = ledger.usage.status_acts.lift(signing(actor, body), number, body.reason)
    return waiting(row) or _status(ledger, number)


@router.post("/holds", tags=["holds"], responses=HELD)
def hold_statements(body: schemas.HoldStatementsIn, ledger: OpenLedger, actor: ActCaller) -> schemas.HeldStatementsOut:
    """Hold statements, given by their digests. A certificate that rests on a held statement is not valid.

    Only an authority or a supervisor may do this.
    """
    ledger.usage.status_acts.hold_statements(signing(actor, body), body.statements, body.reason)
    return _held(ledger, body.statements)


@router.post("/holds/lift", tags=["holds"], response_model=schemas.HeldStatementsOut, responses=HELD | WAITS)
def lift_statements(
    body: schemas.LiftStatementsIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.HeldStatementsOut | JSONResponse:
    """Lift holds on statements.

    Two parties with the role that set the holds must agree. Holds by the other role (authority or supervisor) stay.
    """
    row = ledger.usage.status_acts.lift_statements(signing(actor, body), body.statements, body.reason)
    return waiting(row) or _held(ledger, body.statements)


def _status(ledger: Ledger, number: str) -> schemas.StatusOut:
    return schemas.StatusOut(**ledger.verification.status(number))


def _held(ledger: Ledger, statements: Sequence[str]) -> schemas.HeldStatementsOut:
    items = [
        schemas.HeldStatementOut(statement=statement, offices=list(offices))
        for statement, offices in ledger.certificates.holds.offices(statements).items()
    ]
    return schemas.HeldStatementsOut(items=items)
