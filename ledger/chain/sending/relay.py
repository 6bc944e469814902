"""Sends signed requests (ERC-2771): a party signs a call, and the service sends the call and pays the fee.

``Relay.prepare`` makes the EIP-712 typed data. ``sign_request`` needs only the key and can run in the party's own
program. ``Relay.submit`` sends the signed request through the forwarder; for the contract, the party is the sender.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.contracts.deployment import FORWARDER
from ledger.chain.contracts.immutables import FORWARDER_NAME, FORWARDER_VERSION
from ledger.chain.rpc.connection import unhex
from ledger.chain.rpc.loading import loading
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.gas import forwarded_gas, known_gas
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainRejected, ChainUnavailable, Forbidden, InvalidInput

MAX_REQUEST_BYTES: Final = 128 * 1024
MAX_REQUEST_GAS: Final = 60_000_000
_FIELDS: Final = (
    ("from", "address"),
    ("to", "address"),
    ("value", "uint256"),
    ("gas", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint48"),
    ("data", "bytes"),
)
_DOMAIN_FIELDS: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_TYPES: Final = {
    "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS],
    "ForwardRequest": [{"name": name, "type": kind} for name, kind in _FIELDS],
}
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_ADDRESS_CHARACTERS: Final = 42


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """The EIP-712 typed data that a party has to sign, as JSON values."""

    typed_data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Typed data, and the signature as ``0x`` and 130 hex digits. Both are JSON values."""

    typed_data: Mapping[str, Any]
    signature: str


