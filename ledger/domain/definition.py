"""Definitions that people write in files: their members taken out one by one, each checked, and none left over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ledger.domain.canonical import canonical, digest
from ledger.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in Chinese and English."""

    zh: str
    en: str


class DefinitionReader:
    """Takes members out of a definition one by one; what is left over is a mistake.

    A subclass gives the error's code and hint. ``where`` is ``file: member: member``.
    """

    code: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, dict):
            raise self._error(where, "A mapping is expected here.")
        self._raw: Mapping[Any, Any] = raw
        self._left = dict(raw)
        self._where = where

    def take(self, name: str) -> Any:
        """The member as it is."""
        if name not in self._left:
            raise self.invalid(name, "This member is missing.")
        return self._left.pop(name)

    def place(self, name: str) -> str:
        """Where the member stands, as errors name it."""
        return f"{self._where}: {name}"

    def invalid(self, name: str, message: str) -> InvalidInput:
        """The error that the member is wrong."""
        return self._error(self.place(name), message)

    def nested(self, name: str) -> Self:
        """A reader of the mapping that the member is."""
        return type(self)(self.take(name), self.place(name))

    def text(self, name: str) -> str:
        """A text of 1 to 2,000 characters."""
        value = self.take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 2_000:
            raise self.invalid(name, "A text of 1 to 2,000 characters is expected.")
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """A text that the pattern matches in full."""
        value = self.text(name)
        if not pattern.fullmatch(value):
            raise self.invalid(name, f"It must match {pattern.pattern}.")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer within both bounds."""
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:
            raise self.invalid(name, f"An integer from {low} to {high} is expected.")
        return value

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise self.invalid(name, "True or false is expected.")
        return value

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """One of the choices."""
        value = self.take(name)
        if value not in choices:
            raise self.invalid(name, f"One of: {', '.join(choices)}.")
        return str(value)

    def items(self, name: str) -> Sequence[Any]:
        """A list of whatever."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self.invalid(name, "A list is expected.")
        return value

    def choices(self, name: str, choices: Sequence[str]) -> Sequence[str]:
        """A list of some of the choices."""
        values = self.items(name)
        if any(value not in choices for value in values):
            raise self.invalid(name, f"Each is one of: {', '.join(choices)}.")
        return values

    def bilingual(self, name: str) -> Bilingual:
        """A text in both languages."""
        reader = self.nested(name)
        both = Bilingual(reader.text("zh"), reader.text("en"))
        reader.require_nothing_else()
        return both

    def digest(self) -> str:
        """Of the whole definition, once every member was taken: what is not known need not be canonical."""
        self.require_nothing_else()
        return digest(canonical(self._raw))

    def require_nothing_else(self) -> None:
        """Raise for the first member that was not taken."""
        for name in self._left:
            raise self.invalid(str(name), "This member is not known.")

    def _error(self, where: str, message: str) -> InvalidInput:
        return InvalidInput(self.code, message, where=where, hint=self.hint)
