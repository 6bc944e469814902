"""Verification over HTTP: check, present, sign the use of what was presented, and see who verified."""

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
    """Check a bundle as the calling party, without using it up; or the status behind a number.

    By a number, who has no part in the certificate learns its state and since when; where it stands and why, nobody
    else but those who read the full log.

    A check of a usage certificate is recorded to its subject, as everything is that was asked about it here.
    """
    if (body.bundle is None) == (body.certificate_no is None):
        raise InvalidInput("VERIFY_WHAT", "Give a bundle or a certificate number, one of them.")
    if body.certificate_no is not None:
        return verification.ReportOut(**ledger.certificate_views.status(actor, body.certificate_no))
    return _report(ledger.verification.check(actor, _raw(body.bundle), body.nonce, body.at))


@router.get("/presentations/nonce")
def nonce(ledger: AnyInstallation, _actor: ReadCaller) -> verification.NonceOut:
    """A fresh nonce for the holder to bind its presentation to."""
    return verification.NonceOut(nonce=ledger.verification.new_nonce())


@router.post(
    "/presentations",
    responses=PRESENTED
    | {202: {"model": verification.AnswerOut, "description": "Valid and not used yet: sign `use` to see the content"}},
)
@Lane.VERIFYING
def present(
    body: verification.PresentationIn, ledger: AnyInstallation, actor: ActCaller, response: Response
) -> verification.AnswerOut:
    """Verify a presentation as its consumer and, if it is valid, use it. Recorded to the subject.

    A use is its consumer's own act. Where its key is not kept here, the answer is 202: it holds the use to sign and no
    content; hand the signature in at `/presentations/{presentation}/use`. After an error that does not say what came of
    it (503, 409 `PRESENTATION_PENDING`) send the same again: it goes on where it was and is used once at most.
    `NONCE_REPLAYED` names in `details` what was answered before.
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
    """Have a proposed use counted by the signature of its consumer; the content follows the block that counts it.

    After `USE_OVERTAKEN`, `USE_NOT_PROPOSED` or `LOG_SIGNATURE_EXPIRED` send the presentation again and sign anew.
    """
    return _report(ledger.verification.use(actor, presentation, bytes.fromhex(body.signature)))


@router.get("/certificates/{number}/presentations")
def presentations(
    number: schemas.CertificateNo, ledger: AnyInstallation, actor: ReadCaller, paging: PageAsked
) -> verification.PresentationsOut:
    """Every verification of a certificate that was asked for here, for those who have a part in it.

    `elsewhere` are uses under its request that the chain counted and no verification here explains.
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
