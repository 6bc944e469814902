"""The threat model names the tests of its claims, and each named test exists."""

from __future__ import annotations

import re

import pytest

from tests.support.places import PROJECT

PAGE = (PROJECT / "docs" / "threat-model.md").read_text("utf-8")
CHINESE = (PROJECT / "docs" / "threat-model.zh.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=["::".join(each) for each in NAMED])
def test_every_test_that_the_threat_model_names_exists(file: str, name: str) -> None:
    text = (PROJECT / file).read_text("utf-8")
    assert re.search(rf"^def {name or 'test_'}", text, re.MULTILINE)


def rows(page: str) -> list[list[str]]:
    """Return the cells of each row of all tables on the page, also of the heading rows."""
    return [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]


def test_the_chinese_threat_model_has_the_same_rows_and_codes_and_tests() -> None:
    english, chinese = (
        [(len(row), row[-1] if "`" in row[-1] else "", set(CODE.findall(" ".join(row)))) for row in rows(page)]
        for page in (PAGE, CHINESE)
    )
    assert english == chinese


def test_every_row_of_the_threat_models_tables_of_powers_has_four_filled_cells() -> None:
    powers = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| power")]
    assert len(powers) > 30
    assert all(len([cell for cell in row.split("|")[1:-1] if cell.strip()]) == 4 for row in powers)
