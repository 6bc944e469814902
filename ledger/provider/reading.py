"""Reads JSON files from other parties, member by member. Each error has the code for the kind of file, and names the
place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ledger.domain.canonical import canonical
from ledger.domain.entries import validate_entry
from ledger.errors import InvalidInput
from ledger.proof.bundle import MAX_ENTRY_CHARACTERS

HEX32: Final = re.compile(r"[0-9a-f]{64}")
ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}")
REFERENCE: Final = re.compile(r"sha-256:[0-9a-f]{64}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads one kind of file; every method raises ``InvalidInput`` with this ``code``."""

    code: str
    hint: str

    def members(self, raw: Any, where: str, *names: str) -> Mapping[str, Any]:
        """Return an object with exactly these members."""
        if not isinstance(raw, dict) or raw.keys() != set(names):
            raise self.bad(where, f"An object with exactly these members is expected: {', '.join(names)}.")
        return raw

    def each(self, raw: Any, where: str, high: int, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        """Return the results of ``read`` for the items of a list with at most ``high`` items."""
        if not isinstance(raw, list) or len(raw) > high:
            raise self.bad(where, f"A list of at most {high} items is expected.")
        return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(raw))

    def text(self, raw: Any, where: str, high: int) -> str:
        """Return a text of at most ``high`` characters that is not blank."""
        if not isinstance(raw, str) or not raw.strip() or len(raw) > high:
            raise self.bad(where, f"A text of at most {high} characters is expected.")
        return raw

    def matching(self, raw: Any, pattern: re.Pattern[str], where: str) -> str:
        """Return a text that matches the pattern."""
        if not isinstance(raw, str) or not pattern.fullmatch(raw):
            raise self.bad(where, f"A text of this form is expected: {pattern.pattern}.")
        return raw

    def entry(self, raw: Any, kind: str, where: str) -> dict[str, Any]:
        """Return an entry of type ``kind``; also raises the errors of ``validate_entry``."""
        if not isinstance(raw, dict) or raw.get("type") != kind:
            raise self.bad(where, f"An entry of type {kind} is expected.")
        if len(canonical(raw)) > 4 * MAX_ENTRY_CHARACTERS:
            raise self.bad(where, "The entry is too large.")
        validate_entry(raw)
        return raw

    def bad(self, where: str, message: str) -> InvalidInput:
        """Return the error that the caller must raise."""
        return InvalidInput(self.code, message, where=where, hint=self.hint)
