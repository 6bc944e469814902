"""The requests for which certificates are issued, with authorizations and provisions, read with a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session, aliased

from ledger.certificates.tables import Certificate
from ledger.domain.canonical import read_stored
from ledger.errors import Conflict
from ledger.parties.lookups import no_party_no, unknown_party
from ledger.parties.tables import Party
from ledger.store import log as log_store
from ledger.store.sealing import Sealer
from ledger.store.sets import matching
from ledger.store.tables import Entry
from ledger.usage.expiry import authorization_state_at, not_active
from ledger.usage.issuing.stops import KnownStops, may_be_stopped
from ledger.usage.lookups import unknown_request
from ledger.usage.tables import AccessRequest, Authorization, Provision

Stated = Mapping[str, Any]
_SUBJECT, _PROVIDER = aliased(Party), aliased(Party)
# The query returns one row for each answer. It also returns one row for each authorization without an answer, and one
# for each request without an authorization.
_ANSWERS: Final = (
    select(
        AccessRequest.id,
        AccessRequest.digest,
        AccessRequest.scenario,
        AccessRequest.state,
        AccessRequest.subject,
        _SUBJECT.no.label("subject_no"),
        _SUBJECT.region,
        Authorization.source,
        Authorization.id.label("consent_id"),
        Authorization.digest.label("consent"),
        Authorization.state.label("consent_state"),
        Authorization.provider,
        Provision.id.label("provision_id"),
        Provision.digest.label("provision"),
        Provision.number,
        Provision.result,
        Provision.sealed_id,
        Provision.provider.label("signer"),
        _PROVIDER.no.label("signer_no"),
        may_be_stopped().label("doubtful"),
    )
    .outerjoin(_SUBJECT, _SUBJECT.id == AccessRequest.subject)
    .outerjoin(Authorization, Authorization.request_id == AccessRequest.id)
    .outerjoin(Provision, Provision.authorization_id == Authorization.id)
    .outerjoin(_PROVIDER, _PROVIDER.id == Provision.provider)
)
_STATEMENTS: Final = (
    select(Entry.digest, Entry.body)
    .select_from(AccessRequest)
    .join(Authorization, Authorization.request_id == AccessRequest.id)
    .join(Provision, Provision.authorization_id == Authorization.id)
    .join(Entry, Entry.digest.in_((AccessRequest.digest, Authorization.digest, Provision.digest)))
)


@dataclass(frozen=True, slots=True)
class CertifiedSource:
    """One source of a certificate: the authorization, the provision supplied under this authorization, and both signed
    statements.

    ``consent`` and ``provision`` are statement digests (hex). ``provider`` is the party that the authorization names,
    ``sealed_id`` the id of the provision's sealed disclosures.
    """

    consent: str
    consented: Stated
    provision: str
    supplied: Stated
    provider: str
    sealed_id: str


def signed_statements(session: Session, requests: Sequence[str]) -> dict[str, Stated]:
    """Return the statements of these requests, of their authorizations and of their provisions, by digest (hex).

    Statements never change, so they can be read before the transaction that issues the certificates.
    """
    found = matching(session, _STATEMENTS, AccessRequest.id, requests)
    return {digest: read_stored(body) for digest, body in {row.digest: row.body for row in found}.items()}


class AnsweredRequests:
    """Requests, with the authorizations and provisions from which their certificates are made."""

    def __init__(
        self, session: Session, sealer: Sealer, requests: Sequence[str], statements: Mapping[str, Stated]
    ) -> None:
        """Read the requests with these ids. Statements that ``statements`` contains (from ``signed_statements``) are
        not read again.

        If a request, a party or an answer is missing, no error is raised until a method looks for it.
        """
        self._sealer = sealer
        self._answers: dict[str, dict[str | None, Row[Any]]] = {}
        for row in matching(session, _ANSWERS, AccessRequest.id, requests):
            newest = self._answers.setdefault(row.id, {})
            before = newest.get(row.source)
            if before is None or before.number < row.number:
                newest[row.source] = row
        self._certificates: dict[str, list[Certificate]] = {}
        versions = select(Certificate).order_by(Certificate.version)
        for row in matching(session, versions, Certificate.request_id, requests):
            self._certificates.setdefault(row[0].request_id, []).append(row[0])
        answers = [row for rows in self._answers.values() for row in rows.values()]
        digests = {digest for row in answers for digest in _named(row)}
        missing = digests - statements.keys()
        self._statements = {**statements, **(log_store.statements(session, missing) if missing else {})}
        self._stops = _stops(session, [row for row in answers if row.doubtful])

    def request(self, identifier: str) -> Row[Any]:
        """Return the row of the request with this id. Raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        if identifier not in self._answers:
            raise unknown_request()
        return next(iter(self._answers[identifier].values()))

    def certificates(self, request: Row[Any]) -> list[Certificate]:
        """Return the certificate of a request and its corrected versions, oldest first."""
        return self._certificates.get(request.id, [])

    def statement(self, request: Row[Any]) -> Stated:
        """Return the statement that the consumer signed for the request."""
        return self._statements[request.digest]

    def region(self, request: Row[Any]) -> str:
        """Return the region code of the request's subject. Raises ``NotFound`` ``PARTY_UNKNOWN``."""
        if request.region is None:
            raise unknown_party()
        region: str = request.region
        return region

    def require_disclosures(self, session: Session, sources: Iterable[CertifiedSource]) -> None:
        """Raise ``NotFound`` ``SEALED_ERASED`` if the disclosures of one of these sources were erased, and the other
        errors of ``Sealer.require_readable``.
        """
        self._sealer.require_readable(session, (source.sealed_id for source in sources))

    def sources(self, request: Row[Any], now: int) -> list[CertifiedSource]:
        """Return the sources of the request that supplied data, ordered by the names of the sources.

        Raises ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``, ``NOT_ANSWERED_YET``, ``NOTHING_SUPPLIED``,
        ``PARTY_NOT_ON_CHAIN``, and the errors of ``KnownStops.require_none``.
        """
        answers = self._answers[request.id]
        consents = [answers[source] for source in sorted(source for source in answers if source is not None)]
        for row in consents:
            state = authorization_state_at(row.consent_state, self._statements[row.consent]["valid_to"], now)
            if state != "active":
                raise not_active(row.consent_id, state)
        if waiting := [row.source for row in consents if row.provision is None]:
            raise Conflict(
                "NOT_ANSWERED_YET",
                f"The providers of these sources have not answered yet: {', '.join(waiting)}.",
                where=f"request {request.id}",
                hint="Issue the certificate after every provider has answered.",
            )
        supplied = [row for row in consents if row.sealed_id is not None]
        if not supplied:
            results = ", ".join(f"{row.source}: {row.result}" for row in consents)
            raise Conflict(
                "NOTHING_SUPPLIED",
                f"No provider supplied anything ({results}).",
                where=f"request {request.id}",
                hint="There is nothing to certify. The consumer can send a new request later.",
            )
        # The chain records a withdrawal under the party's number. If a signer has no number, it cannot be known whether
        # its statement was withdrawn, so no certificate is issued.
        for row in supplied:
            for party, number in ((row.subject, row.subject_no), (row.signer, row.signer_no)):
                if number is None:
                    raise no_party_no(party)
        self._stops.require_none(supplied)
        return [
            CertifiedSource(
                row.consent,
                self._statements[row.consent],
                row.provision,
                self._statements[row.provision],
                row.provider,
                row.sealed_id,
            )
            for row in supplied
        ]


def _named(row: Row[Any]) -> list[str]:
    """Return the digests of the request, of the authorization, and of the provision if the provision supplied data."""
    provision = row.provision if row.sealed_id is not None else None
    return [digest for digest in (row.digest, row.consent, provision) if digest is not None]


def _stops(session: Session, rows: Sequence[Row[Any]]) -> KnownStops:
    signers = {row.consent: row.subject_no for row in rows}
    signers |= {row.provision: row.signer_no for row in rows if row.sealed_id is not None}
    on_chain = {digest: number for digest, number in signers.items() if digest is not None and number is not None}
    return KnownStops.of(session, {digest for row in rows for digest in _named(row)}, on_chain)
