"""One sender per account: nonces in order, one gas rule, one retry rule.

The lock covers choosing the nonce and handing the transaction over, not the wait for its block, so many threads
may have transactions under way at once and none of them reuses or skips a nonce. A caller that must know after a crash
whether its transaction was mined gets the hash before it is handed over, and another one if it has to be signed anew.

Retries: a transaction whose hand-over failed on the wire is sent again byte for byte, so the same hash cannot run
twice. If the node calls our nonce used (another process sends from this account), it is read anew and the transaction
signed again, but only after the node said that it does not know the first one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ledger.chain.accounts import account_of
from ledger.chain.connection import Connection, RpcFault
from ledger.chain.contracts import Event, json_safe
from ledger.chain.revert import RevertReader
from ledger.errors import ChainRejected, ChainUnavailable, Misconfigured

Announce = Callable[[str], None]

RECEIPT_TIMEOUT_SECONDS: Final = 60
_WIRE_ATTEMPTS: Final = 3
_NONCE_ATTEMPTS: Final = 4
_GAS_MARGIN_PERCENT: Final = 15
_GAS_MARGIN: Final = 15_000
_POLL_SECONDS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25)
_BACKOFF_SECONDS: Final = (0.1, 0.4)
_KNOWN: Final = ("already known", "known transaction", "same hash")
_NONCE_USED: Final = (
    "nonce too low",
    "nonce has already been used",
    "nonce is too low",
    "doesn't have the correct nonce",
    "underpriced",
)
_NONCE_AHEAD: Final = ("nonce too high", "too far in the future", "nonce gap")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction in its block. ``time`` is the block's, in seconds UTC; hashes are 64 hex digits."""

    tx_hash: str
    block_number: int
    block_hash: str
    time: int
    gas_used: int
    events: tuple[Event, ...]

    def named(self, name: str) -> list[Event]:
        """The transaction's events of one name, in order."""
        return [event for event in self.events if event.name == name]


