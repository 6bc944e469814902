"""The pause: one office stops anchoring, registering and binding for seven days at most; two authorities end it."""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.chain.sending.relay import SignedRequest
from ledger.errors import Conflict
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs


class Pauses:
    """Pauses in the name of an authority or a supervisor. The contract decides who may, and how often."""

    def __init__(
        self, reader: ChainReader, relayed: RelayedActs, proposals: Proposals, account_of: Callable[[str], str]
    ) -> None:
        self._reader = reader
        self._relayed = relayed
        self._proposals = proposals
        self._account_of = account_of

    def until(self) -> int:
        """When the pause ends at the latest (seconds UTC), 0 where nothing is paused."""
        return self._reader.paused_until()

    def pause(self, by: str, signed: SignedRequest | None = None) -> int:
        """Pause as the office ``by``, and return when it ends at the latest (seconds UTC).

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``; ``Conflict`` ``PARTY_PAUSED``, ``PARTY_PAUSE_REST``,
        ``SIGNATURE_REQUIRED``.
        """
        self._relayed.act(self._account_of(by), calls.pause(), signed)
        return self.until()

    def end(self, by: str, signed: SignedRequest | None = None) -> Proposal:
        """End the pause as an authority; it ends at once when another one confirms.

        Raises ``Conflict`` ``PARTY_NOT_PAUSED``, and as ``Proposals.decide``.
        """
        if not self.until():
            raise Conflict("PARTY_NOT_PAUSED", "The ledger is not paused.", hint="There is nothing to end.")
        return self._proposals.decide(by, calls.end_pause(), signed)
