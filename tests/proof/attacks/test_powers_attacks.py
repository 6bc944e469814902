"""Attacks by a thief or an institution that has a key of a subject, provider, consumer or issuer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.proof.facts import AccountFact, ProposedKey
from ledger.proof.report import Report
from tests.proof.attacks.tampering import Attack, require_refused
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    CONSENTED,
    DEVICE,
    EVIDENCE_ANCHORED,
    GRID,
    ISSUER,
    OTHER_BANK,
    SUBJECT,
    TAX,
    Actor,
)
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import P_DEVICE, p256_usage
from tests.support.bundles.sm_cast import SM_DEVICE, sm_usage

BY_OFFICES = ProposedKey(by=1, confirmed_by=9, at=CONSENTED - 300_000)
SIGNERS = {"certificate": (ISSUER, ANCHORED, 2)} | {
    what: (who, EVIDENCE_ANCHORED, 11)
    for what, who in {"request": BANK, "authorization": SUBJECT, "provision": TAX, "other provision": GRID}.items()
}
"""For each signed entry: its signer, the time of its anchor, and the check that verifies the signature."""


def with_new_key(what: str, valid_from: int) -> Made:
    """Sign the statement ``what`` with a new key of its party. Two officers proposed this key; it is valid from
    ``valid_from`` on.
    """
    party = SIGNERS[what][0]
    knobs = {"certificate": "issuer", "request": "consumer_key", "authorization": "subject_key", "provision": "tax_key"}
    signing: dict[str, Any] = {knobs.get(what, "grid_key"): DEVICE}
    made = usage(**signing)
    return made.account(DEVICE, party=party.id, valid_from=valid_from, proposal=BY_OFFICES)


def presenting_key(device: Actor, **times: Any) -> AccountFact:
    """Return the fact about an account of the subject; the account's key is the key in ``cnf`` (the presenting key)."""
    fact = GENUINE.facts.accounts[SUBJECT.account]
    return replace(fact, key=device.signer.public_key, **times)


def without_account(made: Made, key: Actor) -> Report:
    accounts = {account: fact for account, fact in made.facts.accounts.items() if account != key.account}
    return made.knowing(accounts=accounts).verify()


def backdated(anchor: int, **theft: int) -> Report:
    """Claim that an anchor was made one second earlier than it was, so that it seems older than the report of the
    stolen key.

    Anchor number 0 is the anchor of the evidence, and number 1 is the anchor of the certificate.
    """
    at = GENUINE.bundle.anchors[anchor].at - 1
    return GENUINE.account(ISSUER, **theft).account(SUBJECT, **theft).verify_changed((f"anchors.{anchor}.at", at))


ATTACKS: dict[str, tuple[int, str, Attack]] = {
    **{
        f"{what} anchored {when} the report": (
            number,
            "KEY_REPORTED",
            lambda who=who, since=since: GENUINE.account(who, reported_at=since).verify(),
        )
        for what, (who, anchored, number) in SIGNERS.items()
        for when, since in (("in the block of", anchored), ("a second after", anchored - 1), ("long after", CONSENTED))
    },
    **{
        f"{what} anchored a second before the binding of its key": (
            number,
            "KEY_NOT_IN_FORCE",
            lambda what=what, anchored=anchored: with_new_key(what, anchored + 1).verify(),
        )
        for what, (_, anchored, number) in SIGNERS.items()
    },
    **{
        f"{what} by a key whose binding was vetoed": (
            number,
            "KEY_UNKNOWN",
            lambda what=what: without_account(with_new_key(what, CONSENTED), DEVICE),
        )
        for what, (_, _, number) in SIGNERS.items()
    },
    **{
        f"{what} by a key that its thief got before the report": (
            number,
            "KEY_COMPROMISED",
            lambda who=who, at=anchored: GENUINE.account(who, reported_at=AT, compromised_at=at).verify(),
        )
        for what, (who, anchored, number) in SIGNERS.items()
    },
    **{
        f"presented by the key of a party's {device.suite} account, {since - AT} after it {what}": (
            10,
            code,
            lambda made=made, device=device, end=end, since=since: made.knowing(
                accounts={**made.facts.accounts, device.account: presenting_key(device, **{end: since})}
            ).verify(),
        )
        for made, device in ((GENUINE, DEVICE), (p256_usage(), P_DEVICE), (sm_usage(), SM_DEVICE))
        for end, code, what in (
            ("reported_at", "KEY_REPORTED", "was reported"),
            ("compromised_at", "KEY_COMPROMISED", "was in wrong hands"),
        )
        for since in (CONSENTED, AT)
    },
    "an office's own key as the subject's": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: with_new_key("authorization", CONSENTED).account(DEVICE, party=OTHER_BANK.id).verify(),
    ),
    "a certificate said to be anchored before the report": (
        6,
        "ANCHOR_DIFFERS",
        lambda: backdated(1, reported_at=ANCHORED),
    ),
    "a consent said to be anchored before the report": (
        6,
        "ANCHOR_DIFFERS",
        lambda: backdated(0, reported_at=ANCHORED + 1),
    ),
    "a reported key that still withdraws for its subject": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: GENUINE.account(SUBJECT, reported_at=AT - 1).withdrawn((SUBJECT, AT), by_reported_key=True).verify(),
    ),
    "a reported key that still signs a withdrawal for its subject": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: GENUINE.account(SUBJECT, reported_at=AT - 1).withdrawing(SUBJECT, AT).verify(),
    ),
    "a provider's key that withdrew before it was reported": (
        11,
        "PROVISION_WITHDRAWN",
        lambda: GENUINE.account(TAX, reported_at=AT).withdrawing(TAX, AT - 1, of="provision").verify(),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)


