"""Reads proposals from the index, and the parties that a proposed registration would register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import Clock
from ledger.errors import NotFound
from ledger.index import proposals as index
from ledger.index.follower import Follower
from ledger.index.proposals import IndexedProposal
from ledger.index.tables import PROPOSALS
from ledger.parties.party_lists import ListedIdentity, RegistrationLists
from ledger.parties.permissions import Action
from ledger.parties.proposals.in_words import Proposal, proposal_in_words
from ledger.parties.roles import Actor, require
from ledger.store.database import Database


@dataclass(eq=False, repr=False)
class ProposalReader:
    """Reads proposals as of the newest block in the index; writes nothing. Parties are named by id."""

    _database: Database
    _reader: ChainReader
    _follower: Follower
    _lists: RegistrationLists
    _clock: Clock

    def get(self, number: int) -> Proposal:
        """Return a proposal by its number; raises ``NotFound`` ``PROPOSAL_UNKNOWN``."""
        return self._row(self._found(number))

    def pending(self, party: str | None = None) -> list[Proposal]:
        """Return all pending proposals in the order of their numbers; with ``party``, only proposals about this party
        or about an asset that it holds.

        Raises ``NotFound`` ``PARTY_UNKNOWN``.
        """
        concerned = None if party is None else self._number(party)
        return self._rows(self._follower.pending_proposals(concerned, now=self._now()))

    def of_act(self, act: str) -> Proposal | None:
        """Return the newest proposal of an act, in any state."""
        with self._database.read() as session:
            number = session.scalar(select(func.max(PROPOSALS.c.no)).where(PROPOSALS.c.act == act))
        return None if number is None else self._row(self._found(number))

    def listed(self, actor: Actor, number: int) -> dict[str, Any]:
        """Return the list of parties of a registration as JSON, for an institution that confirms in another
        installation.

        While the proposal is pending, the list has for each party the values from which its id is computed (kind,
        identifier and key) and its name. This list is personal text, for that institution only.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``NotFound`` ``PROPOSAL_UNKNOWN``, ``Conflict``
        ``REGISTRATION_LIST_MISSING``.
        """
        require(actor, Action.MANAGE_ROLES)
        row = self.get(number)
        return self._lists.document(self._found(number).act, openings=row.pending)

    def identities(self, number: int, listed: Mapping[str, Any]) -> list[ListedIdentity]:
        """Return the parties that a registration would register, so that people can check them before confirming.

        Raises ``NotFound`` ``PROPOSAL_UNKNOWN``, ``InvalidInput`` ``REGISTRATION_LIST_INVALID``.
        """
        return self._lists.identities(self._found(number).act, listed)

    def _found(self, number: int) -> IndexedProposal:
        with self._database.read() as session:
            found = index.proposal(session.connection(), self._reader.deployment, number)
        if found is None:
            raise NotFound(
                "PROPOSAL_UNKNOWN",
                f"There is no proposal {number}.",
                where=f"proposal {number}",
                hint="List the pending proposals: `pingzheng keys pending`.",
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
        """Return the time of the clock or of the newest block in the index, whichever is later."""
        reached = self._follower.cursor()
        return max(self._clock(), reached.time if reached else 0)

    def _number(self, party: str) -> int:
        number = self._reader.party_no(party)
        if not number:
            raise NotFound("PARTY_UNKNOWN", "There is no party with this id.", hint="Check the id.")
        return number
