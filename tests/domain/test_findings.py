"""A finding says what an error says, and refuses to write by its own code."""

from __future__ import annotations

from ledger.domain.findings import Finding
from ledger.errors import Incoherent


def test_a_finding_refuses_by_its_code() -> None:
    finding = Finding("LOG_FORKED", "Another batch.", "batch 3", "Compare with the chain.", {"batch": 3})
    refusal = finding.refusal()
    assert isinstance(refusal, Incoherent)
    assert str(refusal) == "[LOG_FORKED] (batch 3) Another batch. Compare with the chain."
    assert refusal.details == {"batch": 3}


def test_a_finding_is_json() -> None:
    assert Finding("CLOCK_WENT_BACK", "Late.").to_dict() == {
        "code": "CLOCK_WENT_BACK",
        "message": "Late.",
        "where": None,
        "hint": None,
        "details": {},
    }
