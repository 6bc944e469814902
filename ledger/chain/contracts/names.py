"""The numbers that the contracts use for reasons, statuses, roles and scenarios, and their names (protocol §3)."""

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
# The roles that can place a hold on a statement. A hold is stored as a bit mask with one bit for each of these roles,
# in this order.
OFFICES: Final = (Role.AUTHORITY.value, Role.SUPERVISOR.value)


def code_of_scenario(scenario: str) -> bytes:
    """Return the 8-byte code of a scenario.

    Raises InvalidInput SCENARIO_CODE_INVALID unless the scenario's name has 1 to 8 ASCII characters.
    """
    if not scenario.isascii() or not 1 <= len(scenario) <= MAX_SCENARIO_CHARACTERS:
        raise InvalidInput(
            "SCENARIO_CODE_INVALID", "A scenario code must have 1 to 8 ASCII characters.", where="scenario", hint=None
        )
    return scenario.encode().ljust(MAX_SCENARIO_CHARACTERS, b"\0")


def scenario_of_code(code: str) -> str:
    """Return the name of the scenario with this 8-byte code (hex)."""
    return bytes.fromhex(code).rstrip(b"\0").decode("ascii", "replace")


def code_of_reason(reason: str) -> int:
    """Return the number that the contracts use for a reason. Raises InvalidInput REASON_UNKNOWN if there is no such
    reason.
    """
    return number_of(reason, REASONS, "reason")


def names_of_roles(mask: int) -> tuple[str, ...]:
    """Return the names of the roles whose bits are set in the mask. Unknown bits are ignored."""
    return tuple(name for bit, name in enumerate(ROLES) if mask >> bit & 1)


def names_of_offices(mask: int) -> tuple[str, ...]:
    """Return the names of the roles (authority, supervisor) whose bits are set in a hold's bit mask."""
    return tuple(name for bit, name in enumerate(OFFICES) if mask >> bit & 1)


def number_of(name: str, names: Sequence[str], what: str, code: str | None = None) -> int:
    """Return the place of a name in a list, counted from 0.

    If the list lacks the name, raise InvalidInput with ``code``, by default ``<WHAT>_UNKNOWN``.
    """
    if name not in names:
        hint = f"Use one of: {', '.join(names)}."
        raise InvalidInput(code or f"{what.upper()}_UNKNOWN", f"There is no such {what}.", where=what, hint=hint)
    return names.index(name)
