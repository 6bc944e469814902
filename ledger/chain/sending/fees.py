"""Chooses the gas price of a transaction, and finds out why a node refused a transaction.

On a chain with a base fee, the offered price is twice the base fee plus the tip that the node asks for. Twice, because
the base fee may rise before the transaction is mined. If the base fee is zero, the first offer is zero: on many
permissioned chains the accounts have no money at all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ledger.chain.rpc.answers import Malformed
from ledger.chain.rpc.connection import Connection, RpcFault

# The highest price (wei for one unit of gas) that is paid. No honest node asks for more. Without this limit, a
# dishonest node could name a price that takes all the sender's money.
MAX_GAS_PRICE: Final = 10**14
TIP_SECONDS: Final = 60
_MINIMUM: Final = re.compile(r"minimum needed (\d{1,20})")


class Refusal(Enum):
    """The reason why a node refused a transaction.

    JSON-RPC has no codes for the reasons, and each node has its own texts.
    """

    KNOWN = auto()
    NONCE_USED = auto()
    NONCE_TAKEN = auto()
    NONCE_AHEAD = auto()
    FEE = auto()
    CHAIN = auto()
    OTHER = auto()


# The patterns are tried in this order, and the first that fits counts. The order matters, because nodes also say
# "underpriced" if the fee of a replacement is too low.
_WORDINGS: Final[Mapping[Refusal, str]] = {
    Refusal.KNOWN: r"already ?known|known transaction|same hash|already imported|tx already ",
    Refusal.NONCE_TAKEN: r"replacement transaction|replacement_underpriced|replacement ?not ?allowed"
    r"|could not replace existing tx|same nonce in the queue|fee bump",
    Refusal.NONCE_USED: r"nonce[ _]too[ _]low|nonce has already been used|nonce is too low"
    r"|doesn't have the correct nonce|old ?nonce|invalid nonce|account sequence mismatch|incorrect account sequence",
    Refusal.NONCE_AHEAD: r"nonce[ _]too[ _]high|too[ _]far[ _]in[ _](the )?future|nonce ?gap",
    Refusal.CHAIN: r"chain[ _]?id|wrong chain",
    Refusal.FEE: r"underpriced|less than block base fee|too low for the next block"
    r"|price (lower than|below) the minimum|below configured minimum|minimal gas price|minimum gas price|min gas price"
    r"|fee[ _]?too[ _]?low|insufficient fee|gas price (is )?too low|gasprice is less|gas_price_too_low"
    r"|fee per gas too low|fee per gas cannot be lower|fee cap (less than|too low)",
}


def refusal_of(fault: RpcFault) -> Refusal:
    """Return why a node refused a transaction, recognised from the words of the node's message."""
    message = fault.message.lower()
    return next((kind for kind, wording in _WORDINGS.items() if re.search(wording, message)), Refusal.OTHER)


@dataclass(frozen=True, slots=True)
class Fees:
    """The offered price for one unit of gas, in wei: at most ``cap`` is paid, and ``tip`` of it goes to the block's
    producer.

    ``tip`` is None on a chain without a base fee.
    """

    cap: int
    tip: int | None

    def fields(self) -> dict[str, int]:
        """Return the offer as fields of a transaction."""
        if self.tip is None:
            return {"gasPrice": self.cap}
        return {"maxFeePerGas": self.cap, "maxPriorityFeePerGas": self.tip}

    def at_least(self, other: Fees) -> Fees:
        """Return an offer with the higher cap and the higher tip of the two offers."""
        if self.tip is None or other.tip is None:
            return Fees(max(self.cap, other.cap), self.tip)
        return Fees(max(self.cap, other.cap), max(self.tip, other.tip))

    def raised(self) -> Fees:
        """Return an offer that is one eighth higher, but at least one wei higher.

        Nodes replace a waiting transaction only if the new offer is that much higher.
        """
        tip = None if self.tip is None else _raised(self.tip)
        return Fees(max(_raised(self.cap), tip or 0), tip)


class FeeSource:
    """Reads the fees that one node asks for. The tip is read at most once a minute. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tip = 0
        self._floor = 0
        self._asked_at: float | None = None

    def now(self) -> Fees:
        """Return the offer for a new transaction. Sends one request to the node, and once a minute a second request."""
        return self._offer(lambda base_fee: 2 * base_fee)

    def least(self) -> Fees:
        """Return the lowest offer that the next block can include.

        A transaction with this offer cannot replace a waiting transaction that offers the usual fee.
        """
        return self._offer(lambda base_fee: _raised(base_fee) if base_fee else 0)

    def _offer(self, share_of: Callable[[int], int]) -> Fees:
        base_fee = self._base_fee()
        if base_fee is None:
            return Fees(self._plausible("eth_gasPrice", self._connection.gas_price()), None)
        tip = max(self._asked_tip(base_fee), self._floor) if base_fee else self._floor
        return Fees(share_of(base_fee) + tip, tip)

    def after(self, refused: Fees, fault: RpcFault) -> Fees:
        """Return a higher offer after a node refused an offer. For a minute, all new offers have at least the tip of
        this higher offer.
        """
        price = self._plausible("eth_gasPrice", self._connection.gas_price())
        needed = self._needed(fault)
        base_fee = self._base_fee()
        if base_fee is None or refused.tip is None:
            return Fees(max(price, needed, _raised(refused.cap)), None)
        self._asked_at = None
        # Offer the tip that the node asks for, but at least twice the refused tip, so that the node soon accepts the
        # transaction.
        tip = max(self._asked_tip(base_fee), price - base_fee, needed, 2 * refused.tip, 1)
        self._floor = self._plausible("eth_maxPriorityFeePerGas", tip)
        return Fees(2 * base_fee + tip, tip)

    def _needed(self, fault: RpcFault) -> int:
        found = _MINIMUM.search(fault.message)
        return self._plausible(fault.method, int(found[1])) if found else 0

    def _base_fee(self) -> int | None:
        block = self._connection.block("latest")
        with self._connection.reading("eth_getBlockByNumber"):
            if block is None:
                raise Malformed("a newest block is expected")
        return None if block.base_fee is None else self._plausible("eth_getBlockByNumber", block.base_fee)

    def _asked_tip(self, base_fee: int) -> int:
        now, asked_at = time.monotonic(), self._asked_at
        if asked_at is None or now - asked_at >= TIP_SECONDS:
            tip = self._connection.tip()
            if tip is None:
                tip = max(self._connection.gas_price() - base_fee, 0)
            self._tip, self._floor = self._plausible("eth_maxPriorityFeePerGas", tip), 0
            self._asked_at = now
        return self._tip

    def _plausible(self, method: str, price: int) -> int:
        with self._connection.reading(method):
            if price > MAX_GAS_PRICE:
                raise Malformed("a plausible price of gas is expected")
        return price


def _raised(price: int) -> int:
    return price + max(-(-price // 8), 1)
