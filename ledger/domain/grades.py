# SPDX-License-Identifier: Apache-2.0
"""Grades of data (GB/T 43697-2024): four levels of general data, important data, and core data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.errors import InvalidInput

GENERAL_GRADES: Final = ("general_1", "general_2", "general_3", "general_4")
# Data of these grades is listed in the important-data catalogue.
LISTED_GRADES: Final = ("important", "core")
# All grades from the lowest to the highest. The rule 就高从严 (of several grades, the highest applies) uses this order.
GRADES: Final = (*GENERAL_GRADES, *LISTED_GRADES)
# The grades of data that a scenario can provide; core data is excluded.
SCENARIO_GRADES: Final = GRADES[:-1]
# The grades in ``AssetRegistry``, which has only one grade for the four levels of general data. A grade's number on the
# chain is its place, from 0.
ASSET_GRADES: Final = ("general", *LISTED_GRADES)


def highest(grades: Iterable[str]) -> str:
    """Return the highest of the grades, or the lowest grade if none is given. Raises the errors of ``grade_rank``."""
    return max(grades, key=grade_rank, default=GRADES[0])


def grade_rank(grade: str) -> int:
    """Return the place of the grade in ``GRADES``, from 0. Raises ``InvalidInput`` ``GRADE_UNKNOWN`` for any other
    text.
    """
    if grade not in GRADES:
        raise InvalidInput(
            "GRADE_UNKNOWN", "This grade is not known.", where="grade", hint=f"Use one of: {', '.join(GRADES)}."
        )
    return GRADES.index(grade)


def asset_grade(grade: str) -> str:
    """Return the name of the grade in ``AssetRegistry``, which has one name for all levels of general data."""
    return ASSET_GRADES[0] if grade in GENERAL_GRADES else grade
