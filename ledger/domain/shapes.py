# SPDX-License-Identifier: Apache-2.0
"""Rules for values. The schemas of entries consist of such rules. A rule is a function that returns whether a value
fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

Rule = Callable[[Any], bool]

MAX_ITEMS: Final = 64


def matches(pattern: re.Pattern[str]) -> Rule:
    """Return a rule for a text that matches the pattern from its beginning to its end."""
    fits = pattern.fullmatch
    return lambda value: isinstance(value, str) and fits(value) is not None


def integer(low: int, high: int) -> Rule:
    """Return a rule for an integer from ``low`` to ``high``. A boolean does not fit."""
    return lambda value: type(value) is int and low <= value <= high


def one_of(*choices: str) -> Rule:
    """Return a rule for one of these texts."""
    return lambda value: value in choices


def list_of(rule: Rule, *, low: int = 1, high: int = MAX_ITEMS) -> Rule:
    """Return a rule for a list of ``low`` to ``high`` items that all fit ``rule``."""
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(rule, value))


def set_of(rule: Rule, *, low: int = 1, high: int = MAX_ITEMS) -> Rule:
    """Return a rule for a list that fits ``list_of`` and repeats no item. The items must be hashable."""
    items = list_of(rule, low=low, high=high)
    return lambda value: items(value) and len(set(value)) == len(value)


def named_once(rule: Rule) -> Rule:
    """Return a rule for a list of objects that all fit ``rule``. No two objects may have the same ``name``."""
    items = list_of(rule)
    return lambda value: items(value) and len({item["name"] for item in value}) == len(value)


def object_of(members: Mapping[str, Rule]) -> Rule:
    """Return a rule for an object that has exactly these members. Each member must fit its own rule."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == members.keys()
        and all(rule(value[name]) for name, rule in members.items())
    )


def map_of(name: Rule, rule: Rule) -> Rule:
    """Return a rule for an object with any members. Their names must fit ``name``. Their values must fit ``rule``, be
    hashable and all be different.
    """
    return lambda value: (
        isinstance(value, dict)
        and len(value) <= MAX_ITEMS
        and all(map(name, value))
        and all(map(rule, value.values()))
        and len(set(value.values())) == len(value)
    )


def or_null(rule: Rule) -> Rule:
    """Return a rule for a value that is null or fits ``rule``."""
    return lambda value: value is None or rule(value)


def text(value: Any, limit: int) -> bool:
    """Return whether the value is a text of 1 to ``limit`` characters."""
    return isinstance(value, str) and 1 <= len(value) <= limit


def boolean(value: Any) -> bool:
    """Return whether the value is true or false."""
    return isinstance(value, bool)


def day(value: Any) -> bool:
    """Return whether the value is an existing day, written ``YYYY-MM-DD``."""
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def document(value: Any) -> bool:
    """Return whether the value is an object with 1 to ``MAX_ITEMS`` members of any kind."""
    return isinstance(value, dict) and 1 <= len(value) <= MAX_ITEMS
