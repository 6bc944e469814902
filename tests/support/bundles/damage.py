"""Damages JSON documents at random."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ODD = [
    "",
    "~",
    ".",
    "0x",
    "sha-256:",
    "\ud800",
    "00" * 32,
    2**53 - 1,
    2**53,
    -1,
    0,
    1.5,
    None,
    True,
    [],
    {},
    [[]],
    [{}],
]

values = st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.sampled_from(ODD))


def spots(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to each value in a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(spot for step, item in inner for spot in spots(item, (*way, step)))]


def damaged(document: Any, way: tuple[Any, ...], damage: str, value: Any) -> Any:
    document = copy.deepcopy(document)
    if not way:
        return value
    *above, last = way
    holder = document
    for step in above:
        holder = holder[step]
    if damage == "remove":
        del holder[last]
    elif damage == "repeat" and isinstance(holder, list):
        holder.insert(last, holder[last])
    elif damage == "reverse" and isinstance(holder[last], (list, str)):
        holder[last] = holder[last][::-1]
    elif damage == "increase" and type(holder[last]) is int:
        holder[last] += 1
    else:
        holder[last] = value
    return document


DAMAGES = st.sampled_from(["remove", "repeat", "reverse", "increase", "replace"])
