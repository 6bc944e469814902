"""Keeps the next nonce and the waiting transactions of one account, and helps transactions that wait too long.

A node mines the transactions of an account in the order of their nonces. If a transaction is lost, all later
transactions wait forever. So a lost transaction is sent again. If the content of the lost transaction is unknown, its
nonce is filled with a transaction that sends nothing from the account to itself.
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
    """The content of a transaction. ``gas`` is its gas limit. ``announce`` receives the hash of each version of the
    transaction before the node receives that version.
    """

    to: str | None
    data: bytes
    gas: int
    announce: Callable[[str], None] | None = None


@dataclass(slots=True)
class Sent:
    """A transaction that was sent to the node, with the hashes of all its versions; the oldest version is first."""

    wanted: Wanted
    nonce: int
    fees: Fees
    raw: bytes
    hashes: list[str] = field(default_factory=list)

    @property
    def newest(self) -> str:
        """The hash of the newest version."""
        return self.hashes[-1]


Signer = Callable[[Wanted, int, Fees], tuple[bytes, str]]


class Nonces:
    """Manages the nonces of one account. Only ``mined`` and ``forget`` may be called by several threads at the same
    time.
    """

    def __init__(self, connection: Connection, address: str, fees: FeeSource, signed: Signer) -> None:
        self._connection = connection
        self._address = address
        self._fees = fees
        self._signed = signed
        self._next: int | None = None
        self._waiting: dict[int, Sent] = {}
        self._filled_at: float | None = None

    def reserved(self, wanted: Wanted, fees: Fees) -> Sent:
        """Sign the transaction with the next nonce, and return it without sending it."""
        nonce = self._next
        if nonce is None:
            nonce = self._next = self._connection.transaction_count(self._address)
        raw, tx_hash = self._signed(wanted, nonce, fees)
        return Sent(wanted, nonce, fees, raw, [tx_hash])

    def taken(self, sent: Sent) -> None:
        """Record that the node accepted the transaction."""
        self._next = sent.nonce + 1
        self._waiting[sent.nonce] = sent

    def refused(self, nonce: int, kind: Refusal) -> None:
        """Record that the node refused a transaction with this nonce."""
        if kind in (Refusal.NONCE_USED, Refusal.NONCE_TAKEN):
            # Some nodes do not count waiting transactions. The refused nonce is already used, so the next nonce is at
            # least one higher.
            self._next = max(self._connection.transaction_count(self._address), nonce + 1)
        elif kind is not Refusal.FEE:
            self.forget()

    def mined(self, sent: Sent) -> None:
        """Record that one version of the transaction is in a block."""
        self._waiting.pop(sent.nonce, None)

    def forget(self) -> None:
        """Forget the next nonce. Before the next transaction, the node is asked for it."""
        self._next = None

    def unstick(self, nonce: int) -> None:
        """Send the waiting transactions up to ``nonce`` again, so that they are mined.

        The first waiting transaction gets a higher fee, the later transactions stay as they are, and missing nonces are
        filled with empty transactions.
        """
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
        """Fill the missing nonces below ``nonce``, so that the transaction with ``nonce`` can be mined. An earlier
        process may have sent this transaction.

        Within ``FILL_SECONDS`` after the last call, nothing is done.
        """
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
        """Return how many transactions of the account are mined, and how many are mined or waiting."""
        mined = self._connection.transaction_count(self._address, "latest")
        waiting = self._connection.transaction_count(self._address)
        for nonce in [each for each in self._waiting if each < mined]:
            self._waiting.pop(nonce, None)
        return mined, max(mined, waiting)

    def _missing(self, mined: int, waiting: int, before: int) -> set[int]:
        """Return the nonces below ``before`` that no transaction uses, as far as the node's answers show this.

        Some nodes count only transactions that can be mined, so their count ends at the first missing nonce. Other
        nodes also count the transactions after the missing nonce; their pending block shows which transactions can be
        mined.
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
        """Fill a nonce with an empty transaction.

        The empty transaction has the lowest possible fee, so that it cannot replace a real transaction.
        """
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
            # The node did not answer, but it may have accepted the transaction, so the transaction counts as accepted.
            taken = error.code == "CHAIN_UNREACHABLE"
        if not taken:
            own.hashes.remove(tx_hash)
            _announced(own.wanted, own.newest)
            return
        own.fees, own.raw = fees, raw
        log.warning("transaction_replaced", account=self._address, nonce=own.nonce, tx_hash=tx_hash, cap_wei=fees.cap)

    def _hand_over(self, raw: bytes) -> bool:
        """Send a transaction and return whether the node has it now."""
        try:
            self._connection.send_raw(raw)
        except RpcFault as fault:
            return refusal_of(fault) is Refusal.KNOWN
        return True


def _announced(wanted: Wanted, tx_hash: str) -> bool:
    """Give the hash of a new version to the caller, and return whether the caller still wants the transaction."""
    try:
        if wanted.announce is not None:
            wanted.announce(tx_hash)
    except PingzhengError:
        return False
    return True
