"""Each attack that succeeded on protocol 1 is refused by the check that names it, and what is no attack is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.entries import request_entry, validate_entry
from ledger.domain.entry_forms import PAYLOAD_MODES
from ledger.domain.rules.predicates import OPS
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import Bundle, Position
from ledger.proof.checks.usage_certificate import MAX_KEY_BINDING_AGE
from ledger.proof.facts import Facts
from ledger.proof.report import Verdict
from ledger.proof.sdjwt import Disclosed
from ledger.proof.verifier import verify
from tests.proof.attacks.past_attacks import ATTACKS
from tests.proof.attacks.past_contents import EXPECTS, HIDES, ruled
from tests.proof.attacks.past_replays import ELSEWHERE, LATER, RESTS_ON, SEQ, of_the_same_request, spent
from tests.proof.attacks.tampering import require_refused
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    EVIDENCE_ANCHORED,
    EXPECT,
    HIDDEN,
    OTHER_BANK,
    OTHER_ISSUER,
    RULES,
    SUBJECT,
    as_text,
    request_members,
)
from tests.support.bundles.genuine import GENUINE
from tests.support.sample_rules import DIGEST
from tests.support.sample_rules import RULES as DOMAIN_RULES

# A value of each type of claim under the rules of tests/support/sample_rules.py.
VALUES = {
    "band": "<1000",
    "boolean": True,
    "category": "good",
    "digest": DIGEST,
    "index": [["202601", 100]],
    "integer": 1,
    "period": "202601",
    "series": [["202601", "1"]],
    "text": "A",
    "trend": "rising",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_refused_by_the_check_that_names_it(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)


def test_what_was_spent_stays_spent_wherever_it_is_anchored() -> None:
    """At its own place the certificate fails by what happened to it; at any other by being there."""
    here = spent().verify()
    assert [check.number for check in here.checks if check.verdict is Verdict.FAILED] == [8, 9, 11]
    for place, first_seq in ((ELSEWHERE, 0), (LATER, 90), (Position(OTHER_ISSUER.no, 3, 1), SEQ - 1)):
        assert not spent().anchored_again(place, first_seq).verify().genuine


def test_the_second_certificate_is_valid_while_the_first_was_not_used() -> None:
    """Two certificates under one request are no attack: they only share what they use."""
    assert of_the_same_request(GENUINE).verify().valid
    assert of_the_same_request(GENUINE.used(ANCHORED + 1, ANCHORED + 2)).verify().valid


def test_a_revoked_certificate_says_nothing_of_the_second_one() -> None:
    """Status belongs to a certificate: whoever wants to stop both holds their request."""
    assert of_the_same_request(GENUINE.status(("revoked", "fraud", ANCHORED + 1))).verify().valid


@pytest.mark.parametrize("count", [1, 18_000])
def test_uses_of_a_stranger_do_not_count(count: int) -> None:
    made = GENUINE.used(*range(ANCHORED, ANCHORED + count), by=OTHER_BANK)
    assert made.verify().valid
    assert made.facts.uses_of(BANK.id, made.statement("request")) == 0


def test_withdrawals_and_holds_of_strangers_statements_do_not_count() -> None:
    made = GENUINE.withdrawn((OTHER_BANK, ANCHORED)).withdrawn((BANK, ANCHORED), of="provision")
    assert made.verify().valid


def test_evidence_may_stand_in_any_issuers_log() -> None:
    """Any anchor proves that it existed by then, and no more is asked of it."""
    assert GENUINE.anchoring(0, EVIDENCE_ANCHORED, OTHER_ISSUER).verify().valid


@pytest.mark.parametrize("index", range(len(RESTS_ON)), ids=RESTS_ON)
def test_evidence_may_be_anchored_with_the_certificate(index: int) -> None:
    """The chain's clock counts seconds: two batches of one second are of one time."""
    assert GENUINE.anchoring(index, ANCHORED).verify().valid


def test_other_evidence_may_be_anchored_later() -> None:
    """What the certificate does not name counts for nothing; a withdrawal comes after what it ends, and counts."""
    other = as_text(request_entry(**request_members("{}") | {"signature": "nobody's"}))
    assert GENUINE.carrying(other, AT + 1).verify().valid
    withdrawing = GENUINE.withdrawing(SUBJECT, ANCHORED + 10)
    assert withdrawing.verify(ANCHORED + 9, replace(EXPECT, received=AT)).valid
    assert withdrawing.verify().first_failure.code == "AUTHORIZATION_WITHDRAWN"


