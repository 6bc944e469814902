"""Genuine bundles judged at different times and for different parties: when the results of checks 7 to 11 change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import product

import pytest

from ledger.domain.canonical import canonical
from ledger.domain.days import SHANGHAI
from ledger.errors import BadBundle
from ledger.proof.bundle import parse_bundle
from ledger.proof.checks.usage_certificate import MAX_KEY_BINDING_AGE, MAX_KEY_BINDING_SKEW
from ledger.proof.facts_file import parse_facts
from ledger.proof.report import Verdict
from ledger.proof.verifier import Expectation, verify
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    BLOCK_TIME,
    EXPECT,
    EXPIRES,
    HIDDEN,
    ISSUED,
    ISSUER,
    OTHER_BANK,
    PLACES,
    SUBJECT,
    TAX,
)
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.bundles.made import Made

ANYONE = Expectation()
OTHER_ID = "01K5M0000000000000000000W2"
HOUR = 3_600


def test_genuine_bundle_is_valid() -> None:
    report = GENUINE.verify()
    assert report.valid
    assert (report.result, report.first_failure) == ("valid", None)
    assert [(check.number, check.code) for check in report.checks] == [(number, "OK") for number in range(1, 12)]
    assert {check.verdict for check in report.checks} == {Verdict.PASSED}
    assert (report.at, report.block, report.block_time) == (AT, 77, BLOCK_TIME)
    assert report.certificate_no == report.claims["certificate_no"]
    assert report.disclosed == {"tax_band": "B", "power_trend": 3}
    assert not {"_sd", "_sd_alg", "cnf"} & report.claims.keys()


@pytest.mark.parametrize("names", [(), ("tax_band",), ("power_trend", "tax_trend"), tuple(HIDDEN)])
def test_report_has_only_disclosed_claims(names: tuple[str, ...]) -> None:
    assert GENUINE.presenting(*names).verify().disclosed == {name: HIDDEN[name] for name in names}


def test_report_does_not_change_after_bundle_and_facts_are_saved_and_parsed() -> None:
    report = GENUINE.verify()
    saved = parse_facts(GENUINE.facts.to_bytes())
    assert saved == GENUINE.facts
    assert parse_bundle(GENUINE.bundle.to_bytes()) == GENUINE.bundle
    assert verify(GENUINE.bundle, saved, AT, EXPECT) == report


def test_status_in_the_bundle_is_ignored() -> None:
    assert GENUINE.verify_changed(("status.state", "revoked")).valid
    assert GENUINE.status(("revoked", "fraud", AT)).verify_changed(("status.state", "active")).result == "revoked"


FAULTS = {
    7: lambda made: made,
    8: lambda made: made.status(("suspended", "court", AT)),
    9: lambda made: made.used(AT, AT, AT),
    10: lambda made: made.presenting("tax_band", audience=OTHER_BANK.id),
    11: lambda made: made.withdrawn((SUBJECT, AT)),
}


@pytest.mark.parametrize("broken", list(product([False, True], repeat=5)))
def test_every_failing_check_from_7_to_11_is_reported(broken: tuple[bool, ...]) -> None:
    wrong = [number for number, is_broken in zip(FAULTS, broken, strict=True) if is_broken]
    made = usage(claims={"exp": AT}) if 7 in wrong else GENUINE
    for number in wrong:
        made = FAULTS[number](made)
    report = made.verify()
    assert [check.number for check in report.checks if check.verdict is Verdict.FAILED] == wrong
    assert [check.number for check in report.checks if check.verdict is Verdict.PASSED] == [
        number for number in range(1, 12) if number not in wrong
    ]


@pytest.mark.parametrize(
    ("at", "code"),
    [(AT - 1, "NOT_YET_VALID"), (AT, "OK"), (EXPIRES - 1, "OK"), (EXPIRES, "EXPIRED")],
)
def test_certificate_is_valid_from_its_first_second_until_just_before_its_end(at: int, code: str) -> None:
    assert usage(claims={"nbf": AT}).verify(at).checks[6].code == code


@pytest.mark.parametrize("made", [GENUINE, REGISTERED], ids=["usage", "registration"])
def test_certificate_is_not_valid_before_its_anchor(made: Made) -> None:
    """The chain records the time of the anchor, so an issuer cannot make a certificate valid before this time."""
    assert ISSUED < ANCHORED
    check = made.verify(ANCHORED - 1).checks[6]
    assert (check.code, check.details) == ("NOT_YET_VALID", {"nbf": ISSUED, "anchored": ANCHORED})
    assert made.verify(ANCHORED - 1).result == "not_yet_valid"
    assert made.verify(ANCHORED).checks[6].code == "OK"


def test_last_day_of_a_certificate_ends_at_midnight_in_shanghai() -> None:
    midnight = datetime(2027, 1, 1, tzinfo=SHANGHAI)
    assert int(midnight.timestamp()) == EXPIRES
    assert GENUINE.presenting("tax_band", at=EXPIRES - 1).verify(EXPIRES - 1).valid
    assert GENUINE.presenting("tax_band", at=EXPIRES).verify(EXPIRES).result == "expired"
    assert datetime.fromtimestamp(EXPIRES - 1, SHANGHAI).date() == date(2026, 12, 31)


LIFE = (
    ("suspended", "investigation", AT - 9 * HOUR),
    ("active", "lifted", AT - 6 * HOUR),
    ("suspended", "court", AT - 3 * HOUR),
    ("revoked", "fraud", AT),
)


@pytest.mark.parametrize(
    ("at", "result", "since", "reason"),
    [
        (AT - 9 * HOUR - 1, "valid", None, None),
        (AT - 9 * HOUR, "suspended", AT - 9 * HOUR, "investigation"),
        (AT - 6 * HOUR - 1, "suspended", AT - 9 * HOUR, "investigation"),
        (AT - 6 * HOUR, "valid", None, None),
        (AT - 3 * HOUR, "suspended", AT - 3 * HOUR, "court"),
        (AT - 1, "suspended", AT - 3 * HOUR, "court"),
        (AT, "revoked", AT, "fraud"),
        (AT + HOUR, "revoked", AT, "fraud"),
    ],
)
def test_status_is_judged_at_the_given_time(at: int, result: str, since: int | None, reason: str | None) -> None:
    report = GENUINE.presenting("tax_band", at=at).status(*LIFE).verify(at)
    assert report.result == result
    assert (report.checks[7].details.get("since"), report.checks[7].details.get("reason")) == (since, reason)


def test_superseded_certificate_is_reported_as_revoked() -> None:
    assert GENUINE.status(("superseded", "superseded", AT)).verify().result == "revoked"


@pytest.mark.parametrize(("at", "code"), [(EXPIRES - 1, "OK"), (EXPIRES, "AUTHORIZATION_NOT_IN_FORCE")])
def test_authorization_is_valid_until_just_before_the_end_of_its_period(at: int, code: str) -> None:
    assert GENUINE.verify(at).checks[10].code == code


@pytest.mark.parametrize(
    ("at", "result"), [(AT - 2, "valid"), (AT - 1, "valid"), (AT, "used_up"), (AT + HOUR, "used_up")]
)
def test_uses_up_to_the_given_time_are_counted(at: int, result: str) -> None:
    made = GENUINE.presenting("tax_band", at=at).used(AT - 3, AT - 2, AT, AT + 1)
    report = made.verify(at)
    assert report.result == result
    if result == "used_up":
        assert report.checks[8].details == {"since": AT}


@pytest.mark.parametrize(
    ("limit", "at", "code"),
    [
        (None, EXPIRES - 1, "OK"),
        (HOUR, BLOCK_TIME - HOUR, "OK"),
        (HOUR, BLOCK_TIME + HOUR, "OK"),
        (HOUR, BLOCK_TIME + HOUR + 1, "FACTS_STALE"),
        (0, BLOCK_TIME, "OK"),
        (0, BLOCK_TIME + 1, "FACTS_STALE"),
    ],
)
def test_facts_older_than_allowed_are_refused(limit: int | None, at: int, code: str) -> None:
    assert GENUINE.verify(at, replace(EXPECT, max_facts_age=limit)).checks[7].code == code


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ({"valid_from": ANCHORED}, "OK"),
        ({"valid_from": ANCHORED + 1}, "KEY_NOT_IN_FORCE"),
        ({"valid_to": ANCHORED + 1}, "OK"),
        ({"valid_to": ANCHORED}, "KEY_NOT_IN_FORCE"),
        ({"compromised_at": ANCHORED + 1}, "OK"),
        ({"compromised_at": ANCHORED}, "KEY_COMPROMISED"),
        ({"compromised_at": ANCHORED, "valid_to": ANCHORED}, "KEY_COMPROMISED"),
        ({"reported_at": ANCHORED + 1}, "OK"),
        ({"reported_at": ANCHORED}, "KEY_REPORTED"),
        ({"reported_at": ANCHORED - 1}, "KEY_REPORTED"),
        ({"reported_at": ANCHORED, "valid_to": ANCHORED}, "KEY_REPORTED"),
        ({"reported_at": ANCHORED, "compromised_at": ANCHORED}, "KEY_COMPROMISED"),
        ({"reported_at": ANCHORED + 1, "compromised_at": ANCHORED}, "KEY_COMPROMISED"),
    ],
)
def test_key_is_judged_at_the_time_of_the_anchor(period: dict[str, int], code: str) -> None:
    assert GENUINE.account(ISSUER, **period).verify().checks[1].code == code


@pytest.mark.parametrize("name", ["reported_at", "compromised_at"])
def test_check_that_fails_for_a_compromised_key_shows_the_time_of_the_compromise(name: str) -> None:
    other = {"reported_at": "compromised_at", "compromised_at": "reported_at"}[name]
    check = GENUINE.account(ISSUER, **{name: ANCHORED - 5, other: ANCHORED + 5}).verify().checks[1]
    assert check.details == {"since": ANCHORED - 5}


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (ANCHORED, ANCHORED + 1, "OK"),
        (ANCHORED + 1, EXPIRES, "ISSUER_NOT_ACCREDITED"),
        (0, ANCHORED, "ISSUER_NOT_ACCREDITED"),
    ],
)
def test_issuer_must_be_accredited_at_the_time_of_the_anchor(start: int, end: int, code: str) -> None:
    assert GENUINE.party(ISSUER, accreditations={"S51": (start, end)}).verify().checks[2].code == code


@pytest.mark.parametrize(
    ("late", "valid"),
    [
        (MAX_KEY_BINDING_SKEW, True),
        (MAX_KEY_BINDING_SKEW + 1, False),
        (-MAX_KEY_BINDING_AGE, True),
        (-MAX_KEY_BINDING_AGE - 1, False),
        (ISSUED - 10 - AT, False),
        (-AT, False),
        (-AT - 1, False),
    ],
)
def test_presentation_must_be_made_shortly_before_its_receipt(late: int, valid: bool) -> None:
    report = GENUINE.presenting("tax_band", at=AT + late).verify()
    assert report.valid is valid
    assert report.checks[9].code == ("OK" if valid else "KEY_BINDING_TIME")


@pytest.mark.parametrize("received", [AT, AT + MAX_KEY_BINDING_AGE])
def test_presentation_that_is_sent_again_is_judged_at_the_time_of_its_first_receipt(received: int) -> None:
    """A presentation is sent again ten minutes or an hour later. Its age is still computed from the time at which it
    was first received.
    """
    made, expect = GENUINE.presenting("tax_band", at=AT), replace(EXPECT, received=received)
    assert made.verify(AT + HOUR, expect).valid
    assert made.verify(AT + HOUR).checks[9].code == "KEY_BINDING_TIME"
    early = replace(EXPECT, received=AT - MAX_KEY_BINDING_SKEW - 1)
    assert made.verify(AT, early).checks[9].code == "KEY_BINDING_TIME"


class TestRegistration:
    def test_anyone_may_rely_on_a_registration_certificate(self) -> None:
        for expect in (ANYONE, EXPECT):
            report = REGISTERED.verify(expect=expect)
            assert report.valid
            assert [check.number for check in report.checks if check.verdict is Verdict.NOT_APPLICABLE] == [9, 10, 11]
            assert report.claims["sub"] == SUBJECT.id

    def test_registration_certificate_with_a_key_binding_is_refused(self) -> None:
        """The certificate names no key, so anyone could add a key binding; therefore none is accepted."""
        bound = REGISTERED.presenting(holder=SUBJECT).verify()
        assert (bound.first_failure.number, bound.first_failure.code) == (10, "KEY_BINDING_INVALID")
        assert (bound.valid, bound.claims) == (False, {})

    @pytest.mark.parametrize(
        ("made", "code", "result"),
        [
            (REGISTERED.knowing(assets={}), "ASSET_UNKNOWN", "unknown"),
            (REGISTERED.asset(state="applied"), "ASSET_NOT_IN_FORCE", "refused"),
            (REGISTERED.asset(state="rejected"), "ASSET_NOT_IN_FORCE", "refused"),
            (REGISTERED.asset(frozen=True), "ASSET_NOT_IN_FORCE", "refused"),
            (REGISTERED.asset(valid_to=AT), "ASSET_NOT_IN_FORCE", "refused"),
            (REGISTERED.held((SUBJECT, ISSUED), (BANK, AT)), "HOLDER_CHANGED", "refused"),
            (REGISTERED.held((SUBJECT, AT + 1)), "HOLDER_CHANGED", "refused"),
            (REGISTERED.held(), "HOLDER_CHANGED", "refused"),
            (REGISTERED.status(("suspended", "court", AT)), "SUSPENDED", "suspended"),
            (REGISTERED.status(("superseded", "superseded", AT)), "SUPERSEDED", "revoked"),
        ],
    )
    def test_asset_of_a_registration_certificate_must_be_in_force(self, made: Made, code: str, result: str) -> None:
        report = made.verify(expect=ANYONE)
        assert (report.first_failure.number, report.first_failure.name, report.first_failure.code) == (
            8,
            "status",
            code,
        )
        assert (report.result, report.claims) == (result, {})

    def test_certificate_of_the_old_holder_is_valid_before_the_transfer(self) -> None:
        made = REGISTERED.held((SUBJECT, ISSUED), (BANK, AT))
        assert made.verify(AT - 1, ANYONE).valid
        assert not made.verify(AT, ANYONE).valid

    @pytest.mark.parametrize(
        ("at", "since"),
        [(AT - 1, None), (AT, AT), (AT + HOUR - 1, AT), (AT + HOUR, AT + HOUR), (AT + 2 * HOUR, None)],
    )
    def test_holder_at_each_time_is_known_after_several_transfers(self, at: int, since: int | None) -> None:
        """A registration certificate is valid only for the times at which its subject held the asset."""
        made = REGISTERED.held((SUBJECT, ISSUED), (BANK, AT), (TAX, AT + HOUR), (SUBJECT, AT + 2 * HOUR))
        check = made.verify(at, ANYONE).checks[7]
        assert (check.code, check.details.get("since")) == ("OK" if since is None else "HOLDER_CHANGED", since)

    def test_registration_certificate_expires_with_the_registration(self) -> None:
        made = registration(claims={"exp": EXPIRES + HOUR})
        assert made.verify(EXPIRES - 1, ANYONE).valid
        check = made.verify(EXPIRES, ANYONE).first_failure
        assert (check.number, check.code, check.details) == (8, "ASSET_NOT_IN_FORCE", {"valid_to": EXPIRES})

    def test_holders_of_wrong_types_are_refused(self) -> None:
        facts = REGISTERED.facts.to_dict()
        for odd in ([{"party": 5, "since": 1}], [{"party": SUBJECT.id}], "nobody", None):
            next(iter(facts["assets"].values()))["holders"] = odd
            with pytest.raises(BadBundle, match="FACTS_FORM"):
                parse_facts(canonical(facts))

    def test_registration_certificate_expires_at_the_time_that_it_contains(self) -> None:
        assert REGISTERED.verify(EXPIRES - 1, ANYONE).valid
        assert REGISTERED.verify(EXPIRES, ANYONE).result == "expired"


def test_only_the_status_of_the_certificates_own_log_position_counts() -> None:
    """A status that is recorded for the log position of an evidence entry has no effect. Evidence is withdrawn or held
    by its statement digest, never by its position.
    """
    for place in PLACES:
        assert GENUINE.status(("revoked", "data_error", AT), of=place).verify().valid


def test_keys_of_subject_and_providers_may_be_rotated_after_the_anchor() -> None:
    assert GENUINE.account(SUBJECT, valid_to=ANCHORED).account(TAX, valid_to=ANCHORED).verify().valid
