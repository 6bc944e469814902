"""Sends the transactions of one account with gapless nonces, a gas limit, and retries.

A lock lets one thread at a time choose a nonce and send its transaction; the wait for the block is outside the lock. So
many threads may wait for transactions at the same time, and no nonce is reused or skipped. A caller may need to know
after a crash whether its transaction was mined. So it receives the hash before the transaction is sent, and the new
hash if the transaction is signed again.

Retries: after a network failure the same bytes are sent again, so the transaction cannot run twice. If the node says
that the nonce is used (another process sends from this account), the sender reads the nonce and signs the transaction
again, but only if the node does not know the first version. If the node says that the fee is too low, the offer is
raised. A transaction that waits too long is replaced by a transaction with the same nonce and a higher fee. Only one of
the two can be mined; the caller gets the receipt of the one that was mined.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, Final, NoReturn

from ledger.chain.accounts import account_of
from ledger.chain.contracts.abi import Event, json_safe
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.rpc.answers import quantity
from ledger.chain.rpc.connection import Connection, RpcFault, bare
from ledger.chain.rpc.loading import loading
from ledger.chain.sending.fees import Fees, FeeSource, Refusal, refusal_of
from ledger.chain.sending.nonces import Nonces, Sent, Wanted
from ledger.errors import ChainRejected, ChainUnavailable, Misconfigured, PingzhengError

Announce = Callable[[str], None]

RECEIPT_TIMEOUT_SECONDS: Final = 60
STUCK_SECONDS: Final = 15
# If a transaction is not mined after this many seconds, missing nonces are filled: an earlier process may have left
# some.
_FIRST_LOOK_SECONDS: Final = 2
_WIRE_ATTEMPTS: Final = 3
_NONCE_ATTEMPTS: Final = 4
_FEE_ATTEMPTS: Final = 3
_GAS_MARGIN_PERCENT: Final = 15
_GAS_MARGIN: Final = 15_000
_POLL_SECONDS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25)
_BACKOFF_SECONDS: Final = (0.1, 0.4)
_NONCE_TROUBLE: Final = (Refusal.NONCE_USED, Refusal.NONCE_TAKEN, Refusal.NONCE_AHEAD)


@dataclass(frozen=True)
class Receipt:
    """A mined transaction. Hashes are 64 hex digits.

    The time and the events are fetched only when a caller needs them: the time costs a request to the node, and the
    transaction of a set may have thousands of events to decode.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    gas_used: int
    _timed: Callable[[], int] = field(compare=False, repr=False)
    _decoded: Callable[[], Sequence[Event]] = field(compare=False, repr=False)

    @cached_property
    def time(self) -> int:
        """The time of the transaction's block in seconds UTC; 0 if the node no longer has the block."""
        return self._timed()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The transaction's events, in order; raises ChainUnavailable if they cannot be read."""
        return tuple(self._decoded())

    def named(self, name: str) -> list[Event]:
        """Return the transaction's events with the given name, in order."""
        return [event for event in self.events if event.name == name]


