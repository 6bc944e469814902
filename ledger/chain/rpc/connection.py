"""One node's answers to the calls that every engine has, as values of their types.

Each request has a total time and a bound on the bytes of its answer (``ledger.chain.rpc.transport``), and each answer
is taken only for what the call returns (``ledger.chain.rpc.answers``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.chain.rpc.answers import (
    MAX_WORD,
    Block,
    block_of,
    hash_of,
    octets,
    pending_nonces_of,
    quantity,
    receipt_of,
    transaction_of,
)
from ledger.chain.rpc.json_rpc import Rpc
from ledger.chain.rpc.node_failures import RpcFault

__all__ = ["Block", "Connection", "RpcFault", "bare", "block_tag", "call_parameters", "unhex"]


class Connection(Rpc):
    """One node, read in types. The constructor does no network; may be used by many threads."""

    def chain_id(self) -> int:
        with self.reading("eth_chainId"):
            return quantity(self.ask("eth_chainId"))

    def block_number(self) -> int:
        with self.reading("eth_blockNumber"):
            return quantity(self.ask("eth_blockNumber"))

    def block(self, number: int | str = "latest") -> Block | None:
        """A block by number or tag, or None where the chain has none yet."""
        raw = self.ask("eth_getBlockByNumber", block_tag(number), False)
        with self.reading("eth_getBlockByNumber"):
            return block_of(raw, number if isinstance(number, int) else None)

    def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Many blocks in the order asked for."""
        found = self.ask_many([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        with self.reading("eth_getBlockByNumber"):
            return [block_of(raw, number) for number, raw in zip(numbers, found, strict=True)]

    def call_many(self, calls: Sequence[tuple[str, bytes]], *, block: int | str = "latest") -> list[bytes]:
        """Many view calls (address, call data) in the order asked for; raises ChainUnavailable if one reverts."""
        found = self.ask_many([("eth_call", call_parameters(to, data, block)) for to, data in calls])
        with self.reading("eth_call"):
            return [octets(result) for result in found]

    def code(self, address: str) -> bytes:
        raw = self.ask("eth_getCode", address, "latest")
        with self.reading("eth_getCode"):
            return octets(raw)

    def transaction_count(self, address: str, block: str = "pending") -> int:
        """How many transactions an account has sent: those that are mined with ``latest``, else those that wait too."""
        raw = self.ask("eth_getTransactionCount", address, block)
        with self.reading("eth_getTransactionCount"):
            return quantity(raw)

    def pending_nonces(self, address: str) -> set[int] | None:
        """The nonces of an account's transactions in the block to come, None where the node does not show that."""
        try:
            raw = self.request("eth_getBlockByNumber", "pending", True)
        except RpcFault:
            return None
        with self.reading("eth_getBlockByNumber"):
            return pending_nonces_of(raw, address)

    def balance(self, address: str) -> int:
        """What an account has to pay for gas with, in wei."""
        raw = self.ask("eth_getBalance", address, "latest")
        with self.reading("eth_getBalance"):
            return quantity(raw, MAX_WORD)

    def gas_price(self) -> int:
        raw = self.ask("eth_gasPrice")
        with self.reading("eth_gasPrice"):
            return quantity(raw, MAX_WORD)

    def tip(self) -> int | None:
        """What a block's maker asks for beyond the base fee, in wei for each gas; None where the node does not say."""
        try:
            raw = self.request("eth_maxPriorityFeePerGas")
        except RpcFault:
            return None
        with self.reading("eth_maxPriorityFeePerGas"):
            return quantity(raw, MAX_WORD)

    def call(self, to: str, data: bytes, *, sender: str | None = None, block: int | str = "latest") -> bytes:
        """What a call would return. Raises RpcFault on a revert."""
        raw = self.request("eth_call", _transaction(to, data, sender), block_tag(block))
        with self.reading("eth_call"):
            return octets(raw)

    def estimate_gas(self, to: str | None, data: bytes, *, sender: str) -> int:
        """Raises RpcFault on a revert."""
        raw = self.request("eth_estimateGas", _transaction(to, data, sender))
        with self.reading("eth_estimateGas"):
            return quantity(raw)

    def send_raw(self, transaction: bytes) -> str:
        """Hand a signed transaction over; returns its hash. Raises RpcFault where the node refuses it."""
        raw = self.request("eth_sendRawTransaction", "0x" + transaction.hex())
        with self.reading("eth_sendRawTransaction"):
            return hash_of(raw)

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        """The receipt of a transaction, None while it has no block."""
        raw = self.ask("eth_getTransactionReceipt", "0x" + tx_hash)
        with self.reading("eth_getTransactionReceipt"):
            return receipt_of(raw, tx_hash)

    def transaction(self, tx_hash: str) -> dict[str, Any] | None:
        """A transaction that the node knows, mined or waiting, or None."""
        raw = self.ask("eth_getTransactionByHash", "0x" + tx_hash)
        with self.reading("eth_getTransactionByHash"):
            return transaction_of(raw, tx_hash)


def bare(value: str) -> str:
    """Hex digits without ``0x``, lower case."""
    return value.removeprefix("0x").lower()


def unhex(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))


def block_tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def call_parameters(to: str, data: bytes, block: int | str) -> list[Any]:
    """The parameters of an ``eth_call`` as of a block."""
    return [_transaction(to, data, None), block_tag(block)]


def _transaction(to: str | None, data: bytes, sender: str | None) -> dict[str, str]:
    transaction = {"data": "0x" + data.hex()}
    if to is not None:
        transaction["to"] = to
    if sender is not None:
        transaction["from"] = sender
    return transaction
