"""Definitions that people write in files: their members taken out one by one, each checked, and none left over."""

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
# Later ones have no day after them.


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in Chinese and English."""

    zh: str
    en: str


class DefinitionReader:
    """Takes members out of a definition one by one; what is left over is a mistake.

    A subclass gives the error's code and hint. ``where`` is ``file: member: member``. Definitions are written by civil
    servants: messages are in Chinese and English.
    """

    code: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, dict):
            raise self._error(where, "这里应为若干成员。A mapping is expected here.")
        self._raw: Mapping[Any, Any] = raw
        self._left = dict(raw)
        self._where = where

    def take(self, name: str) -> Any:
        """The member as it is."""
        if name not in self._left:
            raise self.invalid(name, self._missing(name))
        return self._left.pop(name)

    def place(self, name: str) -> str:
        """Where the member stands, as errors name it."""
        return f"{self._where}: {name}"

    def invalid(self, name: str, message: str, code: str | None = None) -> InvalidInput:
        """The error that the member is wrong; ``code`` where it has one of its own."""
        return self._error(self.place(name), message, code)

    def nested(self, name: str) -> Self:
        """A reader of the mapping that the member is."""
        return type(self)(self.take(name), self.place(name))

    def text(self, name: str) -> str:
        """A text of 1 to 2,000 characters."""
        value = self.take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 2_000:
            raise self.invalid(name, "应为 1 至 2,000 字的文字。A text of 1 to 2,000 characters is expected.")
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """A text that the pattern matches in full."""
        value = self.text(name)
        if not pattern.fullmatch(value):
            raise self.invalid(name, f"格式应符合 {pattern.pattern}。It must match {pattern.pattern}.")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer within both bounds."""
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:
            raise self.invalid(name, f"应为 {low} 至 {high} 的整数。An integer from {low} to {high} is expected.")
        return value

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise self.invalid(name, "应为 true 或 false。True or false is expected.")
        return value

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """One of the choices."""
        value = self.take(name)
        if value not in choices:
            raise self.invalid(name, f"应为下列之一。One of: {', '.join(choices)}.")
        return str(value)

    def items(self, name: str) -> Sequence[Any]:
        """A list of whatever."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self.invalid(name, "应为列表。A list is expected.")
        return value

    def choices(self, name: str, choices: Sequence[str]) -> Sequence[str]:
        """A list of some of the choices, each once."""
        values = self.items(name)
        if any(value not in choices for value in values):
            raise self.invalid(name, f"每项应为下列之一。Each is one of: {', '.join(choices)}.")
        if len(set(values)) != len(values):
            raise self.invalid(name, "有重复项。One of them stands twice.")
        return values

    def each(self, name: str, parse: Callable[[Self], T], most: int) -> tuple[T, ...]:
        """A list of mappings, each read by ``parse`` to its last member."""
        values = self.items(name)
        if len(values) > most:
            raise self.invalid(name, f"至多 {most} 项。At most {most} are allowed.")
        found = []
        for number, value in enumerate(values):
            reader = type(self)(value, f"{self.place(name)}[{number}]")
            found.append(parse(reader))
            reader.require_nothing_else()
        return tuple(found)

    def day(self, name: str) -> date:
        """A day, written ``YYYY-MM-DD``."""
        value = self.take(name)
        try:
            return day_of(value if isinstance(value, str) else "")
        except InvalidInput:
            raise self.invalid(name, "应为日期 YYYY-MM-DD。A day is expected: YYYY-MM-DD.") from None

    def bilingual(self, name: str) -> Bilingual:
        """A text in both languages."""
        reader = self.nested(name)
        both = Bilingual(reader.text("zh"), reader.text("en"))
        reader.require_nothing_else()
        return both

    def bilingual_or_null(self, name: str) -> Bilingual | None:
        """A text in both languages, or an explicit nothing."""
        if name in self._left and self._left[name] is None:
            self.take(name)
            return None
        return self.bilingual(name)

    def digest(self) -> str:
        """Of the whole definition, once every member was taken: what is not known need not be canonical."""
        self.require_nothing_else()
        return digest(canonical(self._raw))

    def require_nothing_else(self) -> None:
        """Raise for the first member that was not taken."""
        for name in self._left:
            raise self.invalid(str(name), "没有这一项。This member is not known.")

    def _missing(self, name: str) -> str:
        left = [str(key) for key in self._left]
        # A full-width colon makes one word of the member and its value.
        written = [key for key in left if key.startswith(f"{name}：")] or get_close_matches(name, left, 1, 0.8)
        if not written:
            return "缺少此项。This member is missing."
        return f"缺少此项，可能误写为 {written[0]}。This member is missing; is {written[0]} meant?"

    def _error(self, where: str, message: str, code: str | None = None) -> InvalidInput:
        return InvalidInput(code or self.code, message, where=where, hint=self.hint)
