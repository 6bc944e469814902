"""Reasons: the name for each number on the chain, and the allowed length of reasons in words."""

from __future__ import annotations

import pytest

from ledger.domain.reasons import MAX_GROUNDS, MAX_REASON, REASONS, checked_grounds, checked_reason, reason_name
from ledger.errors import InvalidInput


def test_unknown_reason_number_is_shown_as_a_number() -> None:
    assert [reason_name(number) for number in range(len(REASONS))] == list(REASONS)
    assert reason_name(len(REASONS)) == f"reason_{len(REASONS)}"


@pytest.mark.parametrize("length", [1, MAX_REASON - 1, MAX_REASON])
def test_valid_reason_is_returned_unchanged(length: int) -> None:
    assert checked_reason("因" * length) == "因" * length


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u3000", "因" * (MAX_REASON + 1)])
def test_blank_or_too_long_reason_is_refused(reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_reason(reason)
    assert (caught.value.code, caught.value.where) == ("REASON_MISSING", "reason")


@pytest.mark.parametrize("length", [1, MAX_GROUNDS - 1, MAX_GROUNDS])
def test_valid_grounds_are_returned_unchanged(length: int) -> None:
    assert checked_grounds(" " + "因" * length + "\n") == " " + "因" * length + "\n"


@pytest.mark.parametrize("grounds", ["", " ", "\n\t", "因" * (MAX_GROUNDS + 1)])
def test_blank_or_too_long_grounds_are_refused(grounds: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_grounds(grounds)
    assert (caught.value.code, caught.value.where) == ("REASON_LENGTH", "reason")
