"""The state of a statement: withdrawals by its party, on the chain or by an entry, and holds by institutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.proof.facts import AccountFact, WithdrawalFact
from ledger.proof.report import Verdict
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    DEVICE,
    GRID,
    ISSUER,
    OTHER_BANK,
    SUBJECT,
    TAX,
    Actor,
    as_text,
)
from tests.support.bundles.genuine import GENUINE

HOUR = 3_600
OTHER_ID = "01K5M0000000000000000000W2"
WITHDRAWALS = {
    "authorization": (SUBJECT, "AUTHORIZATION_WITHDRAWN"),
    "provision": (TAX, "PROVISION_WITHDRAWN"),
}
WITHDRAW = {
    "on the chain": lambda who, at, of: GENUINE.withdrawn((who, at), of=of),
    "by an entry": lambda who, at, of: GENUINE.withdrawing(who, at, of=of),
}


@pytest.mark.parametrize("way", WITHDRAW)
@pytest.mark.parametrize("what", WITHDRAWALS)
def test_withdrawal_is_effective_from_the_time_of_the_withdrawal(what: str, way: str) -> None:
    who, code = WITHDRAWALS[what]
    made = WITHDRAW[way](who, AT, what)
    assert made.verify(AT - 1).valid
    for at in (AT, AT + HOUR):
        check = made.verify(at).checks[10]
        assert (check.code, check.details) == (code, {"since": AT})
    report = made.verify()
    assert (report.result, report.disclosed, report.claims) == ("revoked", {}, {})


EVERYBODY = (ISSUER, SUBJECT, TAX, GRID, BANK, OTHER_BANK)
OTHERS = [(what, who) for what, (owner, _) in WITHDRAWALS.items() for who in EVERYBODY if who is not owner]


@pytest.mark.parametrize("way", WITHDRAW)
@pytest.mark.parametrize(("what", "who"), OTHERS, ids=[f"{what}-{who.name}" for what, who in OTHERS])
def test_a_withdrawal_by_a_party_other_than_the_signer_has_no_effect(what: str, who: Actor, way: str) -> None:
    made = WITHDRAW[way](who, ANCHORED, what)
    assert made.verify().valid
    owner, code = WITHDRAWALS[what]
    check = made.withdrawn((owner, AT), of=what).verify().checks[10]
    assert (check.code, check.details["since"]) == (code, AT)


@pytest.mark.parametrize("of", ["request", "certificate", "template"])
def test_only_authorizations_and_provisions_can_be_withdrawn(of: str) -> None:
    for who in (SUBJECT, BANK, ISSUER, TAX):
        assert GENUINE.withdrawn((who, ANCHORED), of=of).verify().valid
        assert GENUINE.withdrawing(who, ANCHORED, of=of).verify().valid


def test_earliest_of_several_withdrawals_is_effective() -> None:
    made = GENUINE.withdrawn((SUBJECT, AT)).withdrawing(SUBJECT, AT - HOUR).withdrawing(SUBJECT, AT - 1, id=OTHER_ID)
    assert made.verify().checks[10].details == {"since": AT - HOUR}
    assert made.verify(AT - HOUR - 1).checks[10].code == "OK"


IGNORED: dict[str, dict[str, Any]] = {
    "signed by another party": {"key": BANK},
    "of another statement": {"statement": "sha-256:" + "77" * 32},
    "in the name of another": {"party": BANK.id},
    "signature no JWS": {"signed": "no JWS"},
    "signature of another algorithm": {"signed": "eyJhbGciOiJub25lIn0..AAAA"},
}


@pytest.mark.parametrize("what", IGNORED)
def test_withdrawal_by_a_party_that_did_not_sign_the_statement_is_ignored(what: str) -> None:
    """The withdrawal is ignored, because anyone who has the bundle can add entries to it."""
    changes = dict(IGNORED[what])
    signature = changes.pop("signed", None)
    made = GENUINE.withdrawing(SUBJECT, ANCHORED, **changes)
    if signature is not None:
        entry = dict(made.bundle.evidence[-1].statement) | {"signature": signature}
        made = GENUINE.carrying(as_text(entry), ANCHORED)
    assert made.verify().valid, made.verify().first_failure


@pytest.mark.parametrize(
    ("period", "code"), [({"valid_to": AT}, "OK"), ({"valid_to": AT + 1}, "AUTHORIZATION_WITHDRAWN")]
)
def test_withdrawal_needs_a_key_that_was_valid_at_its_anchor(period: dict[str, int], code: str) -> None:
    assert GENUINE.withdrawing(SUBJECT, AT).account(SUBJECT, **period).verify().checks[10].code == code


@pytest.mark.parametrize("what", WITHDRAWALS)
def test_reported_key_can_withdraw_on_the_chain_only_for_a_subject(what: str) -> None:
    who, code = WITHDRAWALS[what]
    made = GENUINE.withdrawn((who, AT), of=what, by_reported_key=True)
    assert made.verify(AT - 1).valid
    check = made.verify().checks[10]
    if what == "authorization":
        assert (check.code, check.details) == (code, {"since": AT})
    else:
        assert (check.code, made.verify().valid) == ("OK", True)
        check = made.withdrawn((who, AT), of=what).verify().checks[10]
        assert (check.code, check.details) == (code, {"since": AT})


@pytest.mark.parametrize(("at", "reported_at"), [(AT, AT - HOUR), (AT - HOUR, AT)])
def test_withdrawal_with_a_reported_key_counts_only_if_the_subject_made_it(at: int, reported_at: int) -> None:
    for what, since in (("authorization", AT - HOUR), ("provision", at)):
        who, code = WITHDRAWALS[what]
        made = GENUINE.withdrawn((who, at), of=what).withdrawn((who, reported_at), of=what, by_reported_key=True)
        check = made.verify().checks[10]
        assert (check.code, check.details) == (code, {"since": since})
        assert made.verify(since - 1).checks[10].code == "OK"


WRONG_HANDS = {"reported": {"reported_at": AT - HOUR}, "compromised": {"compromised_at": ANCHORED}}
WRONG_HANDS["both"] = WRONG_HANDS["reported"] | WRONG_HANDS["compromised"]


@pytest.mark.parametrize("hands", WRONG_HANDS)
@pytest.mark.parametrize("what", WITHDRAWALS)
def test_withdrawal_entry_with_a_compromised_key_is_accepted_only_for_a_subject(what: str, hands: str) -> None:
    who, code = WITHDRAWALS[what]
    made = GENUINE.withdrawing(who, AT, of=what).account(who, **WRONG_HANDS[hands])
    assert made.verify().checks[10].code == (code if what == "authorization" else "OK")


@pytest.mark.parametrize("hands", WRONG_HANDS)
@pytest.mark.parametrize("period", [{"valid_from": AT + 1}, {"valid_to": AT}], ids=["too early", "retired"])
def test_key_cannot_withdraw_before_its_binding_or_after_its_retirement(period: dict[str, int], hands: str) -> None:
    """The withdrawal is signed with the subject's second key; the first key signed the consent."""
    made = GENUINE.withdrawing(SUBJECT, AT, key=DEVICE).knowing(
        accounts={**GENUINE.facts.accounts, DEVICE.account: bound_to(SUBJECT, **WRONG_HANDS[hands])}
    )
    assert made.verify().checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert made.account(DEVICE, **period).verify().checks[10].code == "OK"


