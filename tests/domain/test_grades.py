"""Grades of data: their order, and their names on the chain."""

from __future__ import annotations

import pytest

from ledger.domain.grades import GRADES, asset_grade, grade_rank, highest
from ledger.errors import InvalidInput

ORDER = ["general_1", "general_2", "general_3", "general_4", "important", "core"]
ON_CHAIN = ["general", "general", "general", "general", "important", "core"]


def test_each_grade_has_the_expected_rank_and_name_on_the_chain() -> None:
    assert list(GRADES) == ORDER == sorted(ORDER, key=lambda grade: grade_rank(grade))
    assert [asset_grade(grade) for grade in GRADES] == ON_CHAIN


def test_highest_grade_of_a_list_is_returned_and_the_lowest_grade_for_an_empty_list() -> None:
    assert highest(["general_2", "important", "general_4"]) == "important"
    assert highest([]) == "general_1"


@pytest.mark.parametrize("grade", ["", "general", "Core", "general_5"])
def test_unknown_grade_is_refused(grade: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        highest(["general_1", grade])
    assert (caught.value.code, caught.value.where) == ("GRADE_UNKNOWN", "grade")
