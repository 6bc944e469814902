"""Reading the powers: proposals, officers, the pause, and what is left of a party's voice."""

from __future__ import annotations

from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.reading.batched_reads import BlockTag
from ledger.chain.reading.contract_state import ProposalRecord
from ledger.chain.reading.node_reader import NodeReader

PROPOSALS_AT_ONCE: Final = 100


class PowerReader(NodeReader):
    """The powers' part of ``ChainReader``. Parties and proposals are named by number."""

    def proposal(self, number: int, *, block: BlockTag = "latest") -> ProposalRecord:
        """Raises NotFound PROPOSAL_UNKNOWN."""
        return self.questions(block).proposal(number)()

    def proposals(
        self, after: int = 0, limit: int = PROPOSALS_AT_ONCE, *, block: BlockTag = "latest"
    ) -> list[ProposalRecord]:
        """At most ``limit`` proposals in order, those with a higher number than ``after``."""
        last = min(after + limit, self.proposal_count(block=block))
        asked = self.questions(block)
        return [answer() for answer in [asked.proposal(number) for number in range(after + 1, last + 1)]]

    def proposal_count(self, *, block: BlockTag = "latest") -> int:
        """How many proposals were ever made; their numbers are 1 to this."""
        return self.questions(block).proposal_count()()

    def party_events(self, first: int, last: int) -> list[Event]:
        """All events of the registry of parties in blocks ``first`` to ``last``, both included, in order."""
        return self._events([self.deployment.party_registry], first, last)

    def officers(self, *, block: BlockTag = "latest") -> int:
        """How many active authorities have a key that acts."""
        return int(self._read(PARTY_REGISTRY, "officers", [], block)[0])

    def paused_until(self, *, block: BlockTag = "latest") -> int:
        """When the pause ends at the latest, 0 where nothing is paused."""
        return self.questions(block).paused_until()()

    def running(self, *, block: BlockTag = "latest") -> int:
        """The running time of a block: its seconds UTC less all that was paused."""
        return self.questions(block).running()()

    def is_silent(self, number: int, *, block: BlockTag = "latest") -> bool:
        """Whether a party has been closed, or without a key that speaks, for the delay."""
        return bool(self._read(PARTY_REGISTRY, "isSilent", [number], block)[0])
