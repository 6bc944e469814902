"""Grades of data: four levels of general data, important data, core data (GB/T 43697-2024)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.errors import InvalidInput

GENERAL_GRADES: Final = ("general_1", "general_2", "general_3", "general_4")
# What is of one of these is listed in the important-data catalogue.
LISTED_GRADES: Final = ("important", "core")
# Lowest first: the order is what 就高从严 compares.
GRADES: Final = (*GENERAL_GRADES, *LISTED_GRADES)
# A scenario never gives core data away.
SCENARIO_GRADES: Final = GRADES[:-1]
# ``AssetRegistry`` knows the four general levels as one; a name's place is its number there.
ASSET_GRADES: Final = ("general", *LISTED_GRADES)


def highest(grades: Iterable[str]) -> str:
    """The highest of the grades, the lowest there is for none; raises ``InvalidInput`` ``GRADE_UNKNOWN``."""
    return max(grades, key=grade_rank, default=GRADES[0])


def grade_rank(grade: str) -> int:
    """The grade's place in ``GRADES``; raises ``InvalidInput`` ``GRADE_UNKNOWN``."""
    if grade not in GRADES:
        raise InvalidInput(
            "GRADE_UNKNOWN", "There is no such grade.", where="grade", hint=f"One of: {', '.join(GRADES)}."
        )
    return GRADES.index(grade)


def asset_grade(grade: str) -> str:
    """The grade as the chain knows it."""
    return ASSET_GRADES[0] if grade in GENERAL_GRADES else grade
