"""Reading proposals: what is pending, what became of the others, and whom a registration registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import Clock
from ledger.errors import NotFound
from ledger.index import proposals as index
from ledger.index.follower import Follower
from ledger.index.proposals import IndexedProposal
from ledger.index.tables import PROPOSALS
from ledger.parties.party_lists import ListedIdentity, RegistrationLists
from ledger.parties.proposals.in_words import Proposal, proposal_in_words
from ledger.store.database import Database

PAGE: Final = 100


class ProposalReader:
    """Finds proposals in the index; parties are named by id."""

    def __init__(
        self, database: Database, reader: ChainReader, follower: Follower, lists: RegistrationLists, clock: Clock
    ) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower
        self._lists = lists
        self._clock = clock

    def get(self, number: int) -> Proposal:
        """A proposal by its number; raises ``NotFound`` ``PROPOSAL_UNKNOWN``."""
        self._follower.sync()
        return self._row(self._found(number))

    def pending(self, party: str | None = None) -> list[Proposal]:
        """All that is pending, or what concerns a party or would give away an asset that it holds; in order.

        Raises ``NotFound`` ``PARTY_UNKNOWN``.
        """
        concerned = None if party is None else self._number(party)
        self._follower.sync()
        return self._rows(self._follower.pending_proposals(concerned, now=self._now()))

    def page(self, after: int = 0, limit: int = PAGE) -> list[Proposal]:
        """Proposals in any state, in order, those with a higher number than ``after``."""
        self._follower.sync()
        with self._database.read() as session:
            found = index.proposals(session.connection(), self._reader.deployment, after, limit)
        return self._rows(found)

    def of_act(self, act: str) -> Proposal | None:
        """The newest proposal of an act, whatever became of it."""
        self._follower.sync()
        with self._database.read() as session:
            number = session.scalar(select(func.max(PROPOSALS.c.no)).where(PROPOSALS.c.act == act))
        return None if number is None else self._row(self._found(number))

    def listed(self, number: int) -> dict[str, Any]:
        """The list behind a registration, for the office that confirms it elsewhere, as JSON.

        As long as it is pending, each party has its opening: kind, identifier, key and name. That is personal text, for
        that office alone. Raises ``NotFound`` ``PROPOSAL_UNKNOWN``, ``Conflict`` ``REGISTRATION_LIST_MISSING``.
        """
        row = self.get(number)
        return self._lists.document(self._found(number).act, openings=row.pending)

    def identities(self, number: int, listed: Mapping[str, Any]) -> list[ListedIdentity]:
        """Whom a registration registers, read from its list: to be looked at before it is confirmed.

        Raises ``NotFound`` ``PROPOSAL_UNKNOWN``, ``InvalidInput`` ``REGISTRATION_LIST_INVALID``.
        """
        self._follower.sync()
        return self._lists.identities(self._found(number).act, listed)

    def _found(self, number: int) -> IndexedProposal:
        with self._database.read() as session:
            found = index.proposal(session.connection(), self._reader.deployment, number)
        if found is None:
            raise NotFound(
                "PROPOSAL_UNKNOWN",
                f"There is no proposal {number}.",
                where=f"proposal {number}",
                hint="List what is pending: `pingzheng keys pending`.",
            )
        return found

    def _row(self, found: IndexedProposal) -> Proposal:
        (row,) = self._rows([found])
        return row

    def _rows(self, found: Sequence[IndexedProposal]) -> list[Proposal]:
        now = self._now()
        with self._database.read() as session:
            time = index.running_time(session.connection(), now)
        return [proposal_in_words(each, self._reader, time, self._lists.parties) for each in found]

    def _now(self) -> int:
        """The time, and not before the block that the index has reached."""
        return max(self._clock(), self._reader.latest().time)

    def _number(self, party: str) -> int:
        number = self._reader.party_no(party)
        if not number:
            raise NotFound("PARTY_UNKNOWN", "No such party is registered.", hint="Check the id.")
        return number
