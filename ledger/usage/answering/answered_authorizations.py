"""The authorizations that a set of provisions answers, read from the database with a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.digests import hex_of
from ledger.domain.rules.value_spaces import space_of
from ledger.errors import Conflict, NotFound
from ledger.store import log as log_store
from ledger.store.sets import matching
from ledger.usage.provision_checks import AnswerBasis, EarlierAnswer
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim


class AnsweredAuthorizations:
    """Authorizations, each with its request, its template and the providers' earlier answers to it."""

    def __init__(self, session: Session, authorizations: Iterable[str]) -> None:
        """Read these authorizations (digests in hex) with their requests, templates and earlier answers.

        If an authorization does not exist, no error is raised until ``basis`` is called for this authorization.
        """
        self._named = set(authorizations)
        consents = self._consents(session)
        stated = log_store.statements(session, (digest for row in consents for digest in (row.digest, row.asked)))
        templates = log_store.statements(session, {hex_of(stated[row.asked]["template"]) for row in consents})
        spaces = {
            digest: {item["name"]: space_of(item["rule"]) for item in template["fields"]}
            for digest, template in templates.items()
        }
        self._bases = dict[str, AnswerBasis]()
        for row in consents:
            asked = stated[row.asked]
            named = hex_of(asked["template"])
            self._bases[row.digest] = AnswerBasis(
                row, stated[row.digest], asked, templates[named], spaces[named], before=[]
            )
        self._read_answers(session)

    def read_states(self, session: Session) -> None:
        """Read the states and the earlier answers again, and forget the answers that ``add`` remembered.

        Call this method in the write transaction, because states and answers can change after the first reading.
        """
        for row in self._consents(session):
            self._bases[row.digest] = replace(self._bases[row.digest], consent=row, before=[])
        self._read_answers(session)

    def _consents(self, session: Session) -> list[Any]:
        query = select(
            Authorization.id,
            Authorization.digest,
            Authorization.request_id,
            Authorization.subject,
            Authorization.source,
            Authorization.provider,
            Authorization.state,
            AccessRequest.digest.label("asked"),
            AccessRequest.state.label("request_state"),
        ).join(AccessRequest, AccessRequest.id == Authorization.request_id)
        return list(matching(session, query, Authorization.digest, self._named))

    def _read_answers(self, session: Session) -> None:
        by_id = {basis.consent.id: basis for basis in self._bases.values()}
        columns = Provision.authorization_id, Provision.digest, Provision.result
        answers = select(*columns).order_by(Provision.number)
        rows = list(matching(session, answers, Provision.authorization_id, by_id))
        for row in rows:
            by_id[row.authorization_id].before.append(EarlierAnswer(row.digest, row.result))
        stated = log_store.statements(session, (row.digest for row in rows))
        self._claims = {digest: set(entry["claims"].values()) for digest, entry in stated.items()}

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

    def add(self, basis: AnswerBasis, row: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        """Remember a new answer. Later answers of the set that name the same authorization are compared with the new
        answer.
        """
        basis.before.append(EarlierAnswer(row["digest"], row["result"]))
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
