# SPDX-License-Identifier: Apache-2.0
"""The allowed values of a rule's members, such as columns, edges of bands, choices, and periods of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from ledger.domain.rules import supplied_rows as cells

Rule = Mapping[str, Any]

MAX_LAST: Final = 600
# The maximum number of points in a series. This number of points fits into one disclosure of a certificate, even if all
# numbers are as long as possible.
MAX_SERIES: Final = 36


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a rule. It has a function that checks the member's value, and a description of valid values in
    Chinese and English.
    """

    fits: Callable[[Any, Rule], bool]
    zh: str
    en: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64 and value == value.strip()


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and cells.is_number(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _are_edges(value: Any) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= 20 or not all(map(_is_number, value)):
        return False
    return all(Fraction(low) < Fraction(high) for low, high in pairwise(value))


def whole(low: int, high: int) -> Member:
    return Member(
        lambda value, _: type(value) is int and low <= value <= high,
        f" {low} 至 {high} 的整数",
        f"an integer from {low} to {high}",
    )


COLUMN: Final = Member(lambda value, _: _is_text(value), "列名", "the name of a column, up to 64 characters")
UNIT: Final = Member(lambda value, _: value in cells.UNITS.values(), " year、month 或 day", "one of: year, month, day")
EDGES: Final = Member(
    lambda value, _: _are_edges(value),
    "至多 20 个由小到大、带引号的数字",
    'up to 20 numbers in rising order, each in quotes, such as ["10", "20"]',
)
THRESHOLD: Final = Member(lambda value, _: _is_number(value), "带引号的数字", 'a number in quotes, such as "95"')
CHOICES: Final = Member(
    lambda value, _: _are_texts(value) and 2 <= len(value) <= 32,
    "2 至 32 个互不相同的文字（yes、no 须加引号）",
    '2 to 32 different texts, with "yes" and "no" in quotes',
)
WANTED: Final = Member(
    lambda value, rule: _are_texts(value) and len(value) > 0 and set(value) < set(rule["choices"]),
    " choices 的一部分，不能为空，也不能是全部",
    "some of the choices, but not all of them",
)
NEWEST: Final = {"column": COLUMN, "order": COLUMN}
SPAN: Final = {"order": COLUMN, "unit": UNIT}
LAST: Final = SPAN | {"last": whole(1, MAX_LAST)}
SERIES: Final = {"column": COLUMN, **SPAN, "last": whole(1, MAX_SERIES)}
CHOSEN: Final = {"choices": CHOICES, "wanted": WANTED}
PERCENT: Final = whole(0, 100)
