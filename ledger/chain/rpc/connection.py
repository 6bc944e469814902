"""The JSON-RPC calls that every Ethereum node offers, with typed answers.

Each request has a limit on its total time and on the size of its answer (``ledger.chain.rpc.transport``).
``ledger.chain.rpc.answers`` checks that each answer has the right form for the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
from ledger.errors import ChainUnavailable

__all__ = ["Block", "Connection", "RpcFault", "bare", "block_tag", "call_parameters", "unhex"]

_T = TypeVar("_T")


class Connection(Rpc):
    """One node, with typed answers. The constructor sends nothing; many threads may use one connection."""

    def _ask(self, read: Callable[[Any], _T], method: str, *params: Any) -> _T:
        raw = self.ask(method, *params)
        with self.reading(method):
            return read(raw)

    def _request(self, read: Callable[[Any], _T], method: str, *params: Any) -> _T:
        raw = self.request(method, *params)
        with self.reading(method):
            return read(raw)

    def chain_id(self) -> int:
        """Return the chain's id."""
        return self._ask(quantity, "eth_chainId")

    def block_number(self) -> int:
        """Return the number of the newest block."""
        return self._ask(quantity, "eth_blockNumber")

    def block(self, number: int | str = "latest") -> Block | None:
        """Return the header of the block with a number or tag, or None if the chain is shorter."""
        wanted = number if isinstance(number, int) else None
        return self._ask(lambda raw: block_of(raw, wanted), "eth_getBlockByNumber", block_tag(number), False)

    def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Return many block headers in the given order. None stands for a block that the chain has not reached."""
        found = self.ask_many([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        with self.reading("eth_getBlockByNumber"):
            return [block_of(raw, number) for number, raw in zip(numbers, found, strict=True)]

    def require_block(self, block: Block | None, number: int | str) -> Block:
        """Return ``block``, or raise ChainUnavailable BLOCK_MISSING if the node has no block with this ``number``."""
        if block is None:
            hint = "The node is behind or its chain was reset; wait until the node is in sync."
            raise ChainUnavailable("BLOCK_MISSING", f"The node has no block {number}.", where=self.where, hint=hint)
        return block

    def call_many(self, calls: Sequence[tuple[str, bytes]], *, block: int | str = "latest") -> list[bytes]:
        """Return the results of many calls of view functions. Each call is a pair of address and call data. Raises
        ChainUnavailable if a call reverts.
        """
        found = self.ask_many([("eth_call", call_parameters(to, data, block)) for to, data in calls])
        with self.reading("eth_call"):
            return [octets(result) for result in found]

    def code(self, address: str) -> bytes:
        """Return the code at an address, empty if there is no contract."""
        return self._ask(octets, "eth_getCode", address, "latest")

    def transaction_count(self, address: str, block: str = "pending") -> int:
        """Return how many transactions of an account are mined (``latest``), or are mined or waiting (``pending``)."""
        return self._ask(quantity, "eth_getTransactionCount", address, block)

    def pending_nonces(self, address: str) -> set[int] | None:
        """Return the nonces of an account's transactions in the pending block, or None if the node shows no pending
        block.
        """
        try:
            return self._request(lambda raw: pending_nonces_of(raw, address), "eth_getBlockByNumber", "pending", True)
        except RpcFault:
            return None

    def balance(self, address: str) -> int:
        """Return an account's balance in wei."""
        return self._ask(_word, "eth_getBalance", address, "latest")

    def gas_price(self) -> int:
        """Return the price of one unit of gas, in wei, that the node proposes."""
        return self._ask(_word, "eth_gasPrice")

    def tip(self) -> int | None:
        """Return the tip for one unit of gas, in wei, that the node proposes; None if the node proposes no tip."""
        try:
            return self._request(_word, "eth_maxPriorityFeePerGas")
        except RpcFault:
            return None

    def call(self, to: str, data: bytes, *, sender: str | None = None, block: int | str = "latest") -> bytes:
        """Simulate a call at the node and return its return data. Nothing is sent to the chain. Raises RpcFault if the
        call reverts.
        """
        return self._request(octets, "eth_call", _transaction(to, data, sender), block_tag(block))

    def estimate_gas(self, to: str | None, data: bytes, *, sender: str) -> int:
        """Return the gas that a transaction would use; raises RpcFault if the transaction would revert."""
        return self._request(quantity, "eth_estimateGas", _transaction(to, data, sender))

    def send_raw(self, transaction: bytes) -> str:
        """Send a signed transaction to the node and return its hash.

        Raises RpcFault if the node refuses the transaction.
        """
        return self._request(hash_of, "eth_sendRawTransaction", "0x" + transaction.hex())

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        """Return the receipt of a transaction, or None if no block contains the transaction yet."""
        return self._ask(lambda raw: receipt_of(raw, tx_hash), "eth_getTransactionReceipt", "0x" + tx_hash)

    def transaction(self, tx_hash: str) -> dict[str, Any] | None:
        """Return a transaction that is mined or waits for a block, or None if the node does not know the
        transaction.
        """
        return self._ask(lambda raw: transaction_of(raw, tx_hash), "eth_getTransactionByHash", "0x" + tx_hash)


def bare(value: str) -> str:
    """Return hex digits in lower case, without ``0x``."""
    return value.removeprefix("0x").lower()


def unhex(value: str) -> bytes:
    """Return the bytes of hex digits with or without ``0x``."""
    return bytes.fromhex(value.removeprefix("0x"))


def block_tag(block: int | str) -> str:
    """Return a block number or tag in the form that JSON-RPC expects."""
    return hex(block) if isinstance(block, int) else block


def call_parameters(to: str, data: bytes, block: int | str) -> list[Any]:
    """Return the parameters of an ``eth_call`` as of a block."""
    return [_transaction(to, data, None), block_tag(block)]


def _word(value: Any) -> int:
    return quantity(value, MAX_WORD)


def _transaction(to: str | None, data: bytes, sender: str | None) -> dict[str, str]:
    transaction = {"data": "0x" + data.hex()}
    if to is not None:
        transaction["to"] = to
    if sender is not None:
        transaction["from"] = sender
    return transaction
