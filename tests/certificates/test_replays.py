"""A presentation is refused if it, its key-binding JWT or its nonce was presented before."""

from __future__ import annotations

import pytest

from ledger.errors import Conflict
from ledger.proof.report import Report
from tests.support.actors.pilots import Pilot


def accepted(pilot: Pilot, raw: bytes, nonce: str) -> Report:
    return pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), raw, nonce).report


def test_a_nonce_is_accepted_once_whatever_the_presentation(pilot: Pilot) -> None:
    """After a nonce was used, the same presentation is refused, and so is a presentation of another certificate with
    this nonce. No use is counted.
    """
    first, second = pilot.firm(), pilot.firm()
    numbers = pilot.certificate(first), pilot.certificate(second)
    bundle, nonce = pilot.present(first, numbers[0])
    assert accepted(pilot, bundle.to_bytes(), nonce).valid
    other = pilot.actors.present(second, numbers[1], nonce)
    for raw in (bundle.to_bytes(), other.to_bytes()):
        with pytest.raises(Conflict, match="NONCE_REPLAYED"):
            accepted(pilot, raw, nonce)
    assert pilot.accept(second, numbers[1]).valid


def test_a_presentation_whose_signed_nonce_is_not_the_given_nonce_counts_no_use(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    bundle, _ = pilot.present(firm, number)
    report = accepted(pilot, bundle.to_bytes(), pilot.ledger.verification.new_nonce())
    assert report.first_failure is not None
    assert (report.first_failure.number, report.first_failure.code) == (10, "KEY_BINDING_DIFFERS")
    assert (report.disclosed, report.claims) == ({}, {})
    assert pilot.accept(firm, number).valid
