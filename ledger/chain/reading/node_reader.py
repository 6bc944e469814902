"""Reading the node and what every contract has: blocks, events in block ranges, heads; and the parties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, Deployment, interface_of
from ledger.chain.reading.batched_reads import BlockTag, Questions
from ledger.chain.reading.contract_state import AccountRecord, PartyRecord
from ledger.chain.rpc.answers import Malformed
from ledger.chain.rpc.connection import Block, Connection
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable
from ledger.proof.bundle import ChainId

_HEAD_BYTES: Final = 32
_FOLLOWED: Final = (PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)


class NodeReader:
    """Reads one deployment. Every method asks the node; nothing but unchanging facts is remembered."""

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._connection = client.connection
        self._party_ids: dict[int, str] = {}

    @property
    def connection(self) -> Connection:
        """The node in use."""
        return self._connection

    @property
    def deployment(self) -> Deployment:
        return self._client.deployment

    @property
    def chain(self) -> ChainId:
        """The ledger by its eight values (protocol §1)."""
        return self.deployment.chain

    def questions(self, block: BlockTag) -> Questions:
        """Many questions as of one block, sent together."""
        return Questions(self._client, block)

    @property
    def deploy_block(self) -> int:
        """The first block in which one of the contracts exists."""
        return self.deployment.deploy_block

    def latest(self) -> Block:
        """The newest block; raises ChainUnavailable."""
        return self._present(self._connection.block("latest"), "latest")

    def head_age(self, now: int) -> int:
        """How many seconds old the newest block is at ``now`` (seconds UTC); 0 for a block that is ahead of it."""
        return max(now - self.latest().time, 0)

    def block_number(self) -> int:
        return self._connection.block_number()

    def block(self, number: int) -> Block | None:
        """A block's header, or None where the chain does not reach it."""
        return self._connection.block(number)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Many headers in order; raises ChainUnavailable BLOCK_MISSING if the chain lost one meanwhile."""
        found = self._connection.blocks(numbers)
        return [self._present(block, number) for number, block in zip(numbers, found, strict=True)]

    def first_block_at(self, time: int, last: int) -> int:
        """The first block not before ``time``, between the deployment and ``last``: about log2(blocks) calls."""
        low, high = self.deploy_block, last
        while low < high:
            middle = (low + high) // 2
            if self._present(self.block(middle), middle).time < time:
                low = middle + 1
            else:
                high = middle
        return low

    def events(self, first: int, last: int) -> list[Event]:
        """All events of the three registers in blocks ``first`` to ``last``, both included, in order."""
        return self._events([self.deployment.addresses[name] for name in _FOLLOWED], first, last)

    def _events(self, addresses: Sequence[str], first: int, last: int) -> list[Event]:
        logs = self._connection.logs(addresses, first, last)
        with self._connection.reading("eth_getLogs"):
            return self._client.decoder.decode(logs)

    def head(self, contract: str, scope: str | None = None, *, block: BlockTag = "latest") -> str:
        """A contract's head, or with ``scope`` an asset's: 64 hex digits."""
        return self.heads([(contract, scope)], block=block)[0]

    def heads(self, wanted: Sequence[tuple[str, str | None]], *, block: BlockTag = "latest") -> list[str]:
        """Many heads in the order asked for, as of one block; empty where the contract is not there yet."""
        calls = [
            (
                self.deployment.addresses[contract],
                interface_of(contract).encode_call(*(("headOf", [scope]) if scope else ("head", []))),
            )
            for contract, scope in wanted
        ]
        found = self._connection.call_many(calls, block=block)
        with self._connection.reading("head"):
            return [_head(data) for data in found]

    def party_no(self, identifier: str, *, block: BlockTag = "latest") -> int:
        """A party's number, or 0 where no such party is registered."""
        return int(self._read(PARTY_REGISTRY, "partyNoOf", [identifier], block)[0])

    def party_id(self, number: int) -> str:
        """A party's id; never changes, so it is asked for once. Raises NotFound PARTY_UNKNOWN."""
        if number not in self._party_ids:
            self._party_ids[number] = self.party(number).id
        return self._party_ids[number]

    def party(self, number: int, *, block: BlockTag = "latest") -> PartyRecord:
        """Raises NotFound PARTY_UNKNOWN."""
        return self.questions(block).party(number)()

    def account(self, account: str, *, block: BlockTag = "latest") -> AccountRecord | None:
        """An account that is or was bound to a party, else None."""
        return self.questions(block).account(account)()

    def accreditation(self, number: int, scenario: str, *, block: BlockTag = "latest") -> tuple[int, int]:
        """From when to when a party may issue under a scenario; (0, 0) if never."""
        return self.questions(block).accreditation(number, scenario)()

    def _read(self, contract: str, function: str, args: Sequence[Any], block: BlockTag) -> list[Any]:
        return self._client.read(contract, function, args, block=block)

    def _start(self, since: int, block: int) -> int:
        return self.first_block_at(since, block) if since else self.deploy_block

    def _present(self, block: Block | None, number: BlockTag) -> Block:
        if block is None:
            raise ChainUnavailable(
                "BLOCK_MISSING",
                f"The node has no block {number}.",
                where=self._connection.where,
                hint="The node is behind or its chain was reset; wait until it is in sync.",
            )
        return block


def _head(data: bytes) -> str:
    if len(data) not in (0, _HEAD_BYTES):
        raise Malformed("a head of 32 bytes is expected")
    return data.hex()
