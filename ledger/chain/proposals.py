"""What a proposal is for: its call, checked against the digest that the contract keeps, and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.chain.calls import Call
from ledger.chain.connection import unhex
from ledger.chain.contracts import Event
from ledger.chain.deployment import FORWARDER, Deployment, interface_of
from ledger.chain.names import OFFICES, PARTY_STATUSES, names_of_roles, scenario_of_code
from ledger.chain.revert import code_of
from ledger.chain.sender import Receipt
from ledger.domain.parties import Role
from ledger.domain.reasons import REASONS
from ledger.errors import ChainUnavailable
from ledger.proof.head import act_digest

REGISTERS: Final = Role.mask([Role.AUTHORITY, Role.ADMIN])
# Parameters whose numbers have names, by the names of the parameters.
_NAMES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "roles": names_of_roles,
    "status": lambda number: _named(PARTY_STATUSES, number),
    "reason": lambda number: _named(REASONS, number),
    "office": lambda bit: _named(OFFICES, bit - 1),
    "scenario": scenario_of_code,
}


def proposal_of(receipt: Receipt) -> int:
    """The number of the proposal that a transaction made; raises ValueError for another transaction."""
    made = receipt.named("Proposed")
    if len(made) != 1:
        raise ValueError("the transaction made no proposal, or several")
    return int(made[0].args["no"])


def decode_call(deployment: Deployment, target: str, data: str) -> Call | None:
    """The call behind a target and call data (hex).

    None for a contract that is not the ledger's, for a function that this version does not know, and for call data
    that nobody encodes so: such a proposal is not to be confirmed.
    """
    names = {address: name for name, address in deployment.addresses.items() if name != FORWARDER}
    name, raw = names.get(target.lower()), unhex(data)
    found = interface_of(name).decode_call(raw) if name else None
    if name is None or found is None:
        return None
    function, args = found
    same = interface_of(name).encode_call(function, args) == raw
    return Call(name, function, tuple(args)) if same else None


def kind_of(call: Call) -> str:
    """The function of a call in snake case, such as ``change_key``."""
    return code_of(call.function).lower()


def arguments_of(call: Call) -> dict[str, Any]:
    """A call's arguments by name, with names in place of the numbers of roles, statuses, reasons and offices."""
    named = zip(interface_of(call.contract).parameters(call.function), call.args, strict=True)
    return {name: _NAMES[name](value) if name in _NAMES else value for name, value in named}


def require_bound(proposed: Mapping[str, Any]) -> None:
    """The call that a ``Proposed`` event shows is the one that its act binds; a registration shows none.

    The head does not cover the call, so a node could show another one. Raises ChainUnavailable PROPOSAL_CALL_DIFFERS.
    """
    target, call, role = str(proposed["target"]), str(proposed["call"]), int(proposed["role"])
    hidden = not call and role == REGISTERS
    if not hidden and act_digest(target, unhex(call)) != proposed["act"]:
        raise ChainUnavailable(
            "PROPOSAL_CALL_DIFFERS",
            "The call that the node shows for a proposal is not the one that the proposal binds.",
            where=f"proposal {proposed['no']}",
            hint="The node does not give what the chain holds: ask another node.",
        )


def call_proposed(deployment: Deployment, event: Event) -> Call | None:
    """The call of a ``Proposed`` event, None where it is not shown or not known; raises as ``require_bound``."""
    require_bound(event.args)
    return decode_call(deployment, event.args["target"], event.args["call"])


def _named(names: tuple[str, ...], number: int) -> str | int:
    return names[number] if 0 <= number < len(names) else number
