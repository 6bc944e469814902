"""Rules that a value fits or not, put together from smaller ones: what schemas of entries are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

Rule = Callable[[Any], bool]

MAX_ITEMS: Final = 64


def matches(pattern: re.Pattern[str]) -> Rule:
    """A text that the pattern matches in full."""
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def integer(low: int, high: int) -> Rule:
    """An integer within both bounds; a truth value is none."""
    return lambda value: type(value) is int and low <= value <= high


def one_of(*choices: str) -> Rule:
    """One of these texts."""
    return lambda value: value in choices


def list_of(rule: Rule, *, low: int = 1, high: int = MAX_ITEMS) -> Rule:
    """So many that all fit."""
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(rule, value))


def set_of(rule: Rule, *, low: int = 1, high: int = MAX_ITEMS) -> Rule:
    """So many that all fit, each once; of what can be hashed."""
    items = list_of(rule, low=low, high=high)
    return lambda value: items(value) and len(set(value)) == len(value)


def named_once(rule: Rule) -> Rule:
    """A list of objects that all fit, no two with the same ``name``."""
    items = list_of(rule)
    return lambda value: items(value) and len({item["name"] for item in value}) == len(value)


def object_of(members: Mapping[str, Rule]) -> Rule:
    """An object with exactly these members, each of which fits."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == members.keys()
        and all(rule(value[name]) for name, rule in members.items())
    )


def map_of(name: Rule, rule: Rule) -> Rule:
    """An object whose member names fit ``name`` and whose values fit ``rule``, no value twice; they can be hashed."""
    return lambda value: (
        isinstance(value, dict)
        and len(value) <= MAX_ITEMS
        and all(map(name, value))
        and all(map(rule, value.values()))
        and len(set(value.values())) == len(value)
    )


def or_null(rule: Rule) -> Rule:
    """What fits, or nothing."""
    return lambda value: value is None or rule(value)


def text(value: Any, limit: int) -> bool:
    """A text of 1 to ``limit`` characters."""
    return isinstance(value, str) and 1 <= len(value) <= limit


def boolean(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def day(value: Any) -> bool:
    """A day that exists, ``YYYY-MM-DD``."""
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def document(value: Any) -> bool:
    """An object of some members, whatever they are."""
    return isinstance(value, dict) and 1 <= len(value) <= MAX_ITEMS
