"""The numbers that the contracts use for reasons, statuses, roles and scenarios (protocol §3), and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.domain.parties import Role
from ledger.domain.reasons import REASONS
from ledger.errors import InvalidInput

MAX_SCENARIO_CHARACTERS: Final = 8
PARTY_STATUSES: Final = ("none", "active", "suspended", "sanctioned", "closed")
LEAF_STATUSES: Final = ("active", "suspended", "revoked", "superseded")
ROLES: Final = tuple(role.value for role in Role)
# By the bits of a hold.
OFFICES: Final = (Role.AUTHORITY.value, Role.SUPERVISOR.value)


def code_of_scenario(scenario: str) -> bytes:
    """The 8-byte code of a scenario; raises InvalidInput SCENARIO_CODE_INVALID."""
    if not scenario.isascii() or not 1 <= len(scenario) <= MAX_SCENARIO_CHARACTERS:
        raise InvalidInput(
            "SCENARIO_CODE_INVALID", "A scenario code has 1 to 8 ASCII characters.", where="scenario", hint=None
        )
    return scenario.encode().ljust(MAX_SCENARIO_CHARACTERS, b"\0")


def scenario_of_code(code: str) -> str:
    """The scenario of an 8-byte code in hex."""
    return bytes.fromhex(code).rstrip(b"\0").decode("ascii", "replace")


def code_of_reason(reason: str) -> int:
    """The number of a reason; raises InvalidInput REASON_UNKNOWN."""
    return _number(reason, REASONS, "REASON_UNKNOWN", "reason")


def names_of_roles(mask: int) -> tuple[str, ...]:
    """The roles in a mask; bits of no known role are left out."""
    return tuple(name for bit, name in enumerate(ROLES) if mask >> bit & 1)


def names_of_offices(mask: int) -> tuple[str, ...]:
    """The offices that hold a statement, from its bits."""
    return tuple(name for bit, name in enumerate(OFFICES) if mask >> bit & 1)


def bits_of_office(office: str) -> int:
    """The bit of an office in a hold; raises InvalidInput OFFICE_UNKNOWN."""
    return 1 << _number(office, OFFICES, "OFFICE_UNKNOWN", "office")


def code_of_status(status: str) -> int:
    """The number of a party's status; raises InvalidInput PARTY_STATUS_UNKNOWN."""
    return _number(status, PARTY_STATUSES, "PARTY_STATUS_UNKNOWN", "status")


def number_of(name: str, names: Sequence[str], what: str) -> int:
    """The number of a name in its list; raises InvalidInput ``<WHAT>_UNKNOWN``."""
    return _number(name, names, f"{what.upper()}_UNKNOWN", what)


def _number(name: str, names: Sequence[str], code: str, where: str) -> int:
    if name not in names:
        raise InvalidInput(code, f"There is no such {where}.", where=where, hint=f"One of: {', '.join(names)}.")
    return names.index(name)
