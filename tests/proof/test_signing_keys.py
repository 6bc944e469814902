"""A report lists the signing keys with the parties that proposed them, and the ledger's waiting period."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.proof.facts import Facts, ProposedKey
from ledger.proof.report import SigningKey
from ledger.proof.signing_keys import keys_in_words
from ledger.proof.verifier import verify
from tests.support.bundles.builder import ONBOARDED, registration, usage
from tests.support.bundles.cast import ANCHORED, AT, BANK, CHAIN, EXPECT, GRID, ISSUER, SUBJECT, TAX
from tests.support.bundles.genuine import GENUINE

OWN = ProposedKey(by=3, confirmed_by=0, at=5)


def test_each_signing_key_is_listed_once_with_its_proposal() -> None:
    made = GENUINE.account(SUBJECT, proposal=OWN, reported_at=ANCHORED + 1)
    assert made.verify().keys == (
        SigningKey(ISSUER.account, ("certificate",), None, 0),
        SigningKey(BANK.account, ("request",), ONBOARDED, 0),
        SigningKey(SUBJECT.account, ("authorization",), OWN, ANCHORED + 1),
        SigningKey(TAX.account, ("provision",), ONBOARDED, 0),
        SigningKey(GRID.account, ("provision",), ONBOARDED, 0),
    )


def test_key_that_signed_two_entries_is_listed_with_both_entries() -> None:
    """The bank signs the request, and also a provision of its own data."""
    sources = [{"source": "tax", "provider": BANK.id}, {"source": "power", "provider": GRID.id}]
    own = {"provider": BANK.id}
    claims = {"providers": [BANK.id, GRID.id]}
    report = usage(request={"sources": sources}, consent=own, supply=own, claims=claims, tax_key=BANK).verify()
    assert report.valid, report.first_failure
    assert report.keys[1] == SigningKey(BANK.account, ("request", "provision"), ONBOARDED, 0)
    assert len(report.keys) == 4


def test_registration_certificate_lists_the_issuers_key() -> None:
    assert registration().verify().keys == (SigningKey(ISSUER.account, ("certificate",), None, 0),)


def test_key_of_a_withdrawal_is_not_listed() -> None:
    made = GENUINE.withdrawing(SUBJECT, AT + 1)
    assert made.verify().keys == GENUINE.verify().keys


@pytest.mark.parametrize("at", [AT - 200_000, AT])
def test_keys_are_listed_only_for_a_valid_certificate(at: int) -> None:
    report = GENUINE.used(*[ANCHORED] * 3).verify(at)
    assert (report.valid, report.keys) == (False, ())


@pytest.mark.parametrize(("delay", "cautions"), [(0, 1), (86_399, 1), (86_400, 0), (259_200, 0)])
def test_waiting_period_under_a_day_gives_a_caution(delay: int, cautions: int) -> None:
    report = usage(chain=replace(CHAIN, delay=delay, threshold=3)).verify()
    assert (report.valid, report.delay, report.threshold) == (True, delay, 3)
    assert [caution.code for caution in report.cautions] == ["DELAY_SHORT"] * cautions
    assert all(f"{delay} seconds" in caution.message for caution in report.cautions)


def test_report_on_an_unreadable_bundle_has_the_waiting_period_of_the_facts() -> None:
    report = verify(b"{}", GENUINE.facts, AT, EXPECT)
    assert (report.delay, report.threshold, report.keys, report.cautions) == (259_200, 2, (), ())
    assert verify(b"{}", Facts.nothing(), AT, EXPECT).cautions


def test_json_report_has_keys_and_waiting_period() -> None:
    made = usage(chain=replace(CHAIN, delay=60)).account(SUBJECT, proposal=OWN)
    report = made.verify().to_dict()
    assert report["ledger"] == {"delay": 60, "threshold": 2}
    assert [caution["code"] for caution in report["cautions"]] == ["DELAY_SHORT"]
    assert report["keys"][0] == {
        "account": ISSUER.account,
        "signed": ["certificate"],
        "proposal": None,
        "reported_at": 0,
    }
    assert report["keys"][2]["proposal"] == {"by": 3, "confirmed_by": 0, "at": 5}


def test_keys_and_waiting_period_are_printed_in_both_languages() -> None:
    made = GENUINE.account(SUBJECT, proposal=OWN, reported_at=ANCHORED + 1)
    lines = keys_in_words(made.verify(), lambda seconds: f"<{seconds}>")
    assert lines[0] == (
        "新密钥由本方提出，或由 2 个主管部门提出和确认，72 小时后生效。 "
        "A new key waits 72 hours before it is active. Its own party or 2 authorities propose it."
    )
    assert lines[1] == f"{ISSUER.account}（凭证）：部署时已有的密钥。 Signed certificate: a founding key."
    assert lines[2] == (
        f"{BANK.account}（请求）：<{ONBOARDED.at}> 由 1 号参与方提出、9 号参与方确认。 "
        f"Signed request: proposed by party 1, confirmed by party 9, on <{ONBOARDED.at}>."
    )
    assert lines[3] == (
        f"{SUBJECT.account}（授权）：<5> 由本方（3 号参与方）提出；<{ANCHORED + 1}> 已挂失。 "
        f"Signed authorization: proposed by its own party (no. 3) on <5>; reported on <{ANCHORED + 1}>."
    )


@pytest.mark.parametrize(("delay", "said"), [(0, "0 hours"), (90, "90 seconds"), (3_600, "1 hours"), (3_601, "3601 s")])
def test_waiting_period_of_whole_hours_is_shown_in_hours(delay: int, said: str) -> None:
    (line,) = keys_in_words(replace(GENUINE.verify(), delay=delay, keys=()), str)
    assert f"A new key waits {said}" in line
