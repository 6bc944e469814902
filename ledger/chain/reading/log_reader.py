"""Reads the certificate log: batches, status, withdrawals and holds."""

from __future__ import annotations

from typing import Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.reading.batched_calls import BlockTag
from ledger.chain.reading.contract_state import AnchoredBatch, Hold, LeafStatus
from ledger.chain.reading.node_reader import NodeReader
from ledger.chain.rpc.answers import Malformed, quantity
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, WithdrawalFact
from ledger.proof.head import event_digest

_ANCHORED: Final = f"{CERTIFICATE_LOG}.Anchored"


class LogReader(NodeReader):
    """The methods of ``ChainReader`` that concern the certificate log.

    Issuers and parties are given by their numbers, statements by their digests (64 hex digits).
    """

    def batch_count(self, issuer: int, *, block: BlockTag = "latest") -> int:
        """Return how many batches an issuer's log has, which is also the number of its next batch."""
        return self.batched(block).batch_count(issuer)()

    def commitment(self, issuer: int, batch: int, *, block: BlockTag = "latest") -> str | None:
        """Return the anchor commitment of a batch, or None if the batch is not anchored."""
        return self.batched(block).commitment(issuer, batch)()

    def anchored(self, issuer: int, batch: int) -> AnchoredBatch | None:
        """Return a batch's anchor from its event, or None if the batch is not anchored.

        The event is compared with the commitment in the contract. A node that hides or changes the event is therefore
        noticed.
        """
        last = self.block_number()
        reads = self.batched(last)
        commitment = reads.commitment(issuer, batch)
        found = reads.events(CERTIFICATE_LOG, "Anchored", self.deploy_block, last, issuer=issuer, batch=batch)()
        kept = commitment()
        with self.connection.reading("eth_getLogs"):
            if [event_digest(_ANCHORED, event.args).hex() for event in found] != ([kept] if kept else []):
                raise Malformed("the one event of the anchor that the contract keeps is expected")
        if not found:
            return None
        event = found[0]
        receipt = self.connection.receipt(event.tx_hash)
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

    def status_of(self, place: Position, *, block: int | None = None) -> LeafStatus:
        """Return the status of the certificate at a position, as of a block (by default the newest).

        Raises ChainUnavailable STATUS_HISTORY_INCOMPLETE.
        """
        number = self.block_number() if block is None else block
        history = self.batched(number).status_history(place, self.deploy_block, number)()
        if not history:
            return LeafStatus(number, "active", None, None)
        return LeafStatus(number, history[-1].status, history[-1].at, history[-1].reason)

    def withdrawn_at(self, party: int, statement: str, *, block: BlockTag = "latest") -> WithdrawalFact:
        """Return the times at which a party withdrew a statement.

        Any party can record a withdrawal of any statement, but only a withdrawal by the statement's signer counts.
        """
        return self.batched(block).withdrawn_at(party, statement)()

    def hold_of(self, statement: str, *, block: BlockTag = "latest") -> Hold:
        """Return the roles (authority, supervisor) that have placed a hold on a statement, and how often its holds
        changed.
        """
        return self.batched(block).hold(statement)()

    def hold_history(self, statement: str, *, block: int) -> list[HoldFact]:
        """Return all changes of a statement's holds up to a block.

        Raises ChainUnavailable HOLD_HISTORY_INCOMPLETE if the changes do not lead to the holds that the contract shows.
        """
        reads = self.batched(block)
        return reads.hold_history(statement, reads.hold(statement)(), self.deploy_block, block)()
