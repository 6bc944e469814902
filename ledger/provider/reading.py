"""JSON that others wrote, read member by member: each error has the code of its file and names the place."""

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
    """Reads the parts of one kind of file; everything raises ``InvalidInput`` with this ``code``."""

    code: str
    hint: str

    def members(self, raw: Any, where: str, *names: str) -> Mapping[str, Any]:
        """An object with exactly these members."""
        if not isinstance(raw, dict) or raw.keys() != set(names):
            raise self.bad(where, f"An object with exactly these members is expected: {', '.join(names)}.")
        return raw

    def each(self, raw: Any, where: str, high: int, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        """What ``read`` makes of each item of a list of at most ``high``."""
        if not isinstance(raw, list) or len(raw) > high:
            raise self.bad(where, f"A list of at most {high} is expected.")
        return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(raw))

    def text(self, raw: Any, where: str, high: int) -> str:
        """A text of at most ``high`` characters that is not blank."""
        if not isinstance(raw, str) or not raw.strip() or len(raw) > high:
            raise self.bad(where, f"A text of at most {high} characters is expected.")
        return raw

    def matching(self, raw: Any, pattern: re.Pattern[str], where: str) -> str:
        """A text of that form."""
        if not isinstance(raw, str) or not pattern.fullmatch(raw):
            raise self.bad(where, f"A text of this form is expected: {pattern.pattern}.")
        return raw

    def entry(self, raw: Any, kind: str, where: str) -> dict[str, Any]:
        """An entry of that type; raises as ``validate_entry`` too."""
        if not isinstance(raw, dict) or raw.get("type") != kind:
            raise self.bad(where, f"An entry of type {kind} is expected.")
        if len(canonical(raw)) > 4 * MAX_ENTRY_CHARACTERS:
            raise self.bad(where, "The entry is too large.")
        validate_entry(raw)
        return raw

    def bad(self, where: str, message: str) -> InvalidInput:
        """The error, to be raised."""
        return InvalidInput(self.code, message, where=where, hint=self.hint)
