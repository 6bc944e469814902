"""Finds withdrawals and holds that stop a certificate from being issued.

The chain is read before the write lock is taken, once for all statements of all requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ledger.chain.reading.reader import ChainReader
from ledger.errors import Conflict
from ledger.parties.lookups import party_no
from ledger.proof.facts import WithdrawalFact
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.usage.expiry import not_active
from ledger.usage.tables import AccessRequest, Authorization, Provision

T = TypeVar("T")
_HELD: Final = {"request": "HELD", "authorization": "AUTHORIZATION_HELD", "provision": "PROVISION_HELD"}


@dataclass(frozen=True, slots=True)
class KnownStops:
    """Withdrawals and holds that the chain records. Both maps have a statement's digest as key; ``holds`` maps to the
    institutions that hold the statement.
    """

    withdrawals: Mapping[str, WithdrawalFact]
    holds: Mapping[str, Sequence[str]]

    def require_none(
        self, session: Session, request: AccessRequest, sources: Iterable[tuple[Authorization, Provision]]
    ) -> None:
        """Raise ``Conflict`` if a withdrawal or a hold, on the chain or in the log, stops the request's certificate."""
        sources = list(sources)
        named = [("request", request.id, request.digest)]
        named += [("authorization", consent.id, consent.digest) for consent, _ in sources]
        named += [("provision", provision.id, provision.digest) for _, provision in sources]
        recorded = {row.about for row in log_store.withdrawals_of(session, (digest for *_, digest in named))}
        for consent, provision in sources:
            if self.withdrawals[consent.digest].first or consent.digest in recorded:
                raise not_active(consent, "withdrawn")
            # A provider's withdrawal has no effect if its key was reported lost: a thief must not end every
            # certificate.
            if self.withdrawals[provision.digest].at or provision.digest in recorded:
                raise Conflict(
                    "PROVISION_WITHDRAWN",
                    "The provider has withdrawn what it supplied.",
                    where=f"provision {provision.id}",
                    hint="Ask the provider to supply the data again, and to name the wrong provision in `corrects`.",
                )
        for kind, identifier, digest in named:
            if offices := self.holds[digest]:
                raise Conflict(
                    _HELD[kind],
                    f"The {kind} is held by an institution: {', '.join(offices)}.",
                    where=f"{kind} {identifier}",
                    hint="Issue the certificate after the institution has lifted its hold.",
                    statement=kind,
                )


class Stops:
    """Reads from the chain the withdrawals and holds that stop certificates."""

    def __init__(self, database: Database, reader: ChainReader) -> None:
        self._database = database
        self._reader = reader

    def before_writing(self, requests: Select[str], work: Callable[[Session, KnownStops], T]) -> T:
        """Run ``work`` in a write transaction, and pass it the chain's withdrawals and holds for the requests with
        these ids.

        If a new statement was recorded after the chain was read, the chain is read again.
        """
        while True:
            with self._database.read() as session:
                signers = _signers(session, requests)
            known = self._ask(signers)
            with self._database.write() as session:
                if _signers(session, requests).keys() <= known.holds.keys():
                    return work(session, known)

    def _ask(self, signers: Mapping[str, int | None]) -> KnownStops:
        asked = self._reader.batched("latest")
        withdrawals = {each: asked.withdrawn_at(no, each) for each, no in signers.items() if no is not None}
        holds = {digest: asked.hold(digest) for digest in signers}
        return KnownStops(
            {digest: answer() for digest, answer in withdrawals.items()},
            {digest: answer().offices for digest, answer in holds.items()},
        )


def _signers(session: Session, requests: Select[str]) -> dict[str, int | None]:
    """Return the digests of the statements that certificates of these requests rest on, each with the number of the
    party that can withdraw it.
    """
    asked = select(AccessRequest.digest).where(AccessRequest.id.in_(requests))
    consents = select(Authorization.digest, Authorization.subject).where(Authorization.request_id.in_(requests))
    provisions = (
        select(Provision.digest, Provision.provider)
        .join(Authorization, Authorization.id == Provision.authorization_id)
        .where(Authorization.request_id.in_(requests), Provision.result == "supplied")
    )
    signed = [row for query in (consents, provisions) for row in session.execute(query)]
    numbers = {party: party_no(session, party) for party in {row[1] for row in signed}}
    return dict.fromkeys(session.scalars(asked)) | {digest: numbers[party] for digest, party in signed}
