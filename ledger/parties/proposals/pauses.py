"""The pause: one authority or supervisor stops anchoring, registering and binding keys for at most seven days.

Two authorities can end the pause early.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.errors import Conflict
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor


@dataclass(eq=False, repr=False)
class Pauses:
    """Pauses the ledger. The contract decides who may pause the ledger, and how often."""

    _reader: ChainReader
    _relayed: RelayedActs
    _proposals: Proposals
    _account_of: Callable[[str], str]

    def until(self) -> int:
        """Return the time at which the pause ends at the latest (seconds UTC); 0 if the ledger is not paused."""
        return self._reader.paused_until()

    def pause(self, actor: Actor) -> int:
        """Begin a pause as an authority or a supervisor, and return the time (seconds UTC) at which the pause ends if
        nobody ends it early.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``; ``Conflict`` ``PARTY_PAUSED``, ``PARTY_PAUSE_REST``,
        ``SIGNATURE_REQUIRED``.
        """
        self._relayed.act(self._account_of(actor.party), calls.pause(), actor.signed)
        return self.until()

    def end(self, actor: Actor) -> Proposal:
        """Propose, as an authority, to end the pause; the pause ends as soon as another authority confirms.

        Raises ``Conflict`` ``PARTY_NOT_PAUSED``, and the errors of ``Proposals.decide``.
        """
        if not self.until():
            raise Conflict("PARTY_NOT_PAUSED", "The ledger is not paused.", hint="There is nothing to end.")
        return self._proposals.decide(actor.party, calls.end_pause(), actor.signed)
