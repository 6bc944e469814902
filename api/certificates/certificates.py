"""Routes that issue, correct and return certificates, their bundles and their provenance."""

from __future__ import annotations

from fastapi import Response

from api.http import schemas
from api.http.access import ActCaller, AnyInstallation, CaseCaller, OpenLedger, PayloadCaller, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.problems import answers
from api.http.routing import Lane, Router
from api.usage.batch_schemas import OperationOut
from api.usage.batches import shown
from api.usage.holdings_filter import Wanted
from ledger.certificates.issued import IssuedCertificate

router = Router(tags=["certificates"])

ISSUED = answers(
    {
        409: [
            "AUTHORIZATION_HELD",
            "AUTHORIZATION_NOT_ACTIVE",
            "HELD",
            "NOTHING_SUPPLIED",
            "NOT_ANSWERED_YET",
            "PROVISION_HELD",
            "PROVISION_WITHDRAWN",
            "REQUEST_NOT_AUTHORIZED",
        ]
    }
)
CORRECTED = answers({409: ["CERTIFICATE_STOPPED", "NOTHING_CORRECTED", "NOT_A_USAGE_CERTIFICATE"]})


@router.post("/certificates", status_code=202, responses=ISSUED)
def issue(
    body: schemas.IssueIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> OperationOut:
    """Issue a certificate.

    The certificate is final when its batch is anchored: poll the operation that is in the answer.
    """

    def work() -> tuple[int, OperationOut]:
        issued = ledger.usage.issuance.issue(actor, [body.request])
        numbers = [row.certificate_no for row in issued]
        return 202, shown(ledger.certificates.operations.begin(actor.party, "issue", numbers))

    answer = once(ledger, actor, key, ("issue", body), response, work)
    response.headers["Location"] = f"/v1/operations/{answer['id']}"
    return OperationOut(**answer)


@router.post("/certificates/{number}/correction", status_code=201, responses=CORRECTED)
def correct(number: schemas.CertificateNo, ledger: OpenLedger, actor: ActCaller) -> schemas.CertificateOut:
    """Issue a new version of a certificate after a provider corrected its data.

    On the chain, the new version supersedes the old version.
    """
    return show(ledger.usage.corrections.correct(actor, number))


@router.get("/certificates")
def certificates(ledger: OpenLedger, actor: ReadCaller, wanted: Wanted, paging: PageAsked) -> Page[schemas.HeldOut]:
    """List certificates (归集) of which the caller is subject, consumer, issuer or provider, with their current states.

    A broker can also list the certificates of its principals, and a chief data officer the certificates of its
    departments. A party that may read the full log can list the certificates of any party, or of all parties with
    `all`.
    """
    rows = ledger.usage.holdings.page(wanted, paging.after, paging.one_more, actor)
    return paging.page(rows, lambda row: row.certificate.certificate_no, lambda row: schemas.HeldOut(**row.to_dict()))


@router.get("/certificates/{number}")
def certificate(number: schemas.CertificateNo, ledger: OpenLedger, actor: ReadCaller) -> schemas.CertificateOut:
    """Return one certificate's record, without its claims."""
    return show(ledger.own_certificates.get(actor, number))


@router.get("/certificates/{number}/bundle")
def bundle(
    number: schemas.CertificateNo, ledger: OpenLedger, actor: PayloadCaller, fields: str | None = None
) -> dict[str, object]:
    """Return the bundle with the chosen fields (separated by commas; default: all fields). Only the certificate's
    subject may call this.

    The reading is recorded, and the subject can see the record. A consumer gets the bundle from the subject, not here.
    """
    chosen = None if fields is None else [name for name in fields.split(",") if name]
    return ledger.own_certificates.bundle(actor, number, chosen).to_dict()


@router.get("/certificates/{number}/provenance")
@Lane.INSPECTING
def provenance(number: schemas.CertificateNo, ledger: AnyInstallation, actor: ReadCaller) -> schemas.ProvenanceOut:
    """Return every event of a certificate, with a proof that no event is missing.

    Only the subject, and parties that may read the full log, see for which case a supervisor opened the claims.
    """
    return schemas.ProvenanceOut(**ledger.certificate_views.provenance(actor, number).to_dict())


@router.post("/certificates/{number}/disclosures", status_code=201)
def disclose(
    number: schemas.CertificateNo, body: schemas.CaseIn, ledger: OpenLedger, actor: CaseCaller
) -> schemas.PayloadOut:
    """Return a certificate's claims to a supervisor, for a case.

    The subject sees this reading in the certificate's provenance.
    """
    return schemas.PayloadOut(claims=ledger.certificates.disclosures.open(actor, number, body.case))


def show(row: IssuedCertificate) -> schemas.CertificateOut:
    """Return a certificate's record as the API shows it."""
    return schemas.CertificateOut(
        certificate_no=row.certificate_no,
        digest=row.digest,
        seq=row.seq,
        class_=row.cls,
        scenario=row.scenario,
        issuer=row.issuer,
        subject=row.subject,
        consumer=row.consumer,
        asset=row.asset_id,
        exp=row.exp,
        created_at=row.created_at,
    )
