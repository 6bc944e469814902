# SPDX-License-Identifier: Apache-2.0
"""Reads definitions that people write in files. Every member is checked, and an unknown member is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, ClassVar, Self, TypeVar

from ledger.domain.canonical import canonical, digest
from ledger.domain.days import day_of
from ledger.errors import InvalidInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in Chinese and English."""

    zh: str
    en: str


class DefinitionReader:
    """Reads the members of a definition one by one. At the end, ``require_nothing_else`` refuses members that were not
    read.

    A subclass sets the code and the hint of its errors. ``where`` is ``file: member: member``. Messages are in Chinese
    and English, because civil servants write definitions.
    """

    code: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, dict):
            raise self._error(where, "此处应为“成员: 值”的形式。A mapping is expected here.")
        self._raw: Mapping[Any, Any] = raw
        self._left = dict(raw)
        self._where = where

    def take(self, name: str) -> Any:
        """Return the member's value without checking it. Raises ``InvalidInput`` if the member is missing."""
        if name not in self._left:
            raise self.invalid(name, self._missing(name))
        return self._left.pop(name)

    def place(self, name: str) -> str:
        """Return where the member is, in the form that errors show: ``file: member: member``."""
        return f"{self._where}: {name}"

    def invalid(self, name: str, message: str, code: str | None = None) -> InvalidInput:
        """Return the error for a wrong member. ``code``, if given, replaces the reader's own code."""
        return self._error(self.place(name), message, code)

    def nested(self, name: str) -> Self:
        """Return a reader for the members of a member whose value is a mapping."""
        return type(self)(self.take(name), self.place(name))

    def text(self, name: str) -> str:
        """Return a text of 1 to 2,000 characters."""
        value = self.take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 2_000:
            raise self.invalid(name, "应为 1 至 2,000 字的文字。A text of 1 to 2,000 characters is expected.")
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a text that matches the pattern from its beginning to its end."""
        value = self.text(name)
        if not pattern.fullmatch(value):
            raise self.invalid(name, f"格式应符合 {pattern.pattern}。The text must match {pattern.pattern}.")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``."""
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:
            raise self.invalid(name, f"应为 {low} 至 {high} 的整数。An integer from {low} to {high} is expected.")
        return value

    def boolean(self, name: str) -> bool:
        """Return a boolean."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise self.invalid(name, "应为 true 或 false。True or false is expected.")
        return value

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """Return one of the choices."""
        value = self.take(name)
        if value not in choices:
            raise self.invalid(name, f"应为下列之一。Use one of: {', '.join(choices)}.")
        return str(value)

    def items(self, name: str) -> Sequence[Any]:
        """Return a list; its items are not checked."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self.invalid(name, "应为列表。A list is expected.")
        return value

    def choices(self, name: str, choices: Sequence[str]) -> Sequence[str]:
        """Return a list whose items are among the choices. No item may be repeated."""
        values = self.items(name)
        if any(value not in choices for value in values):
            raise self.invalid(name, f"每项应为下列之一。Each item must be one of: {', '.join(choices)}.")
        if len(set(values)) != len(values):
            raise self.invalid(name, "有重复项。An item is repeated.")
        return values

    def each(self, name: str, parse: Callable[[Self], T], most: int) -> tuple[T, ...]:
        """Return a list of at most ``most`` mappings; ``parse`` reads each mapping and must read all its members."""
        values = self.items(name)
        if len(values) > most:
            raise self.invalid(name, f"至多 {most} 项。At most {most} items are allowed.")
        found = []
        for number, value in enumerate(values):
            reader = type(self)(value, f"{self.place(name)}[{number}]")
            found.append(parse(reader))
            reader.require_nothing_else()
        return tuple(found)

    def day(self, name: str) -> date:
        """Return a day that is written ``YYYY-MM-DD``."""
        value = self.take(name)
        try:
            return day_of(value if isinstance(value, str) else "")
        except InvalidInput:
            raise self.invalid(name, "应为日期 YYYY-MM-DD。A day is expected: YYYY-MM-DD.") from None

    def bilingual(self, name: str) -> Bilingual:
        """Return a text in both languages."""
        reader = self.nested(name)
        both = Bilingual(reader.text("zh"), reader.text("en"))
        reader.require_nothing_else()
        return both

    def bilingual_or_null(self, name: str) -> Bilingual | None:
        """Return a text in both languages, or None if the member is null."""
        if name in self._left and self._left[name] is None:
            self.take(name)
            return None
        return self.bilingual(name)

    def digest(self) -> str:
        """Return the digest of the whole definition, after checking that every member was read."""
        self.require_nothing_else()
        return digest(canonical(self._raw))

    def require_nothing_else(self) -> None:
        """Raise ``InvalidInput`` for the first member that was not read."""
        for name in self._left:
            raise self.invalid(str(name), "没有这一项。This member is not known.")

    def _missing(self, name: str) -> str:
        left = [str(key) for key in self._left]
        # If the author wrote a full-width colon, YAML reads the member's name and value as one word.
        written = [key for key in left if key.startswith(f"{name}：")] or get_close_matches(name, left, 1, 0.8)
        if not written:
            return "缺少此项。This member is missing."
        return f"缺少此项，可能误写为 {written[0]}。This member is missing; perhaps it was written as {written[0]}."

    def _error(self, where: str, message: str, code: str | None = None) -> InvalidInput:
        return InvalidInput(code or self.code, message, where=where, hint=self.hint)
