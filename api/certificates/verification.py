"""Routes that verify bundles, accept presentations, count uses, and list the verifications of a certificate."""

from __future__ import annotations

import json
from dataclasses import asdict

from fastapi import Response

from api.certificates import verification_schemas as verification
from api.http import schemas
from api.http.access import ActCaller, AnyInstallation, ReadCaller
from api.http.paging import PageAsked
from api.http.problems import answers
from api.http.routing import Lane, Router
from ledger.certificates.verification.judging import Verified
from ledger.certificates.verification.uses import UseToSign
from ledger.errors import InvalidInput

router = Router(tags=["verification"])

PRESENTED = answers({409: ["NONCE_REPLAYED", "PRESENTATION_PENDING"]})
USED = answers(
    {
        403: ["LOG_SIGNATURE_EXPIRED", "LOG_SIGNATURE_INVALID"],
        404: ["PRESENTATION_UNKNOWN"],
        409: ["NONCE_REPLAYED", "PRESENTATION_PENDING", "USE_NOT_PROPOSED", "USE_OVERTAKEN"],
    }
)


@router.post("/verify")
@Lane.VERIFYING
def verify(body: verification.VerifyIn, ledger: AnyInstallation, actor: ActCaller) -> verification.ReportOut:
    """Verify a bundle for the calling party without counting a use, or return the status of a certificate number.

    For a number, any party gets the state and the time from which the certificate has this state. The certificate's
    parties, and parties that may read the full log, also get the reason and the position.

    If a usage certificate is verified, the verification is recorded, and the subject can see the record.
    """
    if (body.bundle is None) == (body.certificate_no is None):
        raise InvalidInput("VERIFY_WHAT", "Give either a bundle or a certificate number.")
    if body.certificate_no is not None:
        return verification.ReportOut(**ledger.certificate_views.status(actor, body.certificate_no))
    return _report(ledger.verification.check(actor, _raw(body.bundle), body.nonce, body.at))


@router.get("/presentations/nonce")
def nonce(ledger: AnyInstallation, _actor: ReadCaller) -> verification.NonceOut:
    """Return a fresh nonce, which the holder puts into its presentation."""
    return verification.NonceOut(nonce=ledger.verification.new_nonce())


@router.post(
    "/presentations",
    responses=PRESENTED
    | {
        202: {
            "model": verification.AnswerOut,
            "description": "The certificate is valid, but no use is counted yet: sign `use` to receive the content",
        }
    },
)
@Lane.VERIFYING
def present(
    body: verification.PresentationIn, ledger: AnyInstallation, actor: ActCaller, response: Response
) -> verification.AnswerOut:
    """Verify a presentation for its consumer and, if it is valid, count one use. The subject can see the verification.

    The consumer's key must sign each use. If the key is not kept here, the answer is 202 with the use to sign and
    without content: send the signature to `/presentations/{presentation}/use`. After a 503, or a 409
    `PRESENTATION_PENDING`, send the same presentation again: the service continues, and at most one use is counted. The
    `details` of `NONCE_REPLAYED` give the earlier result.
    """
    raw = _raw(body.bundle)
    if ledger.verification.signs_for(actor.party):
        accepted = ledger.verification.accept(actor, raw, body.nonce)
        return verification.AnswerOut(**accepted.report.to_dict())
    proposed = ledger.verification.propose(actor, raw, body.nonce)
    if proposed.use is not None:
        response.status_code = 202
    return verification.AnswerOut(**proposed.verified.report.to_dict(), use=_to_sign(proposed.use))


@router.post("/presentations/{presentation}/use", responses=USED)
@Lane.VERIFYING
def use(
    presentation: schemas.Ulid, body: verification.UseIn, ledger: AnyInstallation, actor: ActCaller
) -> verification.ReportOut:
    """Count a proposed use that the consumer has signed, and return the content when the use is in a block.

    After `USE_OVERTAKEN`, `USE_NOT_PROPOSED` or `LOG_SIGNATURE_EXPIRED`, send the presentation again and sign the new
    use.
    """
    return _report(ledger.verification.use(actor, presentation, bytes.fromhex(body.signature)))


@router.get("/certificates/{number}/presentations")
def presentations(
    number: schemas.CertificateNo, ledger: AnyInstallation, actor: ReadCaller, paging: PageAsked
) -> verification.PresentationsOut:
    """List the verifications of a certificate at this service. Only the parties of the certificate may see them.

    `elsewhere` lists the uses that the chain counted for the certificate's request without a verification at this
    service.
    """
    found, uses = ledger.certificate_views.presentations(actor, number, paging.after, paging.one_more)
    rows = paging.page(found, lambda row: row.id, lambda row: verification.PresentationOut(**row.to_dict()))
    elsewhere = [verification.UseElsewhereOut(**asdict(use)) for use in uses]
    return verification.PresentationsOut(items=rows.items, next_cursor=rows.next_cursor, elsewhere=elsewhere)


def _raw(bundle: object) -> bytes:
    return json.dumps(bundle, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _report(verified: Verified) -> verification.ReportOut:
    return verification.ReportOut(**verified.report.to_dict())


def _to_sign(use: UseToSign | None) -> verification.UseToSignOut | None:
    if use is None:
        return None
    return verification.UseToSignOut(
        presentation=use.presentation,
        account=use.account,
        request=use.request,
        ordinal=use.ordinal,
        deadline=use.deadline,
        message=use.message.hex(),
    )
