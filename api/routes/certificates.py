"""Certificates: issue, fetch, bundle, verify, present, change status, provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fastapi import APIRouter, Response

from api import schemas
from api.access import AnyInstallation, Caller, OpenLedger, require
from api.holdings_query import Wanted
from api.idempotency import Key, once
from api.paging import Cursor, Limit, Page, decode, page
from api.routes.assets import signed_of
from ledger.domain.parties import Role
from ledger.domain.permissions import Action, allowed
from ledger.errors import Forbidden, InvalidInput
from ledger.service.participant import Participant
from ledger.service.parties import Actor
from ledger.service.presentations import VALID
from ledger.service.wiring import Ledger
from ledger.store.tables import Certificate, Presentation

router = APIRouter(tags=["certificates"])


@router.post("/certificates", status_code=202)
def issue(
    body: schemas.IssueIn, ledger: OpenLedger, actor: Caller, response: Response, key: Key = None
) -> schemas.OperationOut:
    """Issue a certificate; it is final when its batch is anchored: poll the operation."""
    require(actor, Action.ISSUE_CERTIFICATE)
    return _issue(ledger, actor, [body], ("issue", body), response, key)


@router.post("/certificates/batch", status_code=202)
def issue_many(
    body: schemas.IssueManyIn, ledger: OpenLedger, actor: Caller, response: Response, key: Key = None
) -> schemas.OperationOut:
    """Issue many certificates, all or none."""
    require(actor, Action.ISSUE_CERTIFICATE)
    return _issue(ledger, actor, body.certificates, ("issue_many", body), response, key)


def _issue(
    ledger: Ledger,
    actor: Actor,
    wanted: Sequence[schemas.IssueIn],
    request: tuple[str, schemas.Strict],
    response: Response,
    key: str | None,
) -> schemas.OperationOut:
    def work() -> tuple[int, schemas.OperationOut]:
        issued = ledger.issuance.issue([item.request for item in wanted])
        operation = ledger.operations.begin(actor.party, "issue", [row.certificate_no for row in issued])
        return 202, schemas.OperationOut(**operation)

    body = once(ledger, actor, key, request, response, work)
    response.headers["Location"] = f"/v1/operations/{body['id']}"
    return schemas.OperationOut(**body)


@router.post("/certificates/{number}/correction", status_code=201)
def correct(number: schemas.CertificateNo, ledger: OpenLedger, actor: Caller) -> schemas.CertificateOut:
    """Issue the version that rests on what a provider has corrected; it supersedes this one on the chain."""
    require(actor, Action.ISSUE_CERTIFICATE)
    return show(ledger.corrections.correct(number))


@router.post("/certificates/{number}/supersede")
def supersede(
    number: schemas.CertificateNo, body: schemas.SupersedeIn, ledger: OpenLedger, actor: Caller
) -> schemas.StatusOut:
    """End a certificate for good in favour of another one of the same subject."""
    require(actor, Action.ISSUE_CERTIFICATE)
    ledger.status.supersede(number, body.successor)
    return schemas.StatusOut(**ledger.verification.status(number))


@router.get("/operations/{operation}", tags=["operations"])
def operation(operation: schemas.Ulid, ledger: OpenLedger, actor: Caller) -> schemas.OperationOut:
    """Accepted work: `done` when its batch is anchored on the chain."""
    return schemas.OperationOut(**ledger.operations.get(operation, actor.party))


@router.get("/certificates")
def certificates(ledger: OpenLedger, wanted: Wanted, limit: Limit = 50, cursor: Cursor = None) -> Page[schemas.HeldOut]:
    """Certificates of which the caller is subject, consumer, issuer or provider (归集), with their states now.

    Another party's, or `all`: for a broker those of its principals, for a chief data officer those of its departments,
    and for those who read the full log.
    """
    rows = ledger.holdings.page(wanted, decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.certificate.certificate_no, lambda row: schemas.HeldOut(**row.to_dict()))


@router.get("/certificates/{number}")
def certificate(number: schemas.CertificateNo, ledger: OpenLedger, actor: Caller) -> schemas.CertificateOut:
    """One certificate, without its disclosures."""
    return show(_mine(ledger, actor, number))


@router.get("/certificates/{number}/bundle")
def bundle(
    number: schemas.CertificateNo, ledger: OpenLedger, actor: Caller, fields: str | None = None
) -> dict[str, object]:
    """The bundle for the holder, with the chosen fields (comma-separated; default all)."""
    row = _mine(ledger, actor, number)
    require(actor, Action.SEE_PAYLOAD, owns=row.subject == actor.party)
    chosen = None if fields is None else [name for name in fields.split(",") if name]
    parsed: dict[str, object] = json.loads(ledger.bundles.build(number, chosen).to_bytes())
    return parsed


@router.get("/certificates/{number}/provenance")
def provenance(number: schemas.CertificateNo, ledger: AnyInstallation, actor: Caller) -> schemas.ProvenanceOut:
    """What happened to a certificate, with the proof that nothing is missing.

    For which case a supervisor saw its payload is told to the subject and to those who read the full log.
    """
    _require_part(ledger, actor, number)
    told, hears = ledger.provenances.certificate(number), _hears_of_cases(ledger, actor, number)
    events = [event for event in told.events if hears or event["name"] != "Disclosed"]
    return schemas.ProvenanceOut(**told.to_dict() | {"events": events})


@router.get("/certificates/{number}/presentations")
def presentations(
    number: schemas.CertificateNo, ledger: AnyInstallation, actor: Caller, limit: Limit = 50, cursor: Cursor = None
) -> schemas.PresentationsOut:
    """Every verification of a certificate that was asked for here, for those who have a part in it.

    `elsewhere` are uses that the chain counted and that were recorded by others: by whom, and when.
    """
    _require_part(ledger, actor, number)
    rows = page(ledger.presentations.page(number, decode(cursor), limit + 1), limit, lambda row: row.id, _told)
    elsewhere = [
        schemas.UseElsewhereOut(ordinal=use.ordinal, by=use.by, at=use.at)
        for use in ledger.presentations.elsewhere(number)
    ]
    return schemas.PresentationsOut(items=rows.items, next_cursor=rows.next_cursor, elsewhere=elsewhere)


@router.get("/certificates/{number}/status")
def public_status(number: schemas.CertificateNo, ledger: OpenLedger) -> schemas.PublicStatusOut:
    """Whether a certificate stands, and since when. Public: nothing of what it says, nor why it was ended."""
    told = ledger.verification.status(number)
    return schemas.PublicStatusOut(certificate_no=number, state=told["state"], since=told.get("since"))


@router.post("/certificates/{number}/disclosures", status_code=201)
def disclose(
    number: schemas.CertificateNo, body: schemas.CaseIn, ledger: OpenLedger, actor: Caller
) -> schemas.PayloadOut:
    """See the claims of a certificate for a case, as a supervisor; the subject is told in its provenance."""
    return schemas.PayloadOut(claims=ledger.disclosures.open(actor, number, body.case))


@router.post("/certificates/{number}/revoke")
def revoke(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: Caller
) -> schemas.StatusOut:
    """End a certificate for good: by those in office, or for `data_error` by a provider of what it rests on."""
    if _supplied_wrongly(ledger, actor, number, body.reason):
        # The contract knows no providers of a leaf: the operator tells it.
        ledger.status.revoke(number, body.reason)
    else:
        _require_revocation(ledger, actor, number)
        ledger.status.revoke(number, body.reason, actor.party, signed_of(body))
    return schemas.StatusOut(**ledger.verification.status(number))


@router.post("/certificates/{number}/suspend")
def suspend(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: Caller
) -> schemas.StatusOut:
    """Stop a certificate for a time."""
    _require_revocation(ledger, actor, number)
    ledger.status.suspend(number, body.reason, actor.party, signed_of(body))
    return schemas.StatusOut(**ledger.verification.status(number))


@router.post("/certificates/{number}/resume")
def resume(
    number: schemas.CertificateNo, body: schemas.StatusIn, ledger: OpenLedger, actor: Caller
) -> schemas.StatusOut:
    """Let a suspended certificate stand again."""
    _require_revocation(ledger, actor, number)
    ledger.status.resume(number, body.reason, actor.party, signed_of(body))
    return schemas.StatusOut(**ledger.verification.status(number))


@router.post("/verify", tags=["verification"])
def verify(body: schemas.VerifyIn, ledger: AnyInstallation, actor: Caller) -> schemas.ReportOut:
    """Check a bundle as the calling party, without using it up; or the public status behind a number.

    A check of a usage certificate is recorded to its subject, as everything is that was asked about it here.
    """
    require(actor, Action.VERIFY, owns=True)
    if (body.bundle is None) == (body.certificate_no is None):
        raise InvalidInput("VERIFY_WHAT", "Give a bundle or a certificate number, one of them.")
    if body.certificate_no is not None:
        return schemas.ReportOut(**ledger.verification.status(body.certificate_no))
    verified = ledger.verification.check(_raw(body.bundle), actor.party, body.nonce, body.at)
    return schemas.ReportOut(**verified.report.to_dict())


@router.get("/presentations/nonce", tags=["verification"])
def nonce(ledger: AnyInstallation, _actor: Caller) -> schemas.NonceOut:
    """A fresh nonce for the holder to bind its presentation to."""
    return schemas.NonceOut(nonce=ledger.verification.new_nonce())


@router.post("/presentations", tags=["verification"])
def present(body: schemas.PresentationIn, ledger: AnyInstallation, actor: Caller) -> schemas.ReportOut:
    """Verify a presentation as its consumer and, if it is valid, use it. Recorded to the subject.

    After an error that does not say what came of it (503, 409 `PRESENTATION_PENDING`) send the same again: it goes on
    where it was and is used once at most. `NONCE_REPLAYED` tells in `details` what was answered before.
    """
    require(actor, Action.VERIFY, owns=True)
    return schemas.ReportOut(**ledger.verification.accept(_raw(body.bundle), actor.party, body.nonce).report.to_dict())


def _raw(bundle: object) -> bytes:
    return json.dumps(bundle, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _supplied_wrongly(ledger: Ledger, actor: Actor, number: str, reason: str) -> bool:
    """Whether it is as a provider that the caller ends the certificate; raises ``Forbidden`` if it is another's."""
    if reason != "data_error" or Role.PROVIDER not in actor.roles or allowed(Action.REVOKE_CERTIFICATE, actor.roles):
        return False
    providers = ledger.holdings.providers(ledger.holdings.get(number))
    require(actor, Action.REVOKE_CERTIFICATE, owns=actor.party in providers)
    return True


