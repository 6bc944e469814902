"""Saved facts: reading gives exactly what was written, and facts of another form or type are refused."""

from __future__ import annotations

import json

import pytest

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle
from ledger.proof.facts import ProposedKey
from ledger.proof.facts_file import parse_facts
from ledger.proof.verifier import verify
from tests.support.bundles.cast import ANCHORED, AT, EXPECT, ISSUER, OTHER_BANK, SUBJECT
from tests.support.bundles.genuine import GENUINE

HOLD = (("authority", "supervisor"), "court", AT)


def test_withdrawals_and_holds_are_unchanged_after_saving() -> None:
    made = GENUINE.withdrawn((OTHER_BANK, ANCHORED), (SUBJECT, AT)).on_hold(HOLD).used(AT - 1, AT)
    made = made.withdrawn((SUBJECT, AT - 1), by_reported_key=True)
    saved = parse_facts(made.facts.to_bytes())
    assert saved == made.facts
    assert verify(made.bundle, saved, AT, EXPECT) == made.verify()


def test_reports_and_proposals_of_keys_are_unchanged_after_saving() -> None:
    made = GENUINE.account(SUBJECT, reported_at=AT, proposal=ProposedKey(3, 0, 5))
    accounts = parse_facts(made.facts.to_bytes()).accounts
    assert accounts == made.facts.accounts
    assert (accounts[ISSUER.account].proposal, accounts[SUBJECT.account].proposal) == (None, ProposedKey(3, 0, 5))


ACCOUNT_DAMAGES: list[dict[str, object]] = [
    {"reported_at": None},
    {"reported_at": False},
    {"reported_at": -1},
    {"compromised_at": -1},
    {"party": "firm"},
    {"proposal": []},
    {"proposal": {}},
    {"proposal": 7},
    {"proposal": {"by": 1, "confirmed_by": 3}},
    {"proposal": {"by": 1, "confirmed_by": None, "at": 1}},
    {"proposal": {"by": -1, "confirmed_by": 3, "at": 1}},
    {"proposal": {"by": 1, "confirmed_by": 3, "at": True}},
    {"proposal": {"by": 1, "confirmed_by": 3, "at": 1, "no": 4}},
    {"proven": True},
]


@pytest.mark.parametrize("damage", ACCOUNT_DAMAGES, ids=str)
def test_account_in_a_wrong_form_is_refused(damage: dict[str, object]) -> None:
    facts = GENUINE.facts.to_dict()
    facts["accounts"][SUBJECT.account] |= damage
    with pytest.raises(BadBundle, match="FACTS_FORM"):
        parse_facts(canonical(facts))


@pytest.mark.parametrize(
    ("member", "name"),
    [("withdrawals", "reported_at"), ("withdrawals", "at"), ("accounts", "reported_at"), ("accounts", "proposal")],
)
def test_facts_without_the_report_of_a_key_are_refused(member: str, name: str) -> None:
    """Facts that an older version saved do not contain reports of keys. With such facts, a reported key would be
    accepted.
    """
    facts = GENUINE.facts.to_dict()
    item = facts[member][0] if member == "withdrawals" else facts[member][SUBJECT.account]
    del item[name]
    with pytest.raises(BadBundle, match="FACTS_FORM"):
        parse_facts(canonical(facts))


@pytest.mark.parametrize("damage", ["key", "valid_from", "party"])
def test_facts_of_wrong_types_are_refused(damage: str) -> None:
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
    ("withdrawals", {"reported_at": None}),
    ("withdrawals", {"reported_at": -1}),
    ("withdrawals", {"by": 3}),
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
def test_histories_of_wrong_types_are_refused(member: str, damage: dict[str, object]) -> None:
    facts = GENUINE.facts.to_dict()
    facts[member][0] |= damage
    with pytest.raises(BadBundle):
        parse_facts(json.dumps(facts).encode())


@pytest.mark.parametrize("member", ["logs", "anchors", "status", "holds", "uses", "withdrawals"])
def test_facts_with_a_repeated_item_are_refused(member: str) -> None:
    """If an item occurred twice, a verifier would use one of the two and ignore the other."""
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
        ({"witnesses": []}, "FACTS_FORM"),
        ({"block": {"number": 1, "hash": "00" * 32, "time": 1, "by": 2}}, "FACTS_FORM"),
        ({"logs": {}}, "FACTS_FORM"),
        ({"accounts": []}, "FACTS_FORM"),
        ({"accounts": {"0X" + "ab" * 20: GENUINE.facts.to_dict()["accounts"][SUBJECT.account]}}, "FACTS_FORM"),
        ({"parties": {"firm": GENUINE.facts.to_dict()["parties"][ISSUER.id]}}, "FACTS_FORM"),
    ],
)
def test_facts_in_a_wrong_form_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(BadBundle, match=code):
        parse_facts(canonical(GENUINE.facts.to_dict() | change))
