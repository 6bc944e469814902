"""Each attack that once succeeded is refused by the expected check, and similar genuine bundles are accepted."""

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
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)


def test_used_up_certificate_is_refused_wherever_it_is_anchored() -> None:
    """The certificate is used up. The verifier refuses it at its own log position because it is used up, and at any
    other log position because the position is wrong.
    """
    here = spent().verify()
    assert [check.number for check in here.checks if check.verdict is Verdict.FAILED] == [8, 9, 11]
    for place, first_seq in ((ELSEWHERE, 0), (LATER, 90), (Position(OTHER_ISSUER.no, 3, 1), SEQ - 1)):
        assert not spent().anchored_again(place, first_seq).verify().genuine


def test_second_certificate_for_a_request_is_valid_if_uses_remain() -> None:
    """Two certificates that were issued for one request are no attack: they only share the request's uses."""
    assert of_the_same_request(GENUINE).verify().valid
    assert of_the_same_request(GENUINE.used(ANCHORED + 1, ANCHORED + 2)).verify().valid


def test_revoking_one_of_two_certificates_for_a_request_does_not_affect_the_second() -> None:
    """A revocation stops only one of two certificates for the same request. A hold on their request stops both."""
    assert of_the_same_request(GENUINE.status(("revoked", "fraud", ANCHORED + 1))).verify().valid


@pytest.mark.parametrize("count", [1, 18_000])
def test_uses_by_a_party_that_is_not_the_consumer_are_ignored(count: int) -> None:
    made = GENUINE.used(*range(ANCHORED, ANCHORED + count), by=OTHER_BANK)
    assert made.verify().valid
    assert made.facts.uses_of(BANK.id, made.statement("request")) == 0


def test_withdrawals_of_statements_that_the_certificate_does_not_rest_on_are_ignored() -> None:
    made = GENUINE.withdrawn((OTHER_BANK, ANCHORED)).withdrawn((BANK, ANCHORED), of="provision")
    assert made.verify().valid


def test_evidence_may_be_in_any_issuers_log() -> None:
    """Evidence only has to exist before the certificate, and an anchor in any issuer's log proves this."""
    assert GENUINE.anchoring(0, EVIDENCE_ANCHORED, OTHER_ISSUER).verify().valid


@pytest.mark.parametrize("index", range(len(RESTS_ON)), ids=RESTS_ON)
def test_evidence_may_be_anchored_in_the_same_second_as_the_certificate(index: int) -> None:
    """The chain's clock counts seconds, so two batches can have the same time."""
    assert GENUINE.anchoring(index, ANCHORED).verify().valid


def test_evidence_that_the_certificate_does_not_name_may_be_anchored_later() -> None:
    """An entry that the certificate does not name is ignored, except a withdrawal: a withdrawal is effective although
    it was anchored later than the certificate.
    """
    other = as_text(request_entry(**request_members("{}") | {"signature": "nobody's"}))
    assert GENUINE.carrying(other, AT + 1).verify().valid
    withdrawing = GENUINE.withdrawing(SUBJECT, ANCHORED + 10)
    assert withdrawing.verify(ANCHORED + 9, replace(EXPECT, received=AT)).valid
    assert withdrawing.verify().first_failure.code == "AUTHORIZATION_WITHDRAWN"


@pytest.mark.parametrize("mode", PAYLOAD_MODES)
@pytest.mark.parametrize("op", OPS)
def test_disclosed_claim_must_have_a_rule_that_the_payload_mode_allows(op: str, mode: str) -> None:
    """For each rule and payload mode, a value that fits the rule is disclosed. The certificate is valid only if the
    mode allows the rule.
    """
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


def test_rule_that_the_payload_mode_forbids_is_refused_only_if_its_claim_is_disclosed() -> None:
    """A claim that is not disclosed reveals nothing, so its rule does no harm. A bank that names the scenario's own
    template still refuses the certificate's template, because the rules of the two templates differ.
    """
    rules = ruled(power_trend=RULES["tax_band"][1]) | {"payload_mode": "component"}
    components = [component | {"payload_mode": "component"} for component in GENUINE.claims["components"]]
    made = usage(template=rules, hidden=HIDDEN | {"power_trend": "A"}, claims={"components": components})
    assert made.presenting().verify().valid
    assert made.presenting("power_trend").verify().first_failure.code == "RULE_OUTSIDE_MODE"
    assert made.presenting().verify(expect=EXPECTS).first_failure.code == "TEMPLATE_NOT_EXPECTED"


def test_report_says_whether_the_template_was_compared_with_the_expected_templates() -> None:
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
def test_check_fails_if_its_facts_are_missing(member: str) -> None:
    report = GENUINE.knowing(**{member: {}}).verify()
    assert report.first_failure is not None
    assert (report.valid, report.first_failure.number) == (False, MISSING[member])


@pytest.mark.parametrize("member", ["holds", "withdrawals"])
def test_facts_must_list_each_statement_behind_the_certificate(member: str) -> None:
    listed = getattr(GENUINE.facts, member)
    assert len(listed) == {"holds": 6, "withdrawals": 4}[member]
    for left_out in listed:
        known = {key: value for key, value in listed.items() if key != left_out}
        assert not GENUINE.knowing(**{member: known}).verify().valid


def test_disclosure_with_a_reserved_name_is_refused() -> None:
    with pytest.raises(BadBundle, match="SD_NAME_NESTED"):
        Disclosed.decode(HIDES.encoded)


def test_verifier_without_facts_accepts_no_bundle() -> None:
    for bundle in (GENUINE.bundle, registration().bundle):
        report = verify(bundle, Facts.nothing(), AT, EXPECT)
        assert (report.valid, report.first_failure.code) == (False, "FOREIGN_CHAIN")


def test_bundle_that_names_a_chain_with_only_zeros_is_not_valid() -> None:
    """Empty facts describe a chain whose id and addresses are zero, and a bundle can name this chain. The check of the
    chain then passes, but a later check fails because the facts are empty.
    """
    bundle: Bundle = replace(usage(chain=Facts.nothing().chain).bundle)
    report = verify(bundle, Facts.nothing(), AT, EXPECT)
    assert (report.valid, report.first_failure.number) == (False, 2)


def test_a_key_binding_may_be_at_least_five_minutes_old() -> None:
    assert MAX_KEY_BINDING_AGE >= 300


def test_entries_of_protocol_1_are_refused_with_a_hint() -> None:
    with pytest.raises(InvalidInput, match="PROTOCOL_UNSUPPORTED") as refusal:
        validate_entry(GENUINE.claims | {"v": 1})
    assert "new certificate" in (refusal.value.hint or "")
