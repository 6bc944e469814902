"""The authorizations that a set of provisions answers, read from the database with a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.digests import hex_of
from ledger.errors import Conflict, NotFound
from ledger.store import log as log_store
from ledger.store.sets import matching
from ledger.usage.provision_checks import AnswerBasis
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim


class AnsweredAuthorizations:
    """Authorizations, each with its request, its template and the providers' earlier answers to it."""

    def __init__(self, session: Session, authorizations: Iterable[Authorization]) -> None:
        """Read the requests, templates and earlier answers of these authorizations."""
        consents = {row.id: row for row in authorizations}
        requests = matching(
            session, select(AccessRequest), AccessRequest.id, (row.request_id for row in consents.values())
        )
        self._requests: dict[str, AccessRequest] = {row[0].id: row[0] for row in requests}
        asked = log_store.statements(session, (row.digest for row in self._requests.values()))
        consented = log_store.statements(session, (row.digest for row in consents.values()))
        templates = log_store.statements(session, (hex_of(entry["template"]) for entry in asked.values()))
        before: dict[str, list[Provision]] = {identifier: [] for identifier in consents}
        answers = select(Provision).order_by(Provision.number)
        for row in matching(session, answers, Provision.authorization_id, consents):
            before[row[0].authorization_id].append(row[0])
        digests = [row.digest for rows in before.values() for row in rows]
        stated = log_store.statements(session, digests)
        self._claims = {digest: set(entry["claims"].values()) for digest, entry in stated.items()}
        self._bases = {}
        for consent in consents.values():
            request = asked[self._requests[consent.request_id].digest]
            self._bases[consent.digest] = AnswerBasis(
                consent=consent,
                consented=consented[consent.digest],
                asked=request,
                template=templates[hex_of(request["template"])],
                before=before[consent.id],
            )

    @classmethod
    def of(cls, session: Session, provisions: Iterable[Mapping[str, Any]]) -> AnsweredAuthorizations:
        """Read the authorizations that these provisions name.

        A missing authorization raises no error here, but only when ``basis`` looks for it.
        """
        named = (hex_of(entry["authorization"]) for entry in provisions)
        return cls(session, [row[0] for row in matching(session, select(Authorization), Authorization.digest, named)])

    def basis(self, entry: Mapping[str, Any]) -> AnswerBasis:
        """Return the statements with which a provision is compared: its authorization, request and template, and the
        earlier answers.

        Raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``.
        """
        found = self._bases.get(hex_of(entry["authorization"]))
        if found is None:
            raise NotFound("AUTHORIZATION_UNKNOWN", "The provision names an authorization that is not in this ledger.")
        return found

    def basis_of(self, consent: Authorization) -> AnswerBasis:
        """Return the statements with which an answer to this authorization is compared."""
        return self._bases[consent.digest]

    def request(self, basis: AnswerBasis) -> AccessRequest:
        """Return the request that the authorization in ``basis`` answers."""
        return self._requests[basis.consent.request_id]

    def add(self, basis: AnswerBasis, row: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        """Remember a new answer. Later answers of the set that name the same authorization are compared with the new
        answer.
        """
        basis.before.append(Provision(**row))
        self._claims[row["digest"]] = set(entry["claims"].values())

    def new_claims(self, basis: AnswerBasis, entry: Mapping[str, Any]) -> set[str]:
        """Return those claim digests of an answer that are in no earlier answer to the same authorization."""
        own = set[str]().union(*(self._claims[row.digest] for row in basis.before))
        return set(entry["claims"].values()) - own


class SeenClaims:
    """Finds claim digests that were signed before: in a recorded provision, or in an earlier provision of the set."""

    def __init__(self, session: Session, provisions: Iterable[Mapping[str, Any]]) -> None:
        """Read which claim digests of these provisions are recorded already."""
        digests = (digest for entry in provisions for digest in entry["claims"].values())
        self._seen = {row.digest for row in matching(session, select(SeenClaim.digest), SeenClaim.digest, digests)}
        self.rows: list[dict[str, Any]] = []
        """The rows to add for the digests that were passed to ``require_unseen``."""

    def require_unseen(self, basis: AnswerBasis, entry: Mapping[str, Any], digests: set[str]) -> None:
        """Remember these claim digests. Raises ``Conflict`` ``CLAIM_DIGEST_SEEN`` if a digest was signed before.

        If two certificates had the same claim digest, everybody could see that they contain the same claim.
        """
        if not self._seen.isdisjoint(digests):
            raise Conflict(
                "CLAIM_DIGEST_SEEN",
                "The digest of a claim was signed before, so its salt is not new.",
                where=entry["id"],
                hint="Use 16 new random bytes as the salt of each claim.",
            )
        self._seen |= digests
        self.rows += ({"digest": digest, "request_id": basis.consent.request_id} for digest in sorted(digests))