class Relay:
    """Sends the signed requests of parties through the forwarder. The client's account sends and pays."""

    def __init__(self, client: ChainClient) -> None:
        self._client = client

    def prepare(self, account: str, call: Call, deadline: int) -> ForwardRequest:
        """Return what ``account`` must sign to make ``call``. The signature is valid until ``deadline`` (seconds UTC,
        inclusive).

        First the call is simulated as if ``account`` sent it. So if the contract would refuse the call, the error is
        raised before anyone signs. The request contains the account's next nonce at the forwarder: if two requests are
        prepared at the same time, only the one that is submitted first succeeds.
        """
        data, to = self._client.encode(call), self._client.address_of(call.contract)
        gas = self._trial_gas(account, to, data)
        return self._request(account, to, data, gas, deadline)

    def act(self, account: str, call: Call, deadline: int, private_key: bytes) -> Receipt:
        """Sign ``call`` with the account's key and send it at once; raises the errors of ``submit``.

        The call is simulated once, before it is sent. A call whose gas is known (``known_gas``) is not simulated
        before: if the contract refuses it, the transaction fails, and a simulation afterwards raises the contract's
        error. If the known gas is too little or too much for this chain, the call is sent again with an estimate.
        """
        data, to = self._client.encode(call), self._client.address_of(call.contract)

        def sent(gas: int) -> Receipt:
            signed = sign_request(self._request(account, to, data, gas, deadline), private_key)
            return self._sent(self._verified(signed, _checked_shape(signed)))

        known = known_gas(call)
        if known is None:
            return sent(self._trial_gas(account, to, data))
        try:
            return sent(known)
        except (ChainRejected, ChainUnavailable) as refusal:
            if isinstance(refusal, ChainUnavailable) and refusal.code != "NODE_REFUSED":
                raise
            # There are three possible reasons: the contract refuses the call (then the estimate raises the contract's
            # error), this chain needs more gas than the known gas, or the known gas is above the gas limit of a block.
            return sent(self._trial_gas(account, to, data))

    def covers(self, signed: SignedRequest, account: str, call: Call) -> bool:
        """Return whether the request asks for exactly this call by this account. The signature is not checked."""
        message = _checked_shape(signed)
        return (
            str(message["from"]).lower() == account.lower()
            and str(message["to"]).lower() == self._client.address_of(call.contract)
            and str(message["data"]).lower() == "0x" + self._client.encode(call).hex()
        )

    def submit(self, signed: SignedRequest) -> Receipt:
        """Send a signed request and wait for its block.

        Raises InvalidInput REQUEST_INVALID; InvalidInput REQUEST_NOT_OURS if the request names another chain, forwarder
        or contract; Forbidden REQUEST_SIGNATURE_INVALID if the request was not signed by the account that it names, was
        used before, or has expired; and the contract's error if the contract refuses.
        """
        message = _checked_shape(signed)
        to = str(message["to"]).lower()
        if signed.typed_data.get("domain") != self._domain() or to not in self._client.deployment.callable_addresses():
            raise InvalidInput(
                "REQUEST_NOT_OURS",
                "The signed request is for another chain or another contract.",
                where="typed_data",
                hint="Prepare the request with this ledger and sign it unchanged.",
            )
        request = self._verified(signed, message)
        self._simulate(request)
        return self._sent(request)

    def _request(self, account: str, to: str, data: bytes, gas: int, deadline: int) -> ForwardRequest:
        (nonce,) = self._client.read(FORWARDER, "nonces", [account])
        message = {
            "from": account.lower(),
            "to": to,
            "value": 0,
            "gas": gas,
            "nonce": nonce,
            "deadline": deadline,
            "data": "0x" + data.hex(),
        }
        return ForwardRequest(
            {"types": _TYPES, "primaryType": "ForwardRequest", "domain": self._domain(), "message": message}
        )

    def _verified(self, signed: SignedRequest, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the request as the forwarder takes it; raises Forbidden REQUEST_SIGNATURE_INVALID."""
        request = {**message, "data": unhex(message["data"]), "signature": unhex(signed.signature)}
        (valid,) = self._client.read(FORWARDER, "verify", [request])
        if not valid:
            raise Forbidden(
                "REQUEST_SIGNATURE_INVALID",
                "The request was not signed by its account, was already used, or has expired.",
                where="signature",
                hint="Prepare a new request and sign it.",
                account=message["from"],
            )
        return request

    def _sent(self, request: Mapping[str, Any]) -> Receipt:
        payload = self._client.encode(Call(FORWARDER, "execute", (request,)))
        # The gas limit is computed and not estimated, because ganache never answers if it must estimate the forwarder's
        # call.
        gas = forwarded_gas(request["gas"], len(payload))
        try:
            return self._client.transact(self._client.address_of(FORWARDER), payload, gas=gas)
        except ChainRejected:
            # The forwarder does not pass on the contract's error. So the call is simulated, which raises this error.
            self._simulate(request)
            raise

    def _domain(self) -> dict[str, Any]:
        return {
            "name": FORWARDER_NAME.format(origin=self._client.deployment.origin),
            "version": FORWARDER_VERSION,
            "chainId": self._client.deployment.chain_id,
            "verifyingContract": self._client.address_of(FORWARDER),
        }

    def _trial_gas(self, account: str, to: str, data: bytes) -> int:
        """Return how much gas the call needs inside the forwarder's transaction; raises the contract's error if the
        contract refuses the call.
        """
        return self._client.estimate(to, data + unhex(account), sender=self._client.address_of(FORWARDER))

    def _simulate(self, request: Mapping[str, Any]) -> None:
        """If the contract refuses the call of the request, raise the contract's error, which the forwarder hides."""
        as_forwarded = request["data"] + unhex(request["from"])
        self._client.simulate(request["to"], as_forwarded, sender=self._client.address_of(FORWARDER))


def sign_request(request: ForwardRequest, private_key: str | bytes) -> SignedRequest:
    """Sign a request with an account's private key; needs no network."""
    # eth-account is imported only here: loading it takes most of a second, and only signing needs it.
    with loading():
        from eth_account import Account
        from eth_account.messages import encode_typed_data

    signable = encode_typed_data(full_message=dict(request.typed_data))
    signature = bytes(Account.sign_message(signable, private_key).signature)
    return SignedRequest(request.typed_data, "0x" + signature.hex())


def _checked_shape(signed: SignedRequest) -> Mapping[str, Any]:
    """Return the checked fields of a request. The nonce is left out, because the forwarder itself stores it."""
    try:
        message = signed.typed_data["message"]
        fields = {name: message[name] for name, _ in _FIELDS if name != "nonce"}
        whole = all(isinstance(fields[name], int) and fields[name] >= 0 for name in ("value", "gas", "deadline"))
        hexes = all(_HEX.fullmatch(text) for text in (fields["data"], fields["from"], fields["to"], signed.signature))
        sizes = len(fields["from"]) == len(fields["to"]) == _ADDRESS_CHARACTERS
        if not (whole and hexes and sizes) or fields["gas"] > MAX_REQUEST_GAS or fields["value"] != 0:
            raise ValueError("field out of range")
        if len(fields["data"]) > 2 * MAX_REQUEST_BYTES:
            raise ValueError("too much data")
        return {**fields, "from": fields["from"].lower(), "to": fields["to"].lower()}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            "REQUEST_INVALID",
            "The signed request is malformed.",
            where="typed_data",
            hint="Sign the typed data unchanged, and send the typed data and the signature.",
        ) from error
