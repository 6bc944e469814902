"""Simulates a node's pool of waiting transactions, with fees, nonces, replacements, missing nonces and losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from rlp import decode as rlp_decode

from tests.support.chain.faulty_node import Call, Refusal

_LEGACY_BYTE: Final = 0x7F
_BUMP_PERCENT: Final = 10
BLOCK_HASH: Final = "0x" + "11" * 32


@dataclass(frozen=True, slots=True)
class Pooled:
    """A received transaction: its fees and its content."""

    hash: str
    nonce: int
    cap: int
    tip: int
    effect: tuple[str, str, int, int]

    @property
    def plain(self) -> bool:
        """Return whether the transaction transfers no money and calls no contract, like a transaction that only fills a
        missing nonce.
        """
        return self.effect[1:3] == ("", 0)


def pooled(raw: bytes) -> Pooled:
    """Decode a transaction; ``effect`` is the receiver, the data, the value and the gas limit."""
    tx_hash = keccak(raw).hex()
    if raw[0] > _LEGACY_BYTE:
        nonce, price, gas, to, value, data, *_ = rlp_decode(raw)
        number = int.from_bytes
        effect = ("0x" + to.hex(), data.hex(), number(value), number(gas))
        return Pooled(tx_hash, number(nonce), number(price), number(price), effect)
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    effect = ("0x" + bytes(fields["to"]).hex(), bytes(fields["data"]).hex(), fields["value"], fields["gas"])
    return Pooled(tx_hash, fields["nonce"], fields["maxFeePerGas"], fields["maxPriorityFeePerGas"], effect)


class Pool:
    """Answers calls like a node with a pool of transactions from one sender. While ``mining`` is true, each transaction
    is mined at once.

    The method eth_getTransactionCount with ``pending`` counts waiting transactions as ``counts`` says: those that can
    be mined (``executable``), also those after a missing nonce (``all``), or none of them (``none``).
    """

    def __init__(self, key: bytes, *, base_fee: int | None = 7, min_tip: int = 1, asked_tip: int | None = 1) -> None:
        self.address = Account.from_key(key).address.lower()
        self.base_fee = base_fee
        self.min_tip = min_tip
        self.asked_tip = asked_tip
        self.gas_price = 10**9
        self.mining = True
        self.counts = "executable"
        self.refusing: Refusal | None = None
        self.mined: list[Pooled] = []
        self.waiting: dict[int, Pooled] = {}
        self.came: list[Pooled] = []
        self._start = 5

    @property
    def height(self) -> int:
        return self._start + len(self.mined)

    def answer(self, call: Call) -> Any:
        name = call["method"].removeprefix("eth_")
        return getattr(self, f"_{name}")(*call["params"])

    def lose(self, *nonces: int) -> None:
        """Forget these transactions, like a node that was restarted."""
        for nonce in nonces:
            self.waiting.pop(nonce)

    def mine(self) -> None:
        """Mine all transactions that can be mined, each in its own block."""
        while (ready := self.waiting.get(self.height)) and ready.cap >= (self.base_fee or 0):
            self.waiting.pop(ready.nonce)
            self.mined.append(ready)

    def _executable(self) -> list[Pooled]:
        found: list[Pooled] = []
        while (each := self.waiting.get(self.height + len(found))) is not None:
            found.append(each)
        return found

    def _sendRawTransaction(self, raw: str) -> str:  # noqa: N802 (the node's name)
        made = pooled(bytes.fromhex(raw[2:]))
        self.came.append(made)
        if self.refusing is not None:
            raise self.refusing
        self._check(made)
        self.waiting[made.nonce] = made
        if self.mining:
            self.mine()
        return "0x" + made.hash

    def _check(self, made: Pooled) -> None:
        if made.nonce < self.height:
            raise Refusal(f"nonce too low: next nonce {self.height}, tx nonce {made.nonce}")
        if made.tip < self.min_tip:
            raise Refusal(f"transaction underpriced: gas tip cap {made.tip}, minimum needed {self.min_tip}")
        if made.cap < (self.base_fee or 0):
            raise Refusal(f"max fee per gas less than block base fee: maxFeePerGas: {made.cap}")
        old = self.waiting.get(made.nonce)
        if old is not None and old.hash == made.hash:
            raise Refusal("already known")
        if old is not None and any(
            100 * new < (100 + _BUMP_PERCENT) * known for new, known in ((made.cap, old.cap), (made.tip, old.tip))
        ):
            raise Refusal("replacement transaction underpriced")

    def _getTransactionCount(self, address: str, block: str) -> str:  # noqa: N802
        if block == "latest" or self.counts == "none":
            return hex(self.height)
        if self.counts == "all" and self.waiting:
            return hex(max(self.waiting) + 1)
        return hex(self.height + len(self._executable()))

    def _getBlockByNumber(self, number: str, full: bool) -> Any:  # noqa: N802
        if number == "pending":
            shown = [{"from": self.address, "nonce": hex(each.nonce)} for each in self._executable()]
            return {"number": hex(self.height), "hash": None, "transactions": shown}
        header = {"number": "0x10", "hash": BLOCK_HASH, "parentHash": "0x" + "22" * 32, "timestamp": "0x65"}
        base = {} if self.base_fee is None else {"baseFeePerGas": hex(self.base_fee)}
        return {**header, "gasLimit": "0x1c9c380", **base}

    def _getTransactionReceipt(self, tx_hash: str) -> Any:  # noqa: N802
        if all(each.hash != tx_hash[2:] for each in self.mined):
            return None
        block = {"blockNumber": "0x10", "blockHash": BLOCK_HASH}
        return {"transactionHash": tx_hash, **block, "status": "0x1", "gasUsed": "0x5208", "logs": []}

    def _getTransactionByHash(self, tx_hash: str) -> Any:  # noqa: N802
        found = next((each for each in (*self.waiting.values(), *self.mined) if each.hash == tx_hash[2:]), None)
        if found is None:
            return None
        block = "0x10" if found in self.mined else None
        return {"hash": tx_hash, "from": self.address, "nonce": hex(found.nonce), "input": "0x", "blockNumber": block}

    def _maxPriorityFeePerGas(self) -> str:  # noqa: N802
        if self.asked_tip is None:
            raise Refusal("the method eth_maxPriorityFeePerGas does not exist/is not available", -32601)
        return hex(self.asked_tip)

    def _gasPrice(self) -> str:  # noqa: N802
        return hex(self.gas_price)

    def _estimateGas(self, *_: Any) -> str:  # noqa: N802
        return "0x5208"

    def _getBalance(self, *_: Any) -> str:  # noqa: N802
        return hex(10**27)
