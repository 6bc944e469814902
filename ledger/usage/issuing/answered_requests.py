"""The requests for which certificates are issued, with authorizations and provisions, read with a few queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.errors import Conflict
from ledger.parties.lookups import no_party_no, unknown_party
from ledger.parties.tables import Party
from ledger.store import log as log_store
from ledger.store.sealing import Sealer
from ledger.store.sets import matching
from ledger.usage.expiry import require_active
from ledger.usage.issuing.stops import KnownStops
from ledger.usage.lookups import unknown_request
from ledger.usage.tables import AccessRequest, Authorization, Provision


@dataclass(frozen=True, slots=True)
class CertifiedSource:
    """One source of a certificate: the authorization, the provision supplied under it, and both signed statements."""

    consent: Authorization
    consented: dict[str, Any]
    provision: Provision
    supplied: dict[str, Any]


class AnsweredRequests:
    """Requests with everything from which their certificates are made: authorizations and provisions."""

    def __init__(self, session: Session, sealer: Sealer, requests: Iterable[str]) -> None:
        """Read the requests with these ids.

        A missing request, party or answer raises no error here, but only when it is looked up.
        """
        wanted = list(requests)
        found = matching(session, select(AccessRequest), AccessRequest.id, wanted)
        self._requests: dict[str, AccessRequest] = {row[0].id: row[0] for row in found}
        self._certificates: dict[str, list[Certificate]] = {}
        versions = select(Certificate).order_by(Certificate.version)
        for row in matching(session, versions, Certificate.request_id, wanted):
            self._certificates.setdefault(row[0].request_id, []).append(row[0])
        self._consents: dict[str, list[Authorization]] = {}
        by_source = select(Authorization).order_by(Authorization.source)
        for row in matching(session, by_source, Authorization.request_id, wanted):
            self._consents.setdefault(row[0].request_id, []).append(row[0])
        consents = {row.id: row for rows in self._consents.values() for row in rows}
        by_number = select(Provision).order_by(Provision.number)
        # The answers are read in the order of their numbers, so the newest answer to an authorization replaces the
        # earlier answers in the map.
        answers = matching(session, by_number, Provision.authorization_id, consents)
        self._answers: dict[str, Provision] = {row[0].authorization_id: row[0] for row in answers}
        self._sealer = sealer
        self._read_statements(session, consents)

    def _read_statements(self, session: Session, consents: dict[str, Authorization]) -> None:
        supplied = [row for row in self._answers.values() if row.sealed_id is not None]
        digests = [row.digest for rows in (self._requests.values(), consents.values(), supplied) for row in rows]
        self._statements = log_store.statements(session, digests)
        parties = {row.subject for row in self._requests.values()} | {row.provider for row in supplied}
        rows = matching(session, select(Party.id, Party.no, Party.region), Party.id, parties)
        self._parties = {row.id: row for row in rows}
        signers = {row.digest: self._parties[row.subject].no for row in consents.values()}
        signers |= {row.digest: self._parties[row.provider].no for row in supplied}
        on_chain = {digest: number for digest, number in signers.items() if number is not None}
        self._stops = KnownStops.of(session, digests, on_chain)

    def request(self, identifier: str) -> AccessRequest:
        """Return the request with this id. Raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        if identifier not in self._requests:
            raise unknown_request()
        return self._requests[identifier]

    def certificates(self, request: AccessRequest) -> list[Certificate]:
        """Return the certificate of a request and its corrected versions, oldest first."""
        return self._certificates.get(request.id, [])

    def statement(self, request: AccessRequest) -> dict[str, Any]:
        """Return the statement that the consumer signed for the request."""
        return self._statements[request.digest]

    def region(self, request: AccessRequest) -> str:
        """Return the region code of the request's subject. Raises ``NotFound`` ``PARTY_UNKNOWN``."""
        if request.subject not in self._parties:
            raise unknown_party()
        region: str = self._parties[request.subject].region
        return region

    def require_disclosures(self, session: Session, sources: Iterable[CertifiedSource]) -> None:
        """Raise ``NotFound`` ``SEALED_ERASED`` if the disclosures of one of these sources were erased, and the other
        errors of ``Sealer.require_readable``.
        """
        self._sealer.require_readable(session, (str(source.provision.sealed_id) for source in sources))

    def sources(self, request: AccessRequest, now: int) -> list[CertifiedSource]:
        """Return the sources of the request that supplied data, ordered by the names of the sources.

        Raises ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``, ``NOT_ANSWERED_YET``, ``NOTHING_SUPPLIED``,
        ``PARTY_NOT_ON_CHAIN``, and the errors of ``KnownStops.require_none``.
        """
        consents = self._consents.get(request.id, [])
        for consent in consents:
            require_active(consent, self._statements[consent.digest]["valid_to"], now)
        if waiting := [consent.source for consent in consents if consent.id not in self._answers]:
            raise Conflict(
                "NOT_ANSWERED_YET",
                f"The providers of these sources have not answered yet: {', '.join(waiting)}.",
                where=f"request {request.id}",
                hint="Issue after every provider has answered.",
            )
        last = [(consent, self._answers[consent.id]) for consent in consents]
        sources = [
            CertifiedSource(consent, self._statements[consent.digest], found, self._statements[found.digest])
            for consent, found in last
            if found.sealed_id is not None
        ]
        if not sources:
            results = ", ".join(f"{consent.source}: {found.result}" for consent, found in last)
            raise Conflict(
                "NOTHING_SUPPLIED",
                f"No provider supplied anything ({results}).",
                where=f"request {request.id}",
                hint="There is nothing to certify. The consumer can send a new request later.",
            )
        # Without the number of its signer nobody can tell whether a statement was withdrawn on the chain.
        for party in (request.subject, *(source.provision.provider for source in sources)):
            if self._parties[party].no is None:
                raise no_party_no(party)
        self._stops.require_none(request, ((source.consent, source.provision) for source in sources))
        return sources
