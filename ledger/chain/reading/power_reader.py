"""Reads proposals, the pause, how many authorities can act, and the running time (without paused seconds)."""

from __future__ import annotations

from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.reading.batched_calls import BlockTag
from ledger.chain.reading.contract_state import ProposalRecord
from ledger.chain.reading.node_reader import NodeReader

PROPOSALS_AT_ONCE: Final = 100


class PowerReader(NodeReader):
    """The methods of ``ChainReader`` that concern proposals and the pause. Proposals are given by their numbers."""

    def proposal(self, number: int, *, block: BlockTag = "latest") -> ProposalRecord:
        """Return the proposal with this number; raises NotFound PROPOSAL_UNKNOWN."""
        return self.batched(block).proposal(number)()

    def proposals(
        self, after: int = 0, limit: int = PROPOSALS_AT_ONCE, *, block: BlockTag = "latest"
    ) -> list[ProposalRecord]:
        """Return at most ``limit`` proposals whose numbers are above ``after``, in the order of their numbers."""
        last = min(after + limit, self.proposal_count(block=block))
        reads = self.batched(block)
        return [answer() for answer in [reads.proposal(number) for number in range(after + 1, last + 1)]]

    def proposal_count(self, *, block: BlockTag = "latest") -> int:
        """Return how many proposals were ever made; their numbers are 1 to this count."""
        return self.batched(block).proposal_count()()

    def party_events(self, first: int, last: int) -> list[Event]:
        """Return all events of the party registry in blocks ``first`` to ``last``, both included, in order."""
        return self._events([self.deployment.party_registry], first, last)

    def officers(self, *, block: BlockTag = "latest") -> int:
        """Return how many active authorities have at least one key with which they can act."""
        return self.batched(block).number(PARTY_REGISTRY, "officers")()

    def paused_until(self, *, block: BlockTag = "latest") -> int:
        """Return until when the ledger is paused at the latest (seconds UTC), or 0 if it is not paused."""
        return self.batched(block).paused_until()()

    def running(self, *, block: BlockTag = "latest") -> int:
        """Return the running time as of a block: the block's time in seconds UTC minus all paused seconds."""
        return self.batched(block).running()()
