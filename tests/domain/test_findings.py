"""A finding has the same members as an error, and the error that is raised for a finding has the finding's code."""

from __future__ import annotations

from ledger.domain.findings import Finding
from ledger.errors import Incoherent


def test_the_error_made_from_a_finding_has_the_code_of_the_finding() -> None:
    finding = Finding(
        "LOG_FORKED", "The chain has another batch.", "batch 3", "Compare the log with the chain.", {"batch": 3}
    )
    refusal = finding.refusal()
    assert isinstance(refusal, Incoherent)
    assert str(refusal) == "[LOG_FORKED] (batch 3) The chain has another batch. Compare the log with the chain."
    assert refusal.details == {"batch": 3}


def test_finding_is_written_as_the_expected_json() -> None:
    assert Finding("CLOCK_WENT_BACK", "Late.").to_dict() == {
        "code": "CLOCK_WENT_BACK",
        "message": "Late.",
        "where": None,
        "hint": None,
        "details": {},
    }
