"""Decodes proposed calls so that people can read them, and compares them with the digests that the contract stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import FORWARDER, PARTY_REGISTRY, Deployment, interface_of
from ledger.chain.contracts.names import OFFICES, PARTY_STATUSES, names_of_roles, scenario_of_code
from ledger.chain.contracts.revert import code_of
from ledger.chain.rpc.connection import unhex
from ledger.chain.sending.calls import Call
from ledger.chain.sending.sender import Receipt
from ledger.domain.parties import Role
from ledger.domain.reasons import REASONS
from ledger.errors import ChainUnavailable, InvalidInput
from ledger.proof.head import act_digest

REGISTERS: Final = Role.mask([Role.AUTHORITY, Role.ADMIN])
# For each parameter that is shown by name: the function that turns its value into a name.
_NAMES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "roles": names_of_roles,
    "status": lambda number: _named(PARTY_STATUSES, number),
    "reason": lambda number: _named(REASONS, number),
    "office": lambda bit: _named(OFFICES, bit - 1),
    "scenario": scenario_of_code,
}

UNKNOWN_KIND: Final = "unknown"
_SELECTOR_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """The decoded call data of a proposal.

    ``kind`` is the function's name in snake case, found by target and selector, or ``unknown``. ``arguments`` maps
    names to the arguments that can be read. ``call`` is None for an unknown contract or function, and for data that are
    not the exact encoding of the arguments shown: a contract may accept such data, but nobody should confirm a call
    that differs from what is shown. ``data`` is hex.
    """

    target: str
    data: str
    contract: str | None
    kind: str
    arguments: Mapping[str, Any]
    call: Call | None

    @property
    def selector(self) -> str:
        """The function's selector, ``0x`` and 8 digits."""
        return "0x" + self.data.removeprefix("0x")[:_SELECTOR_DIGITS].lower()

    @property
    def changes_key(self) -> bool:
        """Whether the contract treats the call as a change of a party's keys. The keys of that party can veto such a
        call.
        """
        return self.contract == PARTY_REGISTRY and self.kind == "change_key"


def proposal_of(receipt: Receipt) -> int:
    """Return the number of the proposal that a transaction made. Raises ValueError unless the transaction made exactly
    one proposal.
    """
    made = receipt.named("Proposed")
    if len(made) != 1:
        raise ValueError("the transaction made no proposal, or several")
    return int(made[0].args["no"])


def read_call(deployment: Deployment, target: str, data: str) -> ProposedCall:
    """Decode call data (hex) for a target address. Data that cannot be decoded raise no exception, because anything can
    be proposed.
    """
    names = {address: name for name, address in deployment.addresses.items() if name != FORWARDER}
    name, raw = names.get(target.lower()), unhex(data)
    start = interface_of(name).decode_start(raw) if name else None
    if name is None or start is None:
        return ProposedCall(target, data, name, UNKNOWN_KIND, {}, None)
    function, arguments = start
    call = _exact_call(name, function, tuple(arguments.values()), raw)
    return ProposedCall(target, data, name, code_of(function).lower(), _in_words(arguments), call)


def _exact_call(contract: str, function: str, args: tuple[Any, ...], raw: bytes) -> Call | None:
    try:
        exact = interface_of(contract).encode_call(function, args) == raw
    except InvalidInput:
        return None
    return Call(contract, function, args) if exact else None


def _in_words(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _NAMES[name](value) if name in _NAMES else value for name, value in arguments.items()}


def require_bound(proposed: Mapping[str, Any]) -> None:
    """Raise ChainUnavailable PROPOSAL_CALL_DIFFERS unless the call in a ``Proposed`` event has the digest in the event.

    The contract's head (running digest of events) does not cover the call, so a node could show another call. The event
    of a proposed registration contains no call.
    """
    target, call, role = str(proposed["target"]), str(proposed["call"]), int(proposed["role"])
    hidden = not call and role == REGISTERS
    if not hidden and act_digest(target, unhex(call)) != proposed["act"]:
        raise ChainUnavailable(
            "PROPOSAL_CALL_DIFFERS",
            "The call that the node shows for a proposal does not have the proposal's digest.",
            where=f"proposal {proposed['no']}",
            hint="The node does not show the data of the chain: ask another node.",
        )


def call_proposed(deployment: Deployment, event: Event) -> ProposedCall | None:
    """Return the call that a ``Proposed`` event contains, or None for a proposed registration, whose event contains no
    call.

    Raises what ``require_bound`` raises.
    """
    require_bound(event.args)
    shown = str(event.args["call"])
    return read_call(deployment, event.args["target"], shown) if unhex(shown) else None


def _named(names: tuple[str, ...], number: int) -> str | int:
    return names[number] if 0 <= number < len(names) else number
