"""A corrected certificate is a new version: both verify, each for its time, and no use is won by it."""

from __future__ import annotations

import pytest

from ledger.errors import Conflict
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.service.conftest import Pilot
from tests.service.persons import CONTRIBUTIONS, Desk

FALSE, TRUE = CONTRIBUTIONS[:3], CONTRIBUTIONS


@pytest.fixture(scope="module")
def desk(pilot: Pilot) -> Desk:
    return Desk(pilot)


def certified(desk: Desk, person: str) -> tuple[str, str]:
    """A certificate on data that is wrong, and the authorization that it rests on."""
    request, given = desk.authorised(person)
    consent = given["social_insurance"].id
    desk.answer({consent: desk.supplied(FALSE)})
    (issued,) = desk.certify([request])
    desk.ledger.anchoring.flush()
    return issued.certificate_no, consent


def verified(desk: Desk, number: str, at: int | None = None) -> Report:
    nonce = desk.ledger.verification.new_nonce()
    raw = desk.show(number, nonce).to_bytes()
    return desk.ledger.verification.verify(raw, Expectation(consumer=desk.bank, nonce=nonce), at).report


def test_a_correction_makes_a_new_version_and_both_verify(desk: Desk, pilot: Pilot) -> None:
    old, consent = certified(desk, desk.person())
    with pytest.raises(Conflict, match="NOTHING_CORRECTED"):
        desk.ledger.corrections.correct(old)
    before = desk.ledger.clock()
    pilot.skip(60)
    (provision,) = desk.answer({consent: desk.supplied(TRUE)})
    assert provision.number == 2
    new = desk.ledger.corrections.correct(old)
    assert (new.version, new.supersedes) == (2, old)
    assert desk.ledger.corrections.correct(old).certificate_no == new.certificate_no
    now = verified(desk, old)
    assert (now.result, now.checks[7].code) == ("revoked", "SUPERSEDED")
    then = verified(desk, old, at=before)
    assert then.valid and then.disclosed["months_paid"] == 3
    corrected = verified(desk, new.certificate_no)
    assert corrected.valid and corrected.disclosed["months_paid"] == 10
    assert corrected.claims["supersedes"].startswith("sha-256:")


def test_a_correction_gives_no_use_back(desk: Desk) -> None:
    old, consent = certified(desk, desk.person())
    assert desk.accepted(old).valid
    desk.answer({consent: desk.supplied(TRUE)})
    with pytest.raises(Conflict, match="USED_UP"):
        desk.ledger.corrections.correct(old)


def test_only_a_correction_may_follow_what_was_supplied(desk: Desk) -> None:
    _, consent = certified(desk, desk.person())
    second, third = (desk.ledger.provisions.draft(consent, desk.supplied(TRUE)) for _ in range(2))
    provider = second.entry["provider"]
    (row,) = desk.answer({consent: desk.supplied(TRUE)})
    assert row.number == 2
    for stale in (second, third):
        signed = desk.sign(provider, stale.entry)
        with pytest.raises(Conflict, match="ALREADY_SUPPLIED"):
            desk.ledger.provisions.submit([type(stale)(signed, stale.rows, stale.salt)])
