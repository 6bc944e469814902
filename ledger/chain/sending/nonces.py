"""The nonces of one account: which is next, which transactions wait, and what to do about one that waits too long.

A node mines the transactions of an account in the order of their nonces. Where one was lost, all that follow wait for
good: it is handed over again, or, if nobody knows it any more, its place is filled with a transaction that moves
nothing to the account itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from ledger.chain.rpc.connection import Connection, RpcFault
from ledger.chain.sending.fees import Fees, FeeSource, Refusal, refusal_of
from ledger.errors import ChainUnavailable, PingzhengError

REPLACEMENTS: Final = 3
MAX_GAP: Final = 64
FILL_SECONDS: Final = 10
_PLAIN_GAS: Final = 21_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a transaction is to do; ``gas`` is its limit. ``announce`` gets each hash before the node does."""

    to: str | None
    data: bytes
    gas: int
    announce: Callable[[str], None] | None = None


@dataclass(slots=True)
class Sent:
    """A transaction that was handed over, with the hashes of all its versions, the oldest first."""

    wanted: Wanted
    nonce: int
    fees: Fees
    raw: bytes
    hashes: list[str] = field(default_factory=list)

    @property
    def newest(self) -> str:
        return self.hashes[-1]


Signer = Callable[[Wanted, int, Fees], tuple[bytes, str]]


class Nonces:
    """The nonces of one account. Its methods are called by one thread at a time, but ``mined`` and ``forget``."""

    def __init__(self, connection: Connection, address: str, fees: FeeSource, signed: Signer) -> None:
        self._connection = connection
        self._address = address
        self._fees = fees
        self._signed = signed
        self._next: int | None = None
        self._waiting: dict[int, Sent] = {}
        self._filled_at: float | None = None

    def reserved(self, wanted: Wanted, fees: Fees) -> Sent:
        """The transaction with the next nonce, signed and not handed over."""
        nonce = self._next
        if nonce is None:
            nonce = self._next = self._connection.transaction_count(self._address)
        raw, tx_hash = self._signed(wanted, nonce, fees)
        return Sent(wanted, nonce, fees, raw, [tx_hash])

    def taken(self, sent: Sent) -> None:
        """The node has it."""
        self._next = sent.nonce + 1
        self._waiting[sent.nonce] = sent

    def refused(self, nonce: int, kind: Refusal) -> None:
        """The node did not take the nonce, or not this transaction with it."""
        if kind in (Refusal.NONCE_USED, Refusal.NONCE_TAKEN):
            # A node may not count what waits; this one has been taken all the same.
            self._next = max(self._connection.transaction_count(self._address), nonce + 1)
        elif kind is not Refusal.FEE:
            self.forget()

    def mined(self, sent: Sent) -> None:
        """One of its versions is in a block."""
        self._waiting.pop(sent.nonce, None)

    def forget(self) -> None:
        """Ask the node for the next nonce before the next transaction."""
        self._next = None

    def unstick(self, nonce: int) -> None:
        """Of the transactions up to ``nonce`` that wait, offer more for the first; hand the others over again, and
        fill the gaps."""
        mined, waiting = self._counts()
        missing = self._missing(mined, waiting, nonce)
        for each in range(mined, min(nonce + 1, mined + MAX_GAP)):
            own = self._waiting.get(each)
            if own is None and each in missing:
                self._fill(each)
            elif own is not None and each == mined:
                self._replace(own)
            elif own is not None:
                self._hand_over(own.raw)

    def fill_before(self, nonce: int) -> None:
        """Fill the gaps before a transaction that waits and that this process or an earlier one sent; looks again
        only after a while."""
        now = time.monotonic()
        if self._filled_at is not None and now - self._filled_at < FILL_SECONDS:
            return
        self._filled_at = now
        mined, waiting = self._counts()
        while mined < nonce and (missing := self._missing(mined, waiting, nonce)):
            for each in sorted(missing - self._waiting.keys()):
                self._fill(each)
            before = waiting
            mined, waiting = self._counts()
            if waiting <= before:
                return

    def _counts(self) -> tuple[int, int]:
        """How many of the account's transactions are mined, and how many with those that wait."""
        mined = self._connection.transaction_count(self._address, "latest")
        waiting = self._connection.transaction_count(self._address)
        for nonce in [each for each in self._waiting if each < mined]:
            self._waiting.pop(nonce, None)
        return mined, max(mined, waiting)

    def _missing(self, mined: int, waiting: int, before: int) -> set[int]:
        """Nonces below ``before`` that no transaction has, as far as the node shows it.

        A node that counts only what can be mined stops at the first gap. Another one counts what waits behind it too,
        and shows in its next block which can be mined.
        """
        if waiting < before:
            return {waiting}
        if waiting == mined:
            return set()
        shown = self._connection.pending_nonces(self._address)
        if shown is None:
            return set()
        return set(range(mined, min(before, waiting, mined + MAX_GAP))) - shown

    def _fill(self, nonce: int) -> None:
        """The least fee that can be mined: where a transaction has the nonce after all, the node refuses this one."""
        raw, tx_hash = self._signed(Wanted(self._address, b"", _PLAIN_GAS), nonce, self._fees.least())
        if self._hand_over(raw):
            log.warning("nonce_gap_filled", account=self._address, nonce=nonce, tx_hash=tx_hash)

    def _replace(self, own: Sent) -> None:
        if len(own.hashes) > REPLACEMENTS:
            self._hand_over(own.raw)
            return
        fees = own.fees.raised().at_least(self._fees.now())
        raw, tx_hash = self._signed(own.wanted, own.nonce, fees)
        if not _announced(own.wanted, tx_hash):
            return
        own.hashes.append(tx_hash)
        try:
            taken = self._hand_over(raw)
        except ChainUnavailable as error:
            # No answer: it may have the transaction.
            taken = error.code == "CHAIN_UNREACHABLE"
        if not taken:
            own.hashes.remove(tx_hash)
            _announced(own.wanted, own.newest)
            return
        own.fees, own.raw = fees, raw
        log.warning("transaction_replaced", account=self._address, nonce=own.nonce, tx_hash=tx_hash, cap_wei=fees.cap)

    def _hand_over(self, raw: bytes) -> bool:
        """Whether the node has the transaction now."""
        try:
            self._connection.send_raw(raw)
        except RpcFault as fault:
            return refusal_of(fault) is Refusal.KNOWN
        return True


def _announced(wanted: Wanted, tx_hash: str) -> bool:
    """Whether the caller wants the version with that hash too; one that does not has given it up."""
    try:
        if wanted.announce is not None:
            wanted.announce(tx_hash)
    except PingzhengError:
        return False
    return True