def bound_to(party: Actor, **changes: Any) -> AccountFact:
    """Return the fact about one more account of the party; the account's key is the key of ``DEVICE``."""
    fact = GENUINE.facts.accounts[party.account]
    return replace(fact, key=DEVICE.signer.public_key, **changes)


NEVER_OR_WHEN = st.one_of(st.just(0), st.integers(ANCHORED, AT + HOUR))


@given(NEVER_OR_WHEN, NEVER_OR_WHEN, st.integers(ANCHORED + 1, AT + HOUR))
def test_withdrawal_is_effective_from_its_recorded_time(at: int, reported_at: int, judged: int) -> None:
    """The time 0 means that there is no withdrawal. A provider's withdrawal counts only if its key was not reported."""
    ends = {"authorization": [at, reported_at], "provision": [at]}
    for what, (who, code) in WITHDRAWALS.items():
        made = GENUINE.withdrawn((who, at), of=what).withdrawn((who, reported_at), of=what, by_reported_key=True)
        ended = any(0 < end <= judged for end in ends[what])
        assert made.verify(judged).checks[10].code == (code if ended else "OK")


def test_facts_without_withdrawals_are_refused() -> None:
    """The facts must contain an item for the party and the statement that are checked, even if the party withdrew
    nothing.
    """
    others = ((BANK, "authorization"), (SUBJECT, "provision"))
    other = {(who.id, GENUINE.statement(what)): WithdrawalFact(0, 0) for who, what in others}
    for withdrawals in ({}, other):
        check = GENUINE.knowing(withdrawals=withdrawals).verify().checks[10]
        assert (check.verdict, check.code) == (Verdict.FAILED, "WITHDRAWALS_UNKNOWN")


HOLDS = (
    (("authority",), "court", AT - 9 * HOUR),
    (("authority", "supervisor"), "investigation", AT - 6 * HOUR),
    (("supervisor",), "lifted", AT - 3 * HOUR),
    ((), "lifted", AT),
)
HELD = {
    "certificate": (8, "HELD"),
    "request": (8, "HELD"),
    "authorization": (11, "AUTHORIZATION_HELD"),
    "provision": (11, "PROVISION_HELD"),
}


@pytest.mark.parametrize("what", HELD)
def test_hold_is_effective_until_every_institution_has_lifted_it(what: str) -> None:
    number, code = HELD[what]
    made = GENUINE.on_hold(*HOLDS, of=what)
    for at, offices in (
        (AT - 9 * HOUR - 1, []),
        (AT - 9 * HOUR, ["authority"]),
        (AT - 6 * HOUR, ["authority", "supervisor"]),
        (AT - 1, ["supervisor"]),
        (AT, []),
    ):
        check = made.presenting("tax_band", at=at).verify(at).checks[number - 1]
        assert check.code == (code if offices else "OK")
        if offices:
            assert check.details["offices"] == offices
            assert (check.details["since"], check.details["statement"]) == (AT - 9 * HOUR, what)
    assert made.verify().valid
    assert made.presenting("tax_band", at=AT - 1).verify(AT - 1).result == "suspended"


def test_hold_that_was_lifted_and_placed_again_shows_when_it_was_placed_again() -> None:
    made = GENUINE.on_hold(*HOLDS, (("supervisor",), "court", AT + 1))
    check = made.verify(AT + 2).checks[7]
    assert (check.code, check.details["since"], check.details["reason"]) == ("HELD", AT + 1, "court")


def test_hold_on_a_statement_that_is_not_behind_the_certificate_is_ignored() -> None:
    held = {"77" * 32: GENUINE.on_hold(*HOLDS[:1]).facts.holds[GENUINE.statement("certificate")]}
    assert GENUINE.knowing(holds={**GENUINE.facts.holds, **held}).verify().valid
