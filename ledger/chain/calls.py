"""Every write the ledger makes, as a value: the same call can be sent directly or signed by a party and relayed.

Digests and ids are 64 hex digits or 32 bytes; a party is named by its number; reasons and statuses by name
(protocol §3); times are seconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput

MAX_SCENARIO_CHARACTERS: Final = 8
REASONS: Final = (
    "none",
    "consent_withdrawn",
    "data_error",
    "expired_basis",
    "court",
    "sanction",
    "key_compromise",
    "fraud",
    "superseded",
    "investigation",
    "lifted",
)
PARTY_STATUSES: Final = ("none", "active", "suspended", "sanctioned", "closed")
LEAF_STATUSES: Final = ("active", "suspended", "revoked", "superseded")
ROLES: Final = (
    "subject",
    "provider",
    "consumer",
    "issuer",
    "registrar",
    "authority",
    "cdo",
    "supervisor",
    "assessor",
    "broker",
    "admin",
)


@dataclass(frozen=True, slots=True)
class Call:
    """A contract by name, a function of it, and its arguments as JSON values or bytes."""

    contract: str
    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PartyRegistration:
    """A party to register: its id, its first account, its roles as bits."""

    id: str
    account: str
    roles: int


def code_of_scenario(scenario: str) -> bytes:
    """The 8-byte code of a scenario; raises InvalidInput SCENARIO_CODE_INVALID."""
    if not scenario.isascii() or not 1 <= len(scenario) <= MAX_SCENARIO_CHARACTERS:
        raise InvalidInput(
            "SCENARIO_CODE_INVALID", "A scenario code has 1 to 8 ASCII characters.", where="scenario", hint=None
        )
    return scenario.encode().ljust(MAX_SCENARIO_CHARACTERS, b"\0")


def code_of_reason(reason: str) -> int:
    """The number of a reason; raises InvalidInput REASON_UNKNOWN."""
    return _number(reason, REASONS, "REASON_UNKNOWN", "reason")


def names_of_roles(mask: int) -> tuple[str, ...]:
    """The roles in a mask; bits of no known role are left out."""
    return tuple(name for bit, name in enumerate(ROLES) if mask >> bit & 1)


def code_of_status(status: str) -> int:
    """The number of a party's status; raises InvalidInput PARTY_STATUS_UNKNOWN."""
    return _number(status, PARTY_STATUSES, "PARTY_STATUS_UNKNOWN", "status")


def _number(name: str, names: Sequence[str], code: str, where: str) -> int:
    if name not in names:
        raise InvalidInput(code, f"There is no such {where}.", where=where, hint=f"One of: {', '.join(names)}.")
    return names.index(name)
