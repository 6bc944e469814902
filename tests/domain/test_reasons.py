"""Reasons: their names by the chain's numbers, and the lengths of those that people write."""

from __future__ import annotations

import pytest

from ledger.domain.reasons import MAX_GROUNDS, MAX_REASON, REASONS, checked_grounds, checked_reason, reason_name
from ledger.errors import InvalidInput


def test_a_number_of_a_later_version_is_shown_as_it_is() -> None:
    assert [reason_name(number) for number in range(len(REASONS))] == list(REASONS)
    assert reason_name(len(REASONS)) == f"reason_{len(REASONS)}"


@pytest.mark.parametrize("length", [1, MAX_REASON - 1, MAX_REASON])
def test_a_reason_is_given_back_as_it_is(length: int) -> None:
    assert checked_reason("因" * length) == "因" * length


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u3000", "因" * (MAX_REASON + 1)])
def test_a_reason_that_says_nothing_or_too_much(reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_reason(reason)
    assert (caught.value.code, caught.value.where) == ("REASON_MISSING", "reason")


@pytest.mark.parametrize("length", [1, MAX_GROUNDS - 1, MAX_GROUNDS])
def test_grounds_are_given_back_as_they_are(length: int) -> None:
    assert checked_grounds(" " + "因" * length + "\n") == " " + "因" * length + "\n"


@pytest.mark.parametrize("grounds", ["", " ", "\n\t", "因" * (MAX_GROUNDS + 1)])
def test_grounds_that_say_nothing_or_too_much(grounds: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_grounds(grounds)
    assert (caught.value.code, caught.value.where) == ("REASON_LENGTH", "reason")
