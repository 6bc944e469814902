"""Reads the access table, idor.yaml: which caller may use which route for which object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_TABLE: Final = yaml.safe_load(Path(__file__).with_name("idor.yaml").read_text("utf-8"))
CALLERS: Final = "".join(_TABLE["callers"])
# The possible results of a call that is not refused. The result of a refused call is its HTTP status.
DONE, SHOWN, NOT_SHOWN = "let through", "answered, with it", "answered, without it"
SIGNED_OUT: Final = "UE"
_ABOUT: Final = {"answered", "late", "refused", "scope"}


def _letters(text: str) -> frozenset[str]:
    letters = frozenset(_TABLE.get(text, text))
    assert letters <= set(CALLERS), text
    return letters


@dataclass(frozen=True)
class Row:
    """A route, or a variant (``?…``) of a route; ``kinds`` maps each kind of object to its allowed callers."""

    route: str
    kinds: Mapping[str, frozenset[str]]
    answered: frozenset[str] | None
    late: frozenset[str]
    refused: Mapping[str, str]
    scope: str | None

    def expected(self, kind: str, who: str) -> str:
        """Return the expected result: DONE, SHOWN, NOT_SHOWN, or the HTTP status of a refusal."""
        allowed = self.kinds[kind]
        if self.answered is None:
            return DONE if who in allowed else self._refusal(who)
        assert allowed <= self.answered
        if who not in self.answered:
            return self._refusal(who)
        return SHOWN if who in allowed else NOT_SHOWN

    def _refusal(self, who: str) -> str:
        return self.refused.get(who, "401" if who in SIGNED_OUT else "403")


def _row(name: str, said: Mapping[str, Any]) -> Row:
    late, answered = said.get("late", []), said.get("answered")
    refused = {who: str(status) for text, status in said.get("refused", {}).items() for who in _letters(text)}
    return Row(
        route=name.partition("?")[0],
        kinds={kind: _letters(text) for kind, text in said.items() if kind not in _ABOUT},
        answered=None if answered is None else _letters(answered),
        late=frozenset([late] if isinstance(late, str) else late),
        refused=refused,
        scope=said.get("scope"),
    )


ROWS: Final = {name: _row(name, said) for name, said in _TABLE["routes"].items()}
CELLS: Final = [(name, kind, who) for name, row in ROWS.items() for kind in row.kinds for who in CALLERS]