class Sender:
    """Sends transactions of one account. Use one per account and process; any number of threads."""

    def __init__(
        self,
        connection: Connection,
        private_key: bytes,
        *,
        chain_id: int,
        reverts: RevertReader,
        receipt_timeout: float = RECEIPT_TIMEOUT_SECONDS,
    ) -> None:
        self._connection = connection
        self._private_key = private_key
        self._address = account_of(private_key)
        self._chain_id = chain_id
        self._reverts = reverts
        self._receipt_timeout = receipt_timeout
        self._lock = threading.Lock()
        self._next_nonce: int | None = None

    @property
    def address(self) -> str:
        return self._address

    def estimate(self, to: str | None, data: bytes, *, sender: str | None = None) -> int:
        """Gas limit for a call, with a margin. Raises the contract's refusal as our error; nothing is sent."""
        try:
            gas = self._connection.estimate_gas(to, data, sender=sender or self.address)
        except RpcFault as fault:
            raise self._reverts.read(fault, contract=to) from fault
        return gas + gas * _GAS_MARGIN_PERCENT // 100 + _GAS_MARGIN

    def send(
        self, to: str | None, data: bytes, *, gas: int | None = None, announce: Announce | None = None
    ) -> dict[str, Any]:
        """Send and wait; returns the node's receipt of a transaction that succeeded.

        ``announce`` gets the hash (64 hex digits) before the node does; what it raises stops the transaction.

        Raises ChainRejected, Conflict or Forbidden where the contract refuses, Misconfigured ACCOUNT_WITHOUT_FUNDS
        where the account cannot pay, ChainUnavailable CHAIN_UNREACHABLE where nothing is known to have been sent, and
        ChainUnavailable TRANSACTION_UNCONFIRMED (with ``tx_hash``) where the transaction was handed over but its block
        was not seen in time: look for its effect before sending again.
        """
        limit = gas or self.estimate(to, data)
        fees = self._fees()
        with self._lock:
            tx_hash = self._hand_over(to, data, limit, fees, announce)
        receipt = self._wait(tx_hash)
        if int(receipt["status"], 16) != 1:
            self._explain(to, data, receipt, limit)
        return receipt

    def _fees(self) -> dict[str, int]:
        block = self._connection.block("latest")
        if block is None or block.base_fee is None:
            return {"gasPrice": self._connection.gas_price()}
        return {"maxFeePerGas": 2 * block.base_fee, "maxPriorityFeePerGas": 0}

    def _hand_over(self, to: str | None, data: bytes, gas: int, fees: dict[str, int], announce: Announce | None) -> str:
        for _ in range(_NONCE_ATTEMPTS):
            if self._next_nonce is None:
                self._next_nonce = self._connection.transaction_count(self.address)
            nonce = self._next_nonce
            raw, tx_hash = self._sign(to, data, gas, fees, nonce)
            if announce is not None:
                announce(tx_hash)
            try:
                self._post(raw, tx_hash)
            except RpcFault as fault:
                self._next_nonce = None
                if self._connection.receipt(tx_hash) is None:
                    if _says(fault, _NONCE_USED + _NONCE_AHEAD):
                        continue
                    self._require_money(gas, fees)
                    raise self._reverts.read(fault, contract=to) from fault
            except ChainUnavailable:
                self._next_nonce = None
                raise
            self._next_nonce = nonce + 1
            return tx_hash
        raise ChainUnavailable(
            "NONCE_CONTENDED",
            "Another program keeps sending from this account.",
            where=self.address,
            hint="Give each program an account of its own, then try again; nothing was sent.",
        )

    def _require_money(self, gas: int, fees: dict[str, int]) -> None:
        """Asked only once the node has refused: whether that is why."""
        needed = gas * fees.get("maxFeePerGas", fees.get("gasPrice", 0))
        balance = self._connection.balance(self.address)
        if balance < needed:
            raise Misconfigured(
                "ACCOUNT_WITHOUT_FUNDS",
                "The account cannot pay for the transaction; nothing was sent.",
                where=self.address,
                hint="Give it money for gas (on a local chain: `pingzheng party fund`), or let another account relay "
                "the call and pay (`--payer`). A chain that has no gas price asks for none.",
                needed_wei=json_safe(needed),
                balance_wei=json_safe(balance),
            )

    def _sign(self, to: str | None, data: bytes, gas: int, fees: dict[str, int], nonce: int) -> tuple[bytes, str]:
        transaction: dict[str, Any] = {
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            "value": 0,
            "data": data,
            **fees,
        }
        if to is not None:
            transaction["to"] = bytes.fromhex(to.removeprefix("0x"))
        # Not above: it takes most of a second to load, and who only reads signs nothing.
        from eth_account import Account

        signed = Account.sign_transaction(transaction, self._private_key)
        return bytes(signed.raw_transaction), bytes(signed.hash).hex()

    def _post(self, raw: bytes, tx_hash: str) -> None:
        for attempt in range(_WIRE_ATTEMPTS):
            try:
                self._connection.send_raw(raw)
                return
            except RpcFault as fault:
                if _says(fault, _KNOWN):
                    return
                raise
            except ChainUnavailable as error:
                if attempt == _WIRE_ATTEMPTS - 1:
                    error.details["tx_hash"] = tx_hash
                    raise
                time.sleep(_BACKOFF_SECONDS[attempt])

    def _wait(self, tx_hash: str) -> dict[str, Any]:
        deadline = time.monotonic() + self._receipt_timeout
        attempt = 0
        while True:
            try:
                receipt = self._connection.receipt(tx_hash)
            except ChainUnavailable as error:
                raise _unconfirmed(tx_hash, self._connection.url) from error
            if receipt is not None and receipt.get("blockNumber") is not None:
                return receipt
            if time.monotonic() >= deadline:
                raise _unconfirmed(tx_hash, self._connection.url)
            attempt = min(attempt + 1, len(_POLL_SECONDS) - 1)
            time.sleep(_POLL_SECONDS[attempt])

    def _explain(self, to: str | None, data: bytes, receipt: dict[str, Any], limit: int) -> NoReturn:
        """Say why a mined transaction failed, by repeating its call on its own block."""
        block = int(receipt["blockNumber"], 16)
        if to is not None:
            try:
                self._connection.call(to, data, sender=self.address, block=block)
            except RpcFault as fault:
                raise self._reverts.read(fault, contract=to) from fault
        out_of_gas = int(receipt["gasUsed"], 16) >= limit
        raise ChainRejected(
            "OUT_OF_GAS" if out_of_gas else "TRANSACTION_REVERTED",
            "The transaction was mined but failed; it changed nothing.",
            where=to,
            hint="Another transaction came first. Read the record's state and try again.",
            tx_hash=receipt["transactionHash"].removeprefix("0x"),
            block_number=block,
        )


def _says(fault: RpcFault, phrases: tuple[str, ...]) -> bool:
    """JSON-RPC has no code for these refusals; clients differ in wording only."""
    message = fault.message.lower()
    return any(phrase in message for phrase in phrases)


def _unconfirmed(tx_hash: str, url: str) -> ChainUnavailable:
    return ChainUnavailable(
        "TRANSACTION_UNCONFIRMED",
        "The transaction was handed to the node, but its block was not seen in time.",
        where=url,
        hint="It may still be mined. Look for its effect on the chain before sending it again.",
        tx_hash=tx_hash,
    )