def recovered(new_key_from: int) -> Made:
    """The subject lost its key after everything was signed. The lost key was reported and retired, and a new key was
    bound.
    """
    lost = GENUINE.account(SUBJECT, reported_at=ANCHORED + 1, valid_to=new_key_from)
    new = with_new_key("authorization", new_key_from).facts.accounts[DEVICE.account]
    return lost.knowing(accounts={**lost.facts.accounts, DEVICE.account: new})


WITHOUT_EFFECT: dict[str, Attack] = {
    "a thief's withdrawal with a provider's reported key": lambda: (
        GENUINE.account(TAX, reported_at=AT - 1).withdrawn((TAX, AT), of="provision", by_reported_key=True).verify()
    ),
    "a thief's withdrawal entry with a provider's reported key": lambda: (
        GENUINE.account(TAX, reported_at=AT).withdrawing(TAX, AT, of="provision").verify()
    ),
    "a thief's withdrawal entry with a provider's compromised key": lambda: (
        GENUINE.account(TAX, compromised_at=AT).withdrawing(TAX, AT, of="provision").verify()
    ),
    **{
        f"presented by a key that is an account's with {end} {since - AT}": (
            lambda end=end, since=since: GENUINE.knowing(
                accounts={**GENUINE.facts.accounts, DEVICE.account: presenting_key(DEVICE, **{end: since})}
            ).verify()
        )
        for end, since in (
            ("reported_at", AT + 1),
            ("compromised_at", AT + 1),
            ("valid_to", AT),
            ("valid_from", AT + 1),
        )
    },
    "a provider's reported key on the consent": lambda: GENUINE.withdrawn((TAX, AT), by_reported_key=True).verify(),
    "a subject's reported key on the provision": lambda: (
        GENUINE.account(SUBJECT, reported_at=AT).withdrawing(SUBJECT, AT, of="provision").verify()
    ),
    "a recovery, for what the lost key signed before": lambda: recovered(ANCHORED + 300_000).verify(),
    **{
        f"a report of the key of the {what}, a second after it was anchored": (
            lambda who=who, at=anchored: GENUINE.account(who, reported_at=at + 1).verify()
        )
        for what, (who, anchored, _) in SIGNERS.items()
    },
    **{
        f"a new key for the {what}, in the second in which it is in force": (
            lambda what=what, at=anchored: with_new_key(what, at).verify()
        )
        for what, (_, anchored, _) in SIGNERS.items()
    },
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_withdrawals_and_changes_of_keys_without_effect_leave_the_certificate_valid(name: str) -> None:
    report = WITHOUT_EFFECT[name]()
    assert report.valid, report.first_failure


def test_new_key_withdraws_a_statement_signed_by_the_lost_key() -> None:
    new_key_from = ANCHORED + 3_600
    made = recovered(new_key_from)
    assert made.withdrawing(SUBJECT, new_key_from - 1, key=DEVICE).verify().valid
    check = made.withdrawing(SUBJECT, new_key_from, key=DEVICE).verify().checks[10]
    assert (check.code, check.details) == ("AUTHORIZATION_WITHDRAWN", {"since": new_key_from})


TIMES = st.integers(EVIDENCE_ANCHORED - 3, EVIDENCE_ANCHORED + 3)


@given(TIMES, st.one_of(st.just(0), TIMES), st.one_of(st.just(0), TIMES), st.one_of(st.just(0), TIMES))
def test_key_is_valid_from_its_binding_until_it_is_retired_or_reported_or_compromised(
    start: int, end: int, reported: int, compromised: int
) -> None:
    made = GENUINE.account(SUBJECT, valid_from=start, valid_to=end, reported_at=reported, compromised_at=compromised)
    counts = start <= EVIDENCE_ANCHORED and all(
        not time or time > EVIDENCE_ANCHORED for time in (end, reported, compromised)
    )
    assert made.verify().valid == counts
