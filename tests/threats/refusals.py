"""Functions that check which acts and presentations the contracts and a verifier refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.errors import PingzhengError
from ledger.proof.jws import Signer
from ledger.proof.report import Report, Verdict
from tests.support.actors.officers import Powers

PRESENTING = 10
CONSENT = 11


def refused(act: Callable[[], object], code: str) -> PingzhengError:
    """Fail unless ``act`` raises an error with the given code; return the error."""
    with pytest.raises(PingzhengError) as caught:
        act()
    assert caught.value.code == code, caught.value
    return caught.value


def refusals(report: Report) -> dict[int, str]:
    """Return a map from failed check number to error code; fail if the report discloses anything."""
    assert (report.disclosed, report.claims) == ({}, {})
    return {check.number: check.code for check in report.checks if check.verdict is Verdict.FAILED}


def consent_fails(report: Report) -> str:
    """Fail unless the check of the consent is the first check that failed; return the error code of this check."""
    failure = report.first_failure
    assert failure is not None and failure.number == CONSENT, failure
    assert (report.disclosed, report.claims) == ({}, {})
    return failure.code


def a_firm(powers: Powers) -> tuple[str, str, Signer]:
    """Return a firm that no other test uses: its number, its party id and its key."""
    number = powers.pilot.firm()
    party = powers.cast.firms[number]
    return number, party, powers.actors.signer_of(party)
