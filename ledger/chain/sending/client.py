"""Sends transactions to the contracts from one account, and reads view functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from ledger.chain.contracts.abi import Event, EventDecoder, Interface
from ledger.chain.contracts.deployment import Deployment, check_deployment, interface_of
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.rpc.answers import quantity
from ledger.chain.rpc.connection import Connection, RpcFault, bare
from ledger.chain.sending.calls import Call
from ledger.chain.sending.sender import Announce, Receipt, Sender
from ledger.errors import Misconfigured
from ledger.proof.head import act_digest

_KEY_BYTES: Final = 32
# If the data of a call have at least this many bytes, they are kept until the next call of this size. So the call that
# registers a list of parties is encoded only once, although its data are needed twice: for the digest in the proposal,
# and for the confirmation.
_LARGE_BYTES: Final = 1024


class ChainClient:
    """Sends and reads for one account on one deployment. The constructor sends nothing; ``check`` compares the chain
    with the deployment.

    Thread-safe. ``before_sending`` is called before each transaction and can stop the transaction by raising an error.
    """

    before_sending: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, connection: Connection, deployment: Deployment, private_key: str | None = None) -> None:
        self.connection = connection
        self.deployment = deployment
        self._interfaces: dict[str, Interface] = {name: interface_of(name) for name in deployment.addresses}
        self._reverts = RevertReader(self._interfaces.values())
        self.decoder = EventDecoder({deployment.addresses[name]: face for name, face in self._interfaces.items()})
        self._senders: dict[str, Sender] = {}
        self._encoded: tuple[Call | None, bytes] = None, b""
        self._sender = self._sender_of(private_key) if private_key else None

    @classmethod
    def at(cls, url: str, deployment: Deployment, private_key: str | None = None) -> Self:
        """Return a client for an account, with its own connection to the node at ``url``."""
        return cls(Connection(url), deployment, private_key)

    def check(self) -> Self:
        """Raise ChainUnavailable or Misconfigured if the chain, its first block or the contracts differ from the
        deployment.
        """
        check_deployment(self.connection, self.deployment)
        return self

    def with_account(self, private_key: str) -> ChainClient:
        """Return a client for the account of ``private_key`` that uses the connection of this client.

        Clients that come from one client and have the same key share sender and nonces.
        """
        other = ChainClient(self.connection, self.deployment)
        other.before_sending = self.before_sending
        other._senders = self._senders
        other._sender = other._sender_of(private_key)
        return other

    @property
    def account(self) -> str:
        """The sending account, ``0x`` and 40 lower-case digits."""
        return self._required_sender().address

    def address_of(self, contract: str) -> str:
        """Return the address of a contract."""
        return self.deployment.addresses[contract]

    def encode(self, call: Call) -> bytes:
        """Return the bytes of a call, as its contract expects them.

        Raises InvalidInput CALL_ARGUMENTS_INVALID if an argument does not fit its type.
        """
        known, data = self._encoded
        if known is not call:
            args = [part for argument in call.args for part in self._resolved(argument)]
            data = self._interfaces[call.contract].encode_call(call.function, args)
            if len(data) >= _LARGE_BYTES:
                self._encoded = call, data
        return data

    def act_of(self, call: Call) -> str:
        """Return the digest (64 hex digits) of a call. A proposal stores this digest."""
        return act_digest(self.address_of(call.contract), self.encode(call))

    def read(self, contract: str, function: str, args: Sequence[Any] = (), *, block: int | str = "latest") -> list[Any]:
        """Return the results of a view function as of a block, as JSON values."""
        interface, address = self._interfaces[contract], self.address_of(contract)
        try:
            data = self.connection.call(address, interface.encode_call(function, args), block=block)
        except RpcFault as fault:
            raise self._reverts.read(fault, contract=f"{contract}.{function}") from fault
        with self.connection.reading(f"{contract}.{function}"):
            return interface.decode_result(function, data)

    def send(self, call: Call, *, announce: Announce | None = None) -> Receipt:
        """Send a call from this client's account and wait for its block.

        ``announce`` receives the transaction's hash before the node receives the transaction, so that ``receipt`` can
        find the transaction after a crash.

        If the contract refuses the call, this method raises Conflict, Forbidden, NotFound, InvalidInput or
        ChainRejected with the name of the contract's error; if possible, it raises the error before anything is sent.
        Raises ChainUnavailable if the node does not answer.
        """
        return self.transact(self.address_of(call.contract), self.encode(call), announce=announce)

    def transact(self, to: str, data: bytes, *, gas: int | None = None, announce: Announce | None = None) -> Receipt:
        """Send call data. The gas limit is ``gas``, by default the node's estimate with a margin."""
        self.before_sending()
        return self._receipt(self._required_sender().send(to, data, gas=gas, announce=announce))

    def estimate(self, to: str, data: bytes, *, sender: str) -> int:
        """Return the gas limit of a transaction that another account would send with this call data.

        Raises the contract's error if the contract would refuse the transaction.
        """
        return self._required_sender().estimate(to, data, sender=sender)

    def simulate(self, to: str, data: bytes, *, sender: str) -> None:
        """Raise the contract's error if the contract would refuse this call data from the account ``sender``."""
        try:
            self.connection.call(to, data, sender=sender)
        except RpcFault as fault:
            raise self._reverts.read(fault, contract=to) from fault

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt of a transaction, or None if no block contains it yet. A failed transaction has no
        events.
        """
        raw = self.connection.receipt(tx_hash)
        return None if raw is None else self._receipt(raw)

    def waits(self, tx_hash: str) -> bool:
        """Return whether the transaction is at the node but not in a block yet.

        If this client's account sent the transaction, and it waits because an earlier transaction was lost, the missing
        nonce is filled with an empty transaction.
        """
        transaction = self.connection.transaction(tx_hash)
        if transaction is None or transaction.get("blockNumber") is not None:
            return False
        if self._sender is not None and transaction["from"].lower() == self._sender.address:
            self._sender.let_through(quantity(transaction["nonce"]))
        return True

    def _resolved(self, argument: Any) -> tuple[Any, ...]:
        if isinstance(argument, Call):
            return self.address_of(argument.contract), self.encode(argument)
        return (argument,)

    def _receipt(self, raw: dict[str, Any]) -> Receipt:
        number = quantity(raw["blockNumber"])

        def time() -> int:
            block = self.connection.block(number)
            return block.time if block else 0

        def events() -> Sequence[Event]:
            with self.connection.reading("eth_getTransactionReceipt"):
                return self.decoder.decode(raw["logs"])

        return Receipt(
            tx_hash=bare(raw["transactionHash"]),
            block_number=number,
            block_hash=bare(raw["blockHash"]),
            gas_used=quantity(raw["gasUsed"]),
            _timed=time,
            _decoded=events,
        )

    def _required_sender(self) -> Sender:
        if self._sender is None:
            raise Misconfigured(
                "ACCOUNT_MISSING",
                "This client has no account to send from.",
                where="private_key",
                hint="Configure the private key of the account that sends the ledger's transactions.",
            )
        return self._sender

    def _sender_of(self, private_key: str) -> Sender:
        try:
            key = bytes.fromhex(private_key.removeprefix("0x"))
            if len(key) != _KEY_BYTES:
                raise ValueError("a private key has 32 bytes")
            sender = Sender(self.connection, key, chain_id=self.deployment.chain_id, reverts=self._reverts)
        except ValueError as error:
            raise Misconfigured(
                "ACCOUNT_KEY_INVALID", "The account's key is not 32 bytes of hex.", where="private_key", hint=None
            ) from error
        return self._senders.setdefault(sender.address, sender)
