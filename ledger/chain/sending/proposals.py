"""What a proposal is for: its call, checked against the digest that the contract keeps, and in words."""

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


UNKNOWN_KIND: Final = "unknown"
_SELECTOR_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """What the call data of a proposal say.

    ``call`` is None for a contract or a function that this version does not know, and for data that nobody encodes
    so, which a contract may take all the same: nobody confirms what is not exactly what is shown. ``kind`` is the
    function by target and selector, in snake case, else ``unknown``; ``arguments`` are named, as far as they can be
    read. ``data`` are hex.
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
        """Whether the contract takes it for a change of a party's keys, which those keys can veto."""
        return self.contract == PARTY_REGISTRY and self.kind == "change_key"


def proposal_of(receipt: Receipt) -> int:
    """The number of the proposal that a transaction made; raises ValueError for another transaction."""
    made = receipt.named("Proposed")
    if len(made) != 1:
        raise ValueError("the transaction made no proposal, or several")
    return int(made[0].args["no"])


def read_call(deployment: Deployment, target: str, data: str) -> ProposedCall:
    """What a target and call data (hex) say; never raises, whatever somebody proposed."""
    names = {address: name for name, address in deployment.addresses.items() if name != FORWARDER}
    name, raw = names.get(target.lower()), unhex(data)
    start = interface_of(name).decode_start(raw) if name else None
    if name is None or start is None:
        return ProposedCall(target, data, name, UNKNOWN_KIND, {}, None)
    function, arguments = start
    return ProposedCall(target, data, name, code_of(function).lower(), _in_words(arguments), _exactly(name, raw))


def decode_call(deployment: Deployment, target: str, data: str) -> Call | None:
    """The call behind a target and call data (hex), None if the data are not exactly a call that we know."""
    return read_call(deployment, target, data).call


def _exactly(contract: str, raw: bytes) -> Call | None:
    face = interface_of(contract)
    found = face.decode_call(raw)
    if found is None:
        return None
    function, args = found
    return Call(contract, function, tuple(args)) if face.encode_call(function, args) == raw else None


def kind_of(call: Call) -> str:
    """The function of a call in snake case, such as ``change_key``."""
    return code_of(call.function).lower()


def arguments_of(call: Call) -> dict[str, Any]:
    """A call's arguments by name, with names in place of the numbers of roles, statuses, reasons and offices."""
    return _in_words(dict(zip(interface_of(call.contract).parameters(call.function), call.args, strict=True)))


def _in_words(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _NAMES[name](value) if name in _NAMES else value for name, value in arguments.items()}


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


def call_proposed(deployment: Deployment, event: Event) -> ProposedCall | None:
    """The call of a ``Proposed`` event, None for a list of registrations, which shows none; raises as
    ``require_bound``."""
    require_bound(event.args)
    shown = str(event.args["call"])
    return read_call(deployment, event.args["target"], shown) if unhex(shown) else None


def _named(names: tuple[str, ...], number: int) -> str | int:
    return names[number] if 0 <= number < len(names) else number