@dataclass(eq=False, repr=False)
class Sender:
    """Sends transactions of one account. Use only one sender for each account in a process. Thread-safe.

    A transaction that is not mined after ``stuck_after`` seconds is sent again or replaced. After ``receipt_timeout``
    seconds the sender stops waiting for the receipt.
    """

    _connection: Connection
    _private_key: bytes
    _: KW_ONLY
    chain_id: int
    reverts: RevertReader
    receipt_timeout: float = RECEIPT_TIMEOUT_SECONDS
    stuck_after: float = STUCK_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self.address = account_of(self._private_key)
        self._fees = FeeSource(self._connection)
        self._nonces = Nonces(self._connection, self.address, self._fees, self._signed)

    def estimate(self, to: str | None, data: bytes, *, sender: str | None = None) -> int:
        """Return the estimated gas of a transaction plus a margin. Raises an error if the contract would refuse the
        call. Nothing is sent to the chain.
        """
        try:
            gas = self._connection.estimate_gas(to, data, sender=sender or self.address)
        except RpcFault as fault:
            raise self.reverts.read(fault, contract=to) from fault
        return gas + gas * _GAS_MARGIN_PERCENT // 100 + _GAS_MARGIN

    def send(
        self, to: str | None, data: bytes, *, gas: int | None = None, announce: Announce | None = None
    ) -> dict[str, Any]:
        """Send a transaction, wait for its block, and return the node's receipt if it succeeded.

        ``announce`` receives the hash (64 hex digits) before the node receives the transaction; if ``announce`` raises
        an error, the transaction is not sent.

        Raises ChainRejected, Conflict or Forbidden if the contract refuses the call; Misconfigured
        ACCOUNT_WITHOUT_FUNDS if the account cannot pay; ChainUnavailable FEE_TOO_LOW, NONCE_CONTENDED, NODE_REFUSED or
        CHAIN_UNREACHABLE if nothing is known to have been sent; StorageFull DISK_FULL if the local chain's disk is
        full; and ChainUnavailable TRANSACTION_UNCONFIRMED (with ``tx_hash``) if the transaction was sent but its block
        was not seen in time: the caller must look for its effect before sending it again.
        """
        wanted = Wanted(to, data, gas or self.estimate(to, data), announce)
        fees = self._fees.now()
        with self._alone():
            sent = self._hand_over(wanted, fees)
        receipt = self._wait(sent)
        if quantity(receipt["status"]) != 1:
            self._explain(to, data, receipt, wanted.gas)
        return receipt

    def let_through(self, nonce: int) -> None:
        """Fill the nonces that are missing before a waiting transaction. Nothing is done while another thread is
        sending.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._nonces.fill_before(nonce)
            except ChainUnavailable:
                # The node failed. No error is raised, because the caller goes on waiting for its receipt and calls this
                # function again meanwhile.
                return
            finally:
                self._lock.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one thread send at a time.

        A thread waits for its turn at most as long as one thread may take to send a transaction.
        """
        if not self._lock.acquire(timeout=self._connection.send_timeout):
            raise ChainUnavailable(
                "CHAIN_UNREACHABLE",
                "The node has not accepted this account's earlier transactions; nothing was sent.",
                where=self._connection.where,
                hint="Try again when the node answers.",
                reason="timeout",
            )
        try:
            yield
        finally:
            self._lock.release()

    def _hand_over(self, wanted: Wanted, fees: Fees) -> Sent:
        try:
            return self._taken(wanted, fees)
        except PingzhengError:
            self._nonces.forget()
            raise

    def _taken(self, wanted: Wanted, fees: Fees) -> Sent:
        """Sign and send the transaction until the node accepts it; change the nonce or the fee if needed."""
        contended = raised = 0
        while contended < _NONCE_ATTEMPTS:
            sent = self._nonces.reserved(wanted, fees)
            if wanted.announce is not None:
                wanted.announce(sent.newest)
            try:
                self._post(sent.raw, sent.newest)
            except RpcFault as fault:
                if self._connection.receipt(sent.newest) is None:
                    kind = refusal_of(fault)
                    self._nonces.refused(sent.nonce, kind)
                    if kind in _NONCE_TROUBLE:
                        contended += 1
                        continue
                    if kind is Refusal.FEE and raised < _FEE_ATTEMPTS:
                        raised, fees = raised + 1, self._fees.after(fees, fault)
                        continue
                    raise self._refused(wanted, fees, fault, kind) from fault
            self._nonces.taken(sent)
            return sent
        raise ChainUnavailable(
            "NONCE_CONTENDED",
            "Another program keeps sending transactions from this account.",
            where=self.address,
            hint="Give each program its own account, then try again; nothing was sent.",
        )

    def _refused(self, wanted: Wanted, fees: Fees, fault: RpcFault, kind: Refusal) -> PingzhengError:
        """Return the error for a transaction that the node refused. The account's balance is read first, because a low
        balance may be the reason.
        """
        self._require_money(wanted.gas, fees)
        if kind is Refusal.FEE:
            return ChainUnavailable(
                "FEE_TOO_LOW",
                "This program raised the fee, but the node asks for even more; nothing was sent.",
                where=self._connection.where,
                hint="Ask the chain's operator for the lowest fee that its nodes accept, then try again.",
                offered_wei=json_safe(fees.cap),
                reason=fault.message,
            )
        if kind is Refusal.CHAIN:
            return ChainUnavailable(
                "CHAIN_ID_CHANGED",
                f"The node does not serve chain {self.chain_id}; nothing was sent.",
                where=self._connection.where,
                hint="Configure the address of a node of the right chain.",
                reason=fault.message,
            )
        return self.reverts.read(fault, contract=wanted.to)

    def _require_money(self, gas: int, fees: Fees) -> None:
        needed = gas * fees.cap
        balance = self._connection.balance(self.address)
        if balance < needed:
            raise Misconfigured(
                "ACCOUNT_WITHOUT_FUNDS",
                "The account cannot pay for the transaction; nothing was sent.",
                where=self.address,
                hint="Send money for gas to the account (on a local chain: `pingzheng party fund`), or let another "
                "account relay the call and pay (`--payer`).",
                needed_wei=json_safe(needed),
                balance_wei=json_safe(balance),
            )

    def _signed(self, wanted: Wanted, nonce: int, fees: Fees) -> tuple[bytes, str]:
        transaction: dict[str, Any] = {
            "chainId": self.chain_id,
            "nonce": nonce,
            "gas": wanted.gas,
            "value": 0,
            "data": wanted.data,
            **fees.fields(),
        }
        if wanted.to is not None:
            transaction["to"] = bytes.fromhex(wanted.to.removeprefix("0x"))
        # eth-account is imported only here: loading it takes most of a second, and only signing needs it.
        with loading():
            from eth_account import Account

        signed = Account.sign_transaction(transaction, self._private_key)
        return bytes(signed.raw_transaction), bytes(signed.hash).hex()

    def _post(self, raw: bytes, tx_hash: str) -> None:
        deadline = time.monotonic() + self._connection.send_timeout
        for attempt in range(_WIRE_ATTEMPTS):
            try:
                self._connection.send_raw(raw)
                return
            except RpcFault as fault:
                if refusal_of(fault) is Refusal.KNOWN:
                    return
                raise
            except ChainUnavailable as error:
                if attempt == _WIRE_ATTEMPTS - 1 or time.monotonic() >= deadline:
                    error.details["tx_hash"] = tx_hash
                    raise
                time.sleep(_BACKOFF_SECONDS[attempt])

    def _wait(self, sent: Sent) -> dict[str, Any]:
        start = time.monotonic()
        looked_after, attempt, looked = start, 0, False
        while True:
            try:
                receipt = self._mined(sent)
            except ChainUnavailable as error:
                raise self._unconfirmed(sent) from error
            if receipt is not None:
                self._nonces.mined(sent)
                return receipt
            now = time.monotonic()
            if now - start >= self.receipt_timeout:
                raise self._unconfirmed(sent)
            if not looked and now - start >= min(_FIRST_LOOK_SECONDS, self.stuck_after):
                looked = True
                self.let_through(sent.nonce)
            if now - looked_after >= self.stuck_after:
                looked_after = now
                self._look_after(sent)
            attempt = min(attempt + 1, len(_POLL_SECONDS) - 1)
            time.sleep(_POLL_SECONDS[attempt])

    def _mined(self, sent: Sent) -> dict[str, Any] | None:
        """Return the receipt of the version of the transaction that is in a block, or None if no version is."""
        for tx_hash in sent.hashes:
            if (receipt := self._connection.receipt(tx_hash)) is not None:
                if tx_hash != sent.newest and sent.wanted.announce is not None:
                    sent.wanted.announce(tx_hash)
                return receipt
        return None

    def _look_after(self, sent: Sent) -> None:
        """Help a transaction that waits too long: fill missing nonces, and offer a higher fee for the first waiting
        transaction.
        """
        try:
            with self._alone():
                self._nonces.unstick(sent.nonce)
        except ChainUnavailable:
            # No error is raised here. If the node still has a problem, the next request for the receipt raises an
            # error.
            return

    def _unconfirmed(self, sent: Sent) -> ChainUnavailable:
        self._nonces.forget()
        return ChainUnavailable(
            "TRANSACTION_UNCONFIRMED",
            "The transaction was sent to the node, but its block was not seen in time.",
            where=self._connection.where,
            hint="It may still be mined. Look for its effect on the chain before you send it again.",
            tx_hash=sent.newest,
        )

    def _explain(self, to: str | None, data: bytes, receipt: dict[str, Any], limit: int) -> NoReturn:
        """Raise an error that says why a mined transaction failed. To find the reason, the call is simulated as of the
        same block.
        """
        block = quantity(receipt["blockNumber"])
        if to is not None:
            try:
                self._connection.call(to, data, sender=self.address, block=block)
            except RpcFault as fault:
                raise self.reverts.read(fault, contract=to) from fault
        out_of_gas = quantity(receipt["gasUsed"]) >= limit
        raise ChainRejected(
            "OUT_OF_GAS" if out_of_gas else "TRANSACTION_REVERTED",
            "The transaction was mined but failed; it changed nothing.",
            where=to,
            hint="Another transaction came first. Read the present state of the record and try again.",
            tx_hash=bare(receipt["transactionHash"]),
            block_number=block,
        )
