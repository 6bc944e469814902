"""A text that is printed on one line of a notice or list has no line end and no invisible character."""

from __future__ import annotations

import pytest

from ledger.domain.lines import require_line
from ledger.errors import InvalidInput

LEAVING = ["\n", "\r", "\t", "\x1b[2J", "\x00", "\x85", "\u2028", "\u2029", "\u200b", "\u202e", "\ufeff", "\xad"]


@pytest.mark.parametrize("text", ["", "示例银行 Bank", "O'Brien & 张三（第 2 版）", "𠮷野家"])
def test_valid_line_is_returned_unchanged(text: str) -> None:
    assert require_line(text, "name") is text


@pytest.mark.parametrize("character", LEAVING, ids=ascii)
@pytest.mark.parametrize("place", ["{}贷款", "贷{}款", "贷款{}"])
def test_line_ends_and_invisible_characters_are_refused(character: str, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_line(place.format(character), "purpose")
    assert (caught.value.code, caught.value.where) == ("TEXT_CONTROL", "purpose")
