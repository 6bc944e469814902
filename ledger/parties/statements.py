"""What every signed statement must be before anything else is asked of it, whoever hands it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.entries import validate_entry
from ledger.errors import InvalidInput

MAX_CLOCK_SKEW: Final = 300


def require_statement(entry: Mapping[str, Any], kind: str, ledger: str, now: int, where: str) -> None:
    """Raise ``InvalidInput`` unless the entry is one of that type, made for this ledger, and not of the future.

    Codes: those of ``validate_entry``, ``ENTRY_TYPE``, ``LEDGER_DIFFERS``, ``SIGNED_IN_FUTURE``. ``ledger`` is the
    ledger digest, ``now`` seconds UTC. Who signed the entry is the caller's to check.
    """
    validate_entry(entry)
    if entry["type"] != kind:
        raise InvalidInput(
            "ENTRY_TYPE",
            f"This entry is of type {entry['type']}, and {kind} is wanted here.",
            where=where,
            hint="Sign the statement that was drafted.",
        )
    if entry["ledger"] != ledger:
        raise InvalidInput(
            "LEDGER_DIFFERS",
            "The statement was signed for another ledger.",
            where=where,
            hint="Draft it here again and sign the new statement.",
            expected=ledger,
            found=entry["ledger"],
        )
    if max(entry["iat"], entry.get("queried_at", 0)) > now + MAX_CLOCK_SKEW:
        raise InvalidInput(
            "SIGNED_IN_FUTURE",
            "The statement was signed, or its source asked, in the future.",
            where=where,
            hint="Set the clock of the machine that signs.",
        )
