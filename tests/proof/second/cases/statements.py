"""Cases for comparing the verifiers: the entries of a genuine bundle with other values in their members."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import islice
from operator import getitem
from typing import Any

from ledger.errors import InvalidInput
from tests.proof.attacks.tampering import PAYLOAD, decoded
from tests.proof.second.cases import odd_values
from tests.proof.second.entries import ENTRIES, require_entry
from tests.proof.second.notation import Refused
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import CHAIN, Entry
from tests.support.bundles.damage import damaged, spots

STATEMENTS: dict[str, Entry] = {
    {"authorization": "consent", "provision": "supply"}.get(entry["type"], entry["type"]): entry
    for entry in (json.loads(item.entry) for item in reversed(usage().bundle.evidence))
} | {"claims": json.loads(decoded(PAYLOAD))}
"""Each entry, under the name of the parameter of ``usage`` that changes the entry."""
REGISTRATION: Entry = json.loads(decoded(registration().token.split(".")[1]))


def found_in(entry: Entry) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the values in an entry that can be changed, each with its path. Of a list, only the first item is used;
    type, version and class are left out.
    """
    fixed = ("type", "v", "class", "vct", "transferable", "rule")
    ways = [way for way in spots(entry) if way and not any(step in fixed or step in range(1, 64) for step in way)]
    return [(way, reduce(getitem, way, entry)) for way in ways]


EVERYTHING = [value for entry in (*STATEMENTS.values(), REGISTRATION) for _, value in found_in(entry)]
NATURAL = list({json.dumps(value): value for value in EVERYTHING}.values())
CLAIMS = STATEMENTS["claims"]
ITEMS = [STATEMENTS["request"]["sources"][0], CLAIMS["components"][0], REGISTRATION["rights"][0]]
VALUES = [*NATURAL, *odd_values.VALUES, *([item] * size for item in ITEMS for size in (8, 9, 259, 260))]
DAMAGE = [("remove", None), ("repeat", None), ("reverse", None), *(("replace", value) for value in VALUES)]


def accepted(check: Callable[[Entry], None], entry: Entry) -> bool:
    try:
        check(entry)
    except (InvalidInput, Refused):
        return False
    return True


def sample_of(kind: str) -> Entry:
    """Return an entry of this type: one of ``STATEMENTS``, or an entry that is made here of valid values."""
    for entry in (*STATEMENTS.values(), REGISTRATION):
        if kind in (entry["type"], entry.get("class")):
            return entry
    fitting = {name: next(value for value in VALUES if form(value)) for name, form in ENTRIES[kind].items()}
    return {"type": kind, "v": 2, "ledger": CHAIN.ledger} | fitting


def names_like(name: str) -> list[str]:
    return ["", name.upper(), name + "\n", name[:-1], name + "0", name[:-1] + "Ａ"]


def odd_members(document: Any) -> Iterator[Any]:
    """For each value in the document, yield the document without this value, and with values of other forms in its
    place.
    """
    for way, value in found_in(document):
        if isinstance(value, str):
            others: list[Any] = [value + "\n", value[:-1], value.upper(), value + "0", value[:-1] + "Ａ"]
        else:
            others = [value + 1, value - 1] if type(value) is int else [[value], {"x": value}]
        yield from (damaged(document, way, damage, None) for damage in ("remove", "repeat", "reverse"))
        yield from (damaged(document, way, "replace", other) for other in (*odd_values.ANY, *others))
        if isinstance(value, dict):
            yield damaged(document, way, "replace", value | {"more": 1})
            for name in [*value][:1]:
                rest = {other: value[other] for other in value if other != name}
                yield from (damaged(document, way, "replace", rest | {odd: value[name]}) for odd in names_like(name))


def alike(one: Any, other: Any) -> bool:
    """Return whether two values are of one kind: both ids, both digests, or both short texts."""
    sizes = {len(value) if isinstance(value, str) and len(value) > 26 else 0 for value in (one, other)}
    return type(one) is type(other) and len(sizes) == 1


def other_statements(entry: Entry) -> Iterator[Entry]:
    """Yield well-formed entries in which one value was increased, removed, reversed, or replaced by a similar value."""
    for way, old in found_in(entry):
        near = [("increase", None), ("remove", None), ("reverse", None)]
        others = [("replace", value) for value in NATURAL if alike(value, old)]
        made = (damaged(entry, way, damage, value) for damage, value in (*near, *others))
        yield from islice((each for each in made if each != entry and accepted(require_entry, each)), 3)
