"""The titles of an asset's events, and the names that are shown for the numbers in their arguments."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.assets.events import EVENT_TITLES, NAME_TITLES, documents_in, names_in, parties_in
from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    ASSESSMENTS,
    ASSET_STATES,
    OBJECTION_STATES,
    RELATIONS,
    RIGHT_KINDS,
    STAGES,
)
from ledger.domain.grades import ASSET_GRADES
from ledger.domain.reasons import REASONS
from ledger.proof.head import EVENTS

SAID = "1f" * 32
NONE = "00" * 32
FIELDS = {name.partition(".")[2]: fields for name, (_, fields) in EVENTS.items() if name.startswith("AssetRegistry.")}
NAMED = ("kind", "stage", "state", "reason", "relation", "grade")
PARTIES = ("holder", "grantee", "creditor")
# These event arguments identify an asset or its content; they are not digests of documents.
IDENTIFIERS = ("id", "fingerprint", "parent", "successor")
# In the event RightGranted, "from" and "to" are times; in all other events, they are parties.
TIMES = {("RightGranted", "from"), ("RightGranted", "to")}
TABLES = (
    APPLICATION_KINDS,
    STAGES,
    ASSET_STATES,
    OBJECTION_STATES,
    RIGHT_KINDS,
    RELATIONS,
    ASSESSMENTS,
    ASSET_GRADES,
    REASONS,
)


def args_of(event: str, number: int) -> dict[str, Any]:
    return {name: SAID if kind == "bytes32" else number for name, kind in FIELDS[event]}


def test_every_event_has_a_title() -> None:
    assert EVENT_TITLES.keys() == FIELDS.keys()


@pytest.mark.parametrize("event", FIELDS)
def test_every_coded_number_of_an_event_gets_its_name(event: str) -> None:
    names = names_in(event, args_of(event, 1))
    assert names.keys() == {name for name, _ in FIELDS[event] if name in NAMED}
    assert names_in(event, args_of(event, 99)) == {name: f"{name}_99" for name in names}


@pytest.mark.parametrize("event", FIELDS)
def test_every_party_of_an_event_is_returned(event: str) -> None:
    fields = {name for name, _ in FIELDS[event] if name in (*PARTIES, "from", "to") and (event, name) not in TIMES}
    assert parties_in(event, args_of(event, 7)) == dict.fromkeys(fields, 7)
    assert parties_in(event, args_of(event, 0)) == {}


@pytest.mark.parametrize("event", FIELDS)
def test_every_document_of_an_event_is_returned(event: str) -> None:
    args = args_of(event, 1)
    fields = {name for name, kind in FIELDS[event] if kind == "bytes32" and name not in IDENTIFIERS}
    assert documents_in(args) == dict.fromkeys(fields, SAID)
    assert documents_in(args | dict.fromkeys(fields, NONE)) == {}


NUMBERS: dict[str, tuple[str, dict[str, int], dict[str, str]]] = {
    "filed": ("Filed", {"kind": 4, "grade": 0}, {"kind": "renew", "grade": "general"}),
    "noticed": ("Advanced", {"stage": 4}, {"stage": "noticed"}),
    "upheld": ("ObjectionDecided", {"state": 4}, {"state": "upheld"}),
    "frozen": ("Frozen", {"reason": 4}, {"reason": "court"}),
    "granted": ("RightGranted", {"kind": 2}, {"kind": "operate"}),
    "linked": ("Linked", {"relation": 0}, {"relation": "derived_from"}),
    "assessed": ("Assessed", {"kind": 1}, {"kind": "valuation"}),
    "of a later version": ("Assessed", {"kind": 2}, {"kind": "kind_2"}),
}


@pytest.mark.parametrize(("event", "args", "names"), NUMBERS.values(), ids=NUMBERS)
def test_a_coded_number_of_an_event_gets_the_expected_name(
    event: str, args: dict[str, int], names: dict[str, str]
) -> None:
    assert names_in(event, args) == names


def test_every_name_of_a_coded_number_has_a_title() -> None:
    """Only ``none`` and ``filed`` (the first state of an objection) have no title, because no event contains them."""
    assert {name for table in TABLES for name in table} - NAME_TITLES.keys() == {"none", "filed"}
