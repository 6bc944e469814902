"""Reads blocks, events in block ranges, the heads of the contracts (running digests of their events), and parties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, interface_of
from ledger.chain.reading.batched_calls import BlockTag
from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import AccountRecord, PartyRecord
from ledger.chain.rpc.answers import Malformed
from ledger.chain.rpc.connection import Block
from ledger.chain.sending.client import ChainClient

_HEAD_BYTES: Final = 32
_FOLLOWED: Final = (PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)


class NodeReader:
    """Reads one deployment. Every method asks the node; only data that can never change are kept in memory.

    ``chain`` has the eight values that identify the ledger (protocol §1). ``deploy_block`` is the number of the first
    block in which one of the contracts exists.
    """

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self.connection = client.connection
        self.deployment = client.deployment
        self.chain = client.deployment.chain
        self.deploy_block = client.deployment.deploy_block
        self._party_ids: dict[int, str] = {}

    def batched(self, block: BlockTag) -> BatchedReads:
        """Return an object that reads as of one block and sends its reads to the node together."""
        return BatchedReads(self._client, block)

    def latest(self) -> Block:
        """Return the newest block; raises ChainUnavailable."""
        return self.connection.require_block(self.connection.block("latest"), "latest")

    def head_age(self, now: int) -> int:
        """Return how many seconds old the newest block is at ``now`` (seconds UTC); 0 if the block's time is later."""
        return max(now - self.latest().time, 0)

    def block_number(self) -> int:
        """Return the number of the newest block."""
        return self.connection.block_number()

    def block(self, number: int) -> Block | None:
        """Return a block's header, or None if the chain is shorter."""
        return self.connection.block(number)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Return many block headers in the given order; raises ChainUnavailable BLOCK_MISSING if one is missing."""
        found = zip(numbers, self.connection.blocks(numbers), strict=True)
        return [self.connection.require_block(block, number) for number, block in found]

    def events(self, first: int, last: int) -> list[Event]:
        """Return all events of the party registry, the asset registry and the certificate log, in the order of the
        chain.

        Blocks ``first`` to ``last`` are covered, both included.
        """
        return self._events([self.deployment.addresses[name] for name in _FOLLOWED], first, last)

    def _events(self, addresses: Sequence[str], first: int, last: int) -> list[Event]:
        logs = self.connection.logs(addresses, first, last)
        with self.connection.reading("eth_getLogs"):
            return self._client.decoder.decode(logs)

    def head(self, contract: str, scope: str | None = None, *, block: BlockTag = "latest") -> str:
        """Return the head (running digest of events) of a contract, or of the asset with the id ``scope``."""
        return self.heads([(contract, scope)], block=block)[0]

    def heads(self, wanted: Sequence[tuple[str, str | None]], *, block: BlockTag = "latest") -> list[str]:
        """Return many heads (running digests of events) in the given order, as of one block. If a contract did not
        exist at that block, its head is "".
        """
        calls = [
            (
                self.deployment.addresses[contract],
                interface_of(contract).encode_call(*(("headOf", [scope]) if scope else ("head", []))),
            )
            for contract, scope in wanted
        ]
        found = self.connection.call_many(calls, block=block)
        with self.connection.reading("head"):
            return [_head(data) for data in found]

    def party_no(self, identifier: str, *, block: BlockTag = "latest") -> int:
        """Return the number of the party with this id, or 0 if no such party is registered."""
        return self.batched(block).party_no(identifier)()

    def party_id(self, number: int) -> str:
        """Return the id of the party with a number. Raises NotFound PARTY_UNKNOWN. Each id is read from the node only
        once.
        """
        if number not in self._party_ids:
            self._party_ids[number] = self.party(number).id
        return self._party_ids[number]

    def party(self, number: int, *, block: BlockTag = "latest") -> PartyRecord:
        """Return the party with this number; raises NotFound PARTY_UNKNOWN."""
        return self.batched(block).party(number)()

    def account(self, account: str, *, block: BlockTag = "latest") -> AccountRecord | None:
        """Return an account that is or was bound to a party, or None for any other account."""
        return self.batched(block).account(account)()

    def accreditation(self, number: int, scenario: str, *, block: BlockTag = "latest") -> tuple[int, int]:
        """Return when a party's accreditation for a scenario begins, and the first second after it; (0, 0) if there is
        none.
        """
        return self.batched(block).accreditation(number, scenario)()


def _head(data: bytes) -> str:
    if len(data) not in (0, _HEAD_BYTES):
        raise Malformed("a head of 32 bytes is expected")
    return data.hex()