@pytest.mark.parametrize("mode", PAYLOAD_MODES)
@pytest.mark.parametrize("op", OPS)
def test_a_disclosed_claim_has_a_rule_of_its_payload_mode(op: str, mode: str) -> None:
    """Each rule with a value of its own, in each mode: refused where the mode does not have the rule, else valid."""
    template = ruled(tax_band=DOMAIN_RULES[op]) | {"payload_mode": mode}
    components = [component | {"payload_mode": mode} for component in GENUINE.claims["components"]]
    made = usage(
        template=template,
        hidden=HIDDEN | {"tax_band": VALUES[OPS[op].type]},
        claims={"components": components},
        disclosed=["tax_band"],
    )
    allowed = mode in OPS[op].modes
    failure = made.verify().first_failure
    assert (None if failure is None else failure.code) == (None if allowed else "RULE_OUTSIDE_MODE")


def test_a_rule_outside_the_mode_is_refused_where_it_is_disclosed() -> None:
    """Nothing is read off a claim that nobody shows; the template that the bank knows has no such rule at all."""
    rules = ruled(power_trend=RULES["tax_band"][1]) | {"payload_mode": "component"}
    components = [component | {"payload_mode": "component"} for component in GENUINE.claims["components"]]
    made = usage(template=rules, hidden=HIDDEN | {"power_trend": "A"}, claims={"components": components})
    assert made.presenting().verify().valid
    assert made.presenting("power_trend").verify().first_failure.code == "RULE_OUTSIDE_MODE"
    assert made.presenting().verify(expect=EXPECTS).first_failure.code == "TEMPLATE_NOT_EXPECTED"


def test_the_report_says_which_template_it_is_and_whether_it_was_compared() -> None:
    template = GENUINE.claims["template"]
    for expect, compared in ((EXPECT, False), (EXPECTS, True)):
        check = GENUINE.verify(expect=expect).checks[10]
        assert (check.code, check.details) == ("OK", {"template": template, "compared": compared})
        assert template in check.message
    assert GENUINE.verify(
        expect=replace(EXPECT, templates=(EXPECTS.templates or frozenset()) | {"sha-256:" + "77" * 32})
    ).valid
    assert registration().verify(expect=replace(EXPECT, templates=frozenset())).valid


MISSING = {"anchors": 6, "status": 8, "holds": 8, "uses": 9, "withdrawals": 11, "accounts": 2, "parties": 3}


@pytest.mark.parametrize("member", MISSING)
def test_what_the_facts_do_not_list_does_not_pass(member: str) -> None:
    report = GENUINE.knowing(**{member: {}}).verify()
    assert report.first_failure is not None
    assert (report.valid, report.first_failure.number) == (False, MISSING[member])


@pytest.mark.parametrize("member", ["holds", "withdrawals"])
def test_each_single_statement_must_be_listed(member: str) -> None:
    listed = getattr(GENUINE.facts, member)
    assert len(listed) == {"holds": 6, "withdrawals": 4}[member]
    for left_out in listed:
        known = {key: value for key, value in listed.items() if key != left_out}
        assert not GENUINE.knowing(**{member: known}).verify().valid


def test_what_a_library_would_read_as_hidden_is_no_disclosure() -> None:
    with pytest.raises(BadBundle, match="SD_NAME_NESTED"):
        Disclosed.decode(HIDES.encoded)


def test_a_verifier_without_facts_passes_nothing() -> None:
    for bundle in (GENUINE.bundle, registration().bundle):
        report = verify(bundle, Facts.nothing(), AT, EXPECT)
        assert (report.valid, report.first_failure.code) == (False, "FOREIGN_CHAIN")


def test_not_even_a_bundle_that_names_no_chain() -> None:
    """Facts of nothing have a chain of zeros: whoever names that one meets checks that know nothing."""
    bundle: Bundle = replace(usage(chain=Facts.nothing().chain).bundle)
    report = verify(bundle, Facts.nothing(), AT, EXPECT)
    assert (report.valid, report.first_failure.number) == (False, 2)


def test_the_window_of_a_key_binding_is_longer_than_a_retry() -> None:
    assert MAX_KEY_BINDING_AGE >= 300


def test_entries_of_protocol_1_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="PROTOCOL_UNSUPPORTED") as refusal:
        validate_entry(GENUINE.claims | {"v": 1})
    assert "new certificate" in (refusal.value.hint or "")
