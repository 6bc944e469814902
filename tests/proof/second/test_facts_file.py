"""Facts files in many forms: both implementations accept and refuse the same files (protocol §8)."""

from __future__ import annotations

import json

import pytest

from ledger.errors import BadBundle
from ledger.proof.facts_file import parse_facts
from tests.proof.second.cases.powers import LADEN, PLEDGED, spelled_files
from tests.proof.second.cases.statements import odd_members
from tests.proof.second.facts_file import MIB, well_formed
from tests.support.bundles.made import Made


def require_alike(raw: bytes) -> bool:
    try:
        parse_facts(raw)
    except BadBundle:
        assert not well_formed(raw), raw
        return False
    assert well_formed(raw), raw
    return True


@pytest.mark.slow
@pytest.mark.parametrize("made", [LADEN, PLEDGED], ids=["usage", "registration"])
def test_both_implementations_agree_on_a_facts_file_with_any_member_in_a_changed_form(made: Made) -> None:
    saved = json.loads(made.facts.to_bytes())
    taken = [require_alike(json.dumps(other).encode()) for other in odd_members(saved)]
    assert 100 < taken.count(True) < len(taken) / 2


@pytest.mark.parametrize("made", [LADEN, PLEDGED], ids=["usage", "registration"])
def test_facts_file_with_missing_or_unknown_members_is_refused(made: Made) -> None:
    saved = json.loads(made.facts.to_bytes())
    assert require_alike(json.dumps(saved).encode())
    for name in saved:
        assert not require_alike(json.dumps({other: saved[other] for other in saved if other != name}).encode())
    for more in ({"more": 1}, {"format": "pingzheng-facts/3"}, {"format": None}):
        assert not require_alike(json.dumps(saved | more).encode())
    for other in ([], [saved], "facts", None, 7):
        assert not require_alike(json.dumps(other).encode())


def test_facts_file_one_byte_too_large_is_refused() -> None:
    raw = LADEN.facts.to_bytes()
    assert require_alike(raw.ljust(MIB)) and not require_alike(raw.ljust(MIB + 1))


def test_both_implementations_agree_on_unusual_spellings_of_a_proposal_and_a_withdrawal() -> None:
    taken = [require_alike(raw) for raw in spelled_files()]
    assert 5 < taken.count(True) < len(taken) / 2


def test_proposal_is_unchanged_after_writing_and_reading() -> None:
    assert parse_facts(LADEN.facts.to_bytes()) == LADEN.facts
