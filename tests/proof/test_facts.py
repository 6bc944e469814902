"""Saved facts: what is written is read again as it was, and nothing of another form or type is."""

from __future__ import annotations

import json

import pytest

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle
from ledger.proof.facts_file import parse_facts
from ledger.proof.verifier import verify
from tests.proof.builder import usage
from tests.proof.cast import (
    ANCHORED,
    AT,
    EXPECT,
    OTHER_BANK,
    SUBJECT,
)

GENUINE = usage()
HOLD = (("authority", "supervisor"), "court", AT)


def test_withdrawals_and_holds_are_saved_with_the_facts() -> None:
    made = GENUINE.withdrawn((OTHER_BANK, ANCHORED), (SUBJECT, AT)).on_hold(HOLD).used(AT - 1, AT)
    saved = parse_facts(made.facts.to_bytes())
    assert saved == made.facts
    assert verify(made.bundle, saved, AT, EXPECT) == made.verify()


@pytest.mark.parametrize("damage", ["key", "valid_from", "party"])
def test_facts_of_other_types_are_refused_when_they_are_read(damage: str) -> None:
    facts = GENUINE.facts.to_dict()
    account = next(iter(facts["accounts"].values()))
    account[damage] = [account[damage]]
    with pytest.raises(BadBundle, match="FACTS_FORM"):
        parse_facts(canonical(facts))


DAMAGES: list[tuple[str, dict[str, object]]] = [
    ("withdrawals", {"party": 5}),
    ("withdrawals", {"party": "77"}),
    ("withdrawals", {"statement": None}),
    ("withdrawals", {"at": "soon"}),
    ("withdrawals", {"at": True}),
    ("withdrawals", {"at": -1}),
    ("holds", {"statement": "sha-256:" + "77" * 32}),
    ("holds", {"history": None}),
    ("holds", {"history": [{"offices": "authority", "reason": "court", "at": 1, "by": 9}]}),
    ("holds", {"history": [{"offices": ["bank"], "reason": "court", "at": 1, "by": 9}]}),
    ("holds", {"history": [{"offices": [], "reason": "court", "at": "1", "by": 9}]}),
    ("uses", {"consumer": 7}),
    ("uses", {"request": ""}),
    ("uses", {"history": [{"ordinal": "1", "at": 1}]}),
    ("uses", {"history": [{"ordinal": 1, "at": 1, "by": 2}]}),
    ("status", {"issuer": True}),
    ("status", {"history": [{"status": "revoked", "reason": "fraud"}]}),
    ("anchors", {"commitment": "00"}),
    ("anchors", {"batch": "3"}),
    ("logs", {"issuer": None}),
    ("logs", {"batches": 1.0}),
]


@pytest.mark.parametrize(("member", "damage"), DAMAGES, ids=[f"{member}-{damage}" for member, damage in DAMAGES])
def test_histories_of_other_types_are_refused_when_they_are_read(member: str, damage: dict[str, object]) -> None:
    facts = GENUINE.facts.to_dict()
    facts[member][0] |= damage
    with pytest.raises(BadBundle):
        parse_facts(json.dumps(facts).encode())


@pytest.mark.parametrize("member", ["logs", "anchors", "status", "holds", "uses", "withdrawals"])
def test_facts_that_say_a_thing_twice_are_refused(member: str) -> None:
    """One of the two would hide the other."""
    facts = GENUINE.facts.to_dict()
    facts[member].append(facts[member][0])
    with pytest.raises(BadBundle, match="FACTS_FORM"):
        parse_facts(canonical(facts))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "pingzheng-facts/1"}, "PROTOCOL_UNSUPPORTED"),
        ({"format": "pingzheng-facts/3"}, "FACTS_FORM"),
        ({"cosignatures": ["anything"]}, "FACTS_FORM"),
        ({"heads": {"party_registry": "00" * 32}}, "FACTS_FORM"),
        ({"chain": {"chain_id": 1337}}, "FACTS_FORM"),
    ],
)
def test_facts_of_another_form_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(BadBundle, match=code):
        parse_facts(canonical(GENUINE.facts.to_dict() | change))
