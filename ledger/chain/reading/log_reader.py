"""Reading the certificate log: batches, status, uses, withdrawals and holds."""

from __future__ import annotations

from typing import Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.reading.batched_reads import BlockTag
from ledger.chain.reading.contract_state import AnchoredBatch, Hold, LeafStatus
from ledger.chain.reading.node_reader import NodeReader
from ledger.chain.rpc.answers import Malformed, quantity
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, StatusFact, UseFact, WithdrawalFact
from ledger.proof.head import event_digest

_ANCHORED: Final = f"{CERTIFICATE_LOG}.Anchored"


class LogReader(NodeReader):
    """The certificate log's half of ``ChainReader``. Issuers, consumers and parties are named by number, statements
    and requests by digest, 64 hex digits. ``since`` (seconds UTC) is not after the first event that is looked for.
    """

    def batch_count(self, issuer: int, *, block: BlockTag = "latest") -> int:
        """How many batches an issuer's log has: the number of the next one."""
        return self.questions(block).batch_count(issuer)()

    def next_seq(self, issuer: int) -> int:
        """How many entries of an issuer's log are anchored: the sequence number of the next one."""
        return int(self._read(CERTIFICATE_LOG, "nextSeq", [issuer], "latest")[0])

    def commitment(self, issuer: int, batch: int, *, block: BlockTag = "latest") -> str | None:
        """The anchor commitment of a batch, or None where it is not anchored."""
        return self.questions(block).commitment(issuer, batch)()

    def anchored(self, issuer: int, batch: int) -> AnchoredBatch | None:
        """A batch's anchor from its event, or None where it is not anchored.

        The event is compared with the commitment that the contract keeps: a node that hides it or changes it is
        noticed.
        """
        last = self.block_number()
        asked = self.questions(last)
        commitment = asked.commitment(issuer, batch)
        found = asked.log_events("Anchored", self.deploy_block, last, issuer=issuer, batch=batch)()
        kept = commitment()
        with self._connection.reading("eth_getLogs"):
            if [event_digest(_ANCHORED, event.args).hex() for event in found] != ([kept] if kept else []):
                raise Malformed("the one event of the anchor that the contract keeps is expected")
        if not found:
            return None
        event = found[0]
        receipt = self._connection.receipt(event.tx_hash)
        return AnchoredBatch(
            issuer=issuer,
            batch=batch,
            first_seq=event.args["firstSeq"],
            size=event.args["size"],
            root=event.args["root"],
            at=event.args["at"],
            tx_hash=event.tx_hash,
            block_number=event.block_number,
            gas_used=quantity(receipt["gasUsed"]) if receipt else 0,
        )

    def state_of(self, place: Position, *, block: BlockTag = "latest") -> str:
        """``active``, ``suspended`` or ``revoked``, from the status word alone (superseded counts as revoked)."""
        return self.questions(block).state(place)()

    def status_of(self, place: Position, *, block: int | None = None) -> LeafStatus:
        """A leaf's state as of a block; raises ChainUnavailable STATUS_HISTORY_INCOMPLETE."""
        number = self.block_number() if block is None else block
        history = self.status_history(place, block=number)
        if not history:
            return LeafStatus(number, "active", None, None)
        return LeafStatus(number, history[-1].status, history[-1].at, history[-1].reason)

    def status_history(self, place: Position, *, block: int, since: int = 0) -> list[StatusFact]:
        """All status changes of a leaf up to a block.

        Raises ChainUnavailable STATUS_HISTORY_INCOMPLETE where they do not lead to the contract's status word.
        """
        return self.questions(block).status_history(place, self._start(since, block), block)()

    def uses_of(self, consumer: int, request: str, *, block: BlockTag = "latest") -> int:
        """How often a consumer used what it has under a request."""
        return self.questions(block).uses(consumer, request)()

    def use_history(self, consumer: int, request: str, *, block: int, since: int = 0) -> list[UseFact]:
        """All uses of a consumer under a request up to a block.

        Raises ChainUnavailable USE_HISTORY_INCOMPLETE where they do not lead to the contract's counter.
        """
        asked = self.questions(block)
        uses = asked.uses(consumer, request)()
        return asked.use_history(consumer, request, uses, self._start(since, block), block)()

    def withdrawn_at(self, party: int, statement: str, *, block: BlockTag = "latest") -> WithdrawalFact:
        """When a party withdrew a statement for its part; counts only if the statement is the party's."""
        return self.questions(block).withdrawn_at(party, statement)()

    def hold_of(self, statement: str, *, block: BlockTag = "latest") -> Hold:
        """Who holds a statement, and how often that changed."""
        return self.questions(block).hold(statement)()

    def hold_history(self, statement: str, *, block: int, since: int = 0) -> list[HoldFact]:
        """All changes of a statement's holds up to a block.

        Raises ChainUnavailable HOLD_HISTORY_INCOMPLETE where they do not lead to what the contract shows.
        """
        asked = self.questions(block)
        hold = asked.hold(statement)()
        return asked.hold_history(statement, hold, self._start(since, block), block)()
