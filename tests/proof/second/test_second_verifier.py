"""Comparison of two verifiers: ``ledger.proof``, and ``second``, which was written only from docs/protocol.md.

If they differ, the document or the code is wrong; there are no exceptions.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger.errors import BadBundle
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts
from ledger.proof.facts_file import parse_facts
from ledger.proof.report import Report, Verdict
from ledger.proof.suites import sm2
from ledger.proof.verifier import Expectation, verify
from tests.proof.attacks import past_attacks, test_fuzz, test_named_attacks
from tests.proof.second.cases.attacks import AFTERWARDS, BINDINGS, EVIDENCE, LEDGERS, PLACES, SPELLED
from tests.proof.second.cases.contents import CONTENTS
from tests.proof.second.cases.limits import AT_DISCLOSURES, AT_KEYS, AT_NAMES, AT_SIZES
from tests.proof.second.cases.odd_signatures import AT_HEADERS, AT_SIGNATURES, NUMBERS
from tests.proof.second.cases.powers import CHAINS, KEYS, LADEN, WITHDRAWN
from tests.proof.second.cases.statements import (
    STATEMENTS,
    odd_members,
    other_statements,
)
from tests.proof.second.cases.suites import ANEW, NEEDING_GMALG, SM_ATTACKS
from tests.proof.second.checks import verify as second_verify
from tests.proof.suites import test_p256, test_sm2_certificates
from tests.support.bundles import made as made_bundles
from tests.support.bundles import mutations
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    BLOCK_TIME,
    DEVICE,
    EVIDENCE_ANCHORED,
    EXPIRES,
    ISSUER,
    NONCE,
    SUBJECT,
    TAX,
)
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.bundles.made import Made

pytestmark = pytest.mark.slow


def both(bundle: Bundle | bytes, facts: Facts, at: int, expect: Expectation) -> Report:
    """Return the report of ``ledger.proof``; assert that the same checks fail in the second verifier."""
    report = verify(bundle, facts, at, expect)
    raw = bundle if isinstance(bundle, bytes) else bundle.to_bytes()
    saved = json.loads(facts.to_bytes())
    who = (expect.consumer, expect.nonce, expect.max_facts_age, expect.received, expect.templates)
    failed = second_verify(raw, saved, at, *who)
    assert failed == [check.number for check in report.checks if check.verdict is Verdict.FAILED], report.first_failure
    assert (failed == []) is report.valid
    return report


@pytest.fixture(autouse=True)
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """Let both verifiers judge every bundle that a test verifies; return a list that collects the reports."""
    reports: list[Report] = []

    def recorded(*asked: Any) -> Report:
        reports.append(both(*asked))
        return reports[-1]

    monkeypatch.setattr(made_bundles, "verify", recorded)
    return reports


# --- every member -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [GENUINE, REGISTERED], ids=["usage", "registration"])
def test_both_verifiers_agree_if_any_member_of_a_file_has_a_changed_form(made: Made, compared: list[Report]) -> None:
    for document in odd_members(made.document()):
        made.verify_file(json.dumps(document).encode())
    assert len(compared) > 800


@pytest.mark.parametrize("made", [GENUINE, REGISTERED, LADEN], ids=["usage", "registration", "laden"])
def test_both_verifiers_agree_if_any_fact_has_a_changed_value(made: Made, compared: list[Report]) -> None:
    """Facts that cannot be read are skipped: a verifier makes its facts itself, so no attacker can damage them."""
    for saved in odd_members(json.loads(made.facts.to_bytes())):
        try:
            facts = parse_facts(json.dumps(saved).encode())
        except BadBundle:
            continue
        replace(made, facts=facts).verify()
    assert len(compared) > 300


# The authorization's period begins one second earlier than in the genuine bundle, so it is one second longer than
# allowed.

A_SECOND_LONGER = {"valid_from": mutations.FROM["valid_from"] - 1}
ATTACKS: dict[str, Callable[[], Report]] = {
    "a second longer than allowed": lambda: (
        usage(template={"max_validity_days": mutations.WHOLE_DAYS}, request=A_SECOND_LONGER, consent=A_SECOND_LONGER)
    ).verify(),
    **{name: report for name, (_, _, _, report) in zip(mutations.IDS, mutations.FAILURES, strict=True)},
    **{f"just allowed: {limit}": lambda made=made: made().verify() for limit, made in mutations.AT_THE_LIMIT.items()},
    **{name: attack for name, (_, _, attack) in test_named_attacks.ALL.items()},
    **{f"ES256: {name}": attack for name, (_, _, attack) in test_p256.ATTACKS.items()},
    **{name: attack for name, (_, _, attack) in past_attacks.ATTACKS.items()},
    **AT_SIZES,
    **AT_NAMES,
    **AT_DISCLOSURES,
    **AT_KEYS,
    **AT_HEADERS,
    **AT_SIGNATURES,
    **NUMBERS,
    **LEDGERS,
    **PLACES,
    **SPELLED,
    **EVIDENCE,
    **BINDINGS,
    **CONTENTS,
    **KEYS,
    **CHAINS,
}


CODES: dict[str, tuple[int, str]] = {
    **{name: (number, code) for name, (number, code, _, _) in zip(mutations.IDS, mutations.FAILURES, strict=True)},
    **{
        name: (number, code)
        for name, (number, code, _) in (test_named_attacks.ALL | test_sm2_certificates.ATTACKS).items()
    },
    **{f"ES256: {name}": (number, code) for name, (number, code, _) in test_p256.ATTACKS.items()},
}
"""For each attack the check that fails and its code, which shows the reason if several checks could refuse it."""


def require_code(name: str, report: Report) -> None:
    failure = report.first_failure
    if name in CODES:
        assert failure is not None
        assert (failure.number, failure.code) == CODES[name]


@pytest.mark.parametrize("name", ATTACKS)
def test_both_verifiers_agree_on_every_attack_and_limit(name: str, compared: list[Report]) -> None:
    require_code(name, ATTACKS[name]())
    assert compared


LIFE = (("suspended", "court", AT - 9), ("active", "lifted", AT - 6), ("suspended", "court", AT - 3))
JUDGED: dict[str, Made] = (
    {
        "genuine": GENUINE,
        "registered": REGISTERED,
        "status": GENUINE.status(*LIFE),
        "status of the registration": REGISTERED.status(*LIFE),
        "uses": GENUINE.used(AT - 9, AT - 6, AT, AT + 1),
        "uses by others": GENUINE.used(AT - 9, AT - 6, AT, by=TAX),
        "dated ahead": usage(claims={"nbf": AT}),
        "consented for less": usage(consent={"valid_to": AT + 1}, claims={"exp": AT + 1}),
        "consented for later": usage(consent={"valid_from": AT}, claims={"nbf": AT}),
        "asset handed on": REGISTERED.held((SUBJECT, ANCHORED), (BANK, AT - 6), (SUBJECT, AT)),
        "asset without a holder yet": REGISTERED.held((SUBJECT, AT)),
        "asset over": REGISTERED.asset(valid_to=AT),
        "asset frozen": REGISTERED.asset(frozen=True),
        "asset applied for": REGISTERED.asset(state="applied"),
        "registration bound": REGISTERED.presenting(holder=DEVICE),
    }
    | AFTERWARDS
    | WITHDRAWN
)
MOMENTS = (0, ANCHORED - 1, ANCHORED, AT - 301, AT - 300, AT - 6, AT - 1, AT, AT + 1, EXPIRES - 1, EXPIRES, 2**40)


@pytest.mark.parametrize("name", JUDGED)
def test_both_verifiers_agree_at_every_relevant_time(name: str, compared: list[Report]) -> None:
    moments = (AT - 9, AT - 6, AT - 1, AT, AT + 1) if name in AFTERWARDS | WITHDRAWN else MOMENTS
    for at in moments:
        JUDGED[name].verify(at)
    assert len(compared) == len(moments)


@pytest.mark.parametrize("member", ["valid_from", "valid_to", "reported_at", "compromised_at"])
def test_both_verifiers_agree_if_a_key_begins_or_ends_near_the_time_of_the_anchor(member: str) -> None:
    for actor, anchored in ((ISSUER, ANCHORED), (SUBJECT, EVIDENCE_ANCHORED), (TAX, EVIDENCE_ANCHORED)):
        for moment in (anchored - 1, anchored, anchored + 1):
            GENUINE.account(actor, **{member: moment}).verify()


@pytest.mark.parametrize("limit", [0, 3_600])
@pytest.mark.parametrize("made", [GENUINE, REGISTERED], ids=["usage", "registration"])
def test_both_verifiers_agree_on_the_maximum_age_of_facts(made: Made, limit: int) -> None:
    for late in (limit - 1, limit, limit + 1):
        made.verify(BLOCK_TIME + late, Expectation(BANK.id, NONCE, limit))


@pytest.mark.parametrize("expect", [Expectation(), Expectation(BANK.id), Expectation(None, NONCE)], ids=str)
def test_both_verifiers_agree_if_no_consumer_or_no_nonce_is_expected(expect: Expectation) -> None:
    for made in (GENUINE, REGISTERED):
        made.verify(expect=expect)


# --- every member of every statement with another value ---------------------------------------------------------------


@pytest.mark.parametrize("statement", STATEMENTS)
def test_both_verifiers_agree_if_any_signed_member_has_a_changed_value(statement: str, compared: list[Report]) -> None:
    """The party that signs the statement makes a mistake or cheats: the value is wrong, but signatures, anchors and
    presentation are correct.
    """
    genuine = STATEMENTS[statement]
    for entry in other_statements(genuine):
        changed: dict[str, Any] = {statement: {name: entry[name] for name in entry if entry[name] != genuine[name]}}
        usage(**changed).verify()
    assert len(compared) > 20


# --- every suite ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SM_ATTACKS)
def test_both_verifiers_agree_on_every_attack_on_sm2(name: str, compared: list[Report]) -> None:
    require_code(name, SM_ATTACKS[name]())
    assert compared


@pytest.mark.parametrize(("alg", "name"), [(alg, name) for alg in ANEW for name in ANEW[alg]])
def test_both_verifiers_agree_on_every_altered_bundle_in_es256_or_sm2(
    alg: str, name: str, compared: list[Report]
) -> None:
    ANEW[alg][name]()
    numbers = [check.number for check in compared[0].checks if check.verdict is Verdict.FAILED]
    ATTACKS.get(name, ATTACKS.get(f"just allowed: {name}"))()
    assert numbers == [check.number for check in compared[1].checks if check.verdict is Verdict.FAILED]


def new_without_sm3(name: str, *data: bytes, new: Callable[..., Any] = hashlib.new) -> Any:
    """Act like ``hashlib.new`` with an OpenSSL that has no SM3."""
    if name == "sm3":
        raise ValueError("unsupported hash type sm3")
    return new(name, *data)


@pytest.fixture
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("gmalg", "gmalg.ellipticcurve") if "gmalg" in request.param else ():
        monkeypatch.setitem(sys.modules, name, None)
    if "SM3" in request.param:
        monkeypatch.setattr(hashlib, "new", new_without_sm3)
    sm2._curve.cache_clear()
    yield request.param
    sm2._curve.cache_clear()


@pytest.mark.parametrize("lacking", ["gmalg", "SM3 of OpenSSL", "gmalg, SM3 of OpenSSL"], indirect=True)
@pytest.mark.parametrize("name", NEEDING_GMALG)
def test_both_verifiers_agree_on_sm2_without_gmalg_or_sm3(name: str, lacking: str, compared: list[Report]) -> None:
    NEEDING_GMALG[name].verify()
    failed = {check.code for check in compared[0].checks if check.verdict is Verdict.FAILED}
    assert failed <= {"SUITE_NOT_INSTALLED"} or "gmalg" not in lacking


# --- random damage ----------------------------------------------------------------------------------------------------

FUZZED = [
    test_fuzz.test_damaged_json_is_detected,
    test_fuzz.test_a_genuine_value_in_a_wrong_place_is_detected,
    test_fuzz.test_damaged_facts_are_refused_or_give_a_complete_report,
]


@pytest.mark.parametrize("damage", FUZZED, ids=lambda damage: damage.__name__)
def test_both_verifiers_agree_on_random_damage(damage: Callable[[], None], compared: list[Report]) -> None:
    damage()
    assert compared