def _require_revocation(ledger: Ledger, actor: Actor, number: str) -> None:
    """A registrar ends registration certificates only."""
    require(actor, Action.REVOKE_CERTIFICATE)
    cls = ledger.holdings.get(number).cls
    if cls != "registration" and not allowed(Action.REVOKE_CERTIFICATE, actor.roles - {Role.REGISTRAR}):
        raise Forbidden(
            "PARTY_LACKS_ROLE",
            "A registrar may end registration certificates only.",
            where=number,
            hint="Ask the issuer, the authority or the supervisor.",
        )


def _mine(ledger: Ledger, actor: Actor, number: str) -> Certificate:
    row = ledger.holdings.get(number)
    own = not ledger.principals.of(actor).isdisjoint(ledger.holdings.members(row))
    require(actor, Action.READ_LOG, owns=own)
    return row


def _require_part(ledger: Participant, actor: Actor, number: str) -> None:
    """As ``_mine``; a joined installation knows what its own party was presented with, and nothing else."""
    if isinstance(ledger, Ledger):
        _mine(ledger, actor, number)
    else:
        require(actor, Action.READ_LOG, owns=True)


def _hears_of_cases(ledger: Participant, actor: Actor, number: str) -> bool:
    """Not the consumer and the providers, who may be the ones looked into."""
    if allowed(Action.READ_LOG, actor.roles):
        return True
    return isinstance(ledger, Ledger) and ledger.holdings.get(number).subject in ledger.principals.of(actor)


def _told(row: Presentation) -> schemas.PresentationOut:
    return schemas.PresentationOut(
        id=row.id,
        consumer=row.consumer,
        result=row.result,
        presented=row.nonce_digest is not None,
        fields=row.fields,
        ordinal=row.ordinal if row.result == VALID else None,
        at=row.created_at,
    )


def show(row: Certificate) -> schemas.CertificateOut:
    """A certificate's record."""
    return schemas.CertificateOut(
        certificate_no=row.certificate_no,
        class_=row.cls,
        scenario=row.scenario,
        issuer=row.issuer,
        subject=row.subject,
        consumer=row.consumer,
        asset=row.asset_id,
        exp=row.exp,
        created_at=row.created_at,
    )
