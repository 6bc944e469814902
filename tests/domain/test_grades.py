"""Grades of data: their order, and what a scenario and the chain know of them."""

from __future__ import annotations

import pytest

from ledger.domain.grades import GRADES, asset_grade, grade_rank, highest
from ledger.errors import InvalidInput

ORDER = ["general_1", "general_2", "general_3", "general_4", "important", "core"]
ON_CHAIN = ["general", "general", "general", "general", "important", "core"]


def test_each_grade_by_its_place_and_by_its_name_on_the_chain() -> None:
    assert list(GRADES) == ORDER == sorted(ORDER, key=lambda grade: grade_rank(grade))
    assert [asset_grade(grade) for grade in GRADES] == ON_CHAIN


def test_the_highest_counts_and_of_none_the_lowest() -> None:
    assert highest(["general_2", "important", "general_4"]) == "important"
    assert highest([]) == "general_1"


@pytest.mark.parametrize("grade", ["", "general", "Core", "general_5"])
def test_a_grade_that_there_is_not(grade: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        highest(["general_1", grade])
    assert (caught.value.code, caught.value.where) == ("GRADE_UNKNOWN", "grade")
