"""CSV, Excel, Parquet and SQL give the same answers. In each, a flag that is set leads to a refusal, and damaged data
never lead to the answer "no data".
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.connectors import keys as key_columns
from ledger.connectors.answers import NoData, Refused, Supplied
from ledger.connectors.connector import SourceConnector
from ledger.connectors.keys import variants
from ledger.connectors.parquet import ParquetTable
from ledger.connectors.source import Flag
from ledger.domain.codes import is_resident_id, resident_check, synthetic_resident_id, uscc_check
from ledger.errors import Misconfigured
from tests.connectors.places import ALL_KINDS, AT, GRID, Place, query

BODY = "44081119900101"


def resident(serial: int, ending: str = "0123456789") -> str:
    """Return an invented ID number whose check character is in ``ending``: the first such number from ``serial``
    upwards.
    """
    for sequence in range(serial, 1000):
        check = resident_check(f"{BODY}{sequence:03}")
        if check in ending:
            return f"{BODY}{sequence:03}{check}"
    raise AssertionError("no such number")


OWN = resident(123)
WITH_X = resident(300, "X")
OTHER = resident(700)
THIRD = resident(900)
# A USCC that consists only of digits, so that a spreadsheet reads it as a number.
COMPANY = next(
    body + uscc_check(body)
    for body in map(str, range(91440802123456780, 91440802123456999))
    if uscc_check(body).isdigit()
)


@pytest.fixture(params=ALL_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def table(keys: list[Any], marks: list[Any]) -> dict[str, list[Any]]:
    return {"uscc": keys, "period": ["202601"] * len(keys), "kwh": ["1"] * len(keys), "mark": marks}


MET = {
    "a blank behind": ("更正中", None, "更正中 "),
    "an ideographic space before": ("更正中", None, "\u3000更正中"),
    "a no-break space": ("更正中", None, "更正中\u00a0"),
    "a zero-width space within": ("更正中", None, "更正\u200b中"),
    "a byte order mark": ("更正中", None, "\ufeff更正中"),
    "a tab": ("更正中", None, "更正中\t"),
    "a blank within": ("更正中", None, "更正 中"),
    "an apostrophe": ("更正中", None, "'更正中"),
    "a formula with a text": ("更正中", None, '="更正中"'),
    "blanks in the definition": (" 更正中 ", None, "更正中"),
    "capitals": ("disputed", None, "DISPUTED"),
    "full-width": ("A2", None, "Ａ２"),
    "a whole number": ("2", None, 2),
    "a float": ("2", None, 2.0),
    "a number as text": ("2", None, "2.0"),
    "zeros behind": ("2", None, "2.00"),
    "zeros before": ("2", None, "002"),
    "full-width digits": ("2", None, "２"),
    "thousands": ("1000", None, "1,000"),
    "an exponent": ("1000", None, "1E+3"),
    "a fraction": ("2.50", None, 2.5),
    "a declared number": ("2", "number", 2.0),
    "a boolean": ("true", None, True),
    "a boolean in capitals": ("true", None, "TRUE"),
    "a boolean as Python writes it": ("True", None, "true "),
    "a boolean as a number": ("true", "boolean", 1),
    "a number as a boolean": ("1", None, True),
    "false": ("False", None, False),
    "false as a number": ("false", None, 0.0),
    "a Chinese boolean": ("是", "boolean", True),
    "no": ("no", None, "No"),
    "nothing at all": ("", None, ""),
    "no value": ("", None, None),
    "blanks for nothing": ("", None, " \u3000"),
    "a day": ("2026-03-31", None, date(2026, 3, 31)),
    "a day as a time": ("2026-03-31", "date", datetime.fromisoformat("2026-03-31T00:00")),
    "a day in digits": ("20260331", "date", date(2026, 3, 31)),
}


@pytest.mark.parametrize(("value", "declared", "cell"), MET.values(), ids=MET.keys())
def test_a_query_is_refused_if_the_flag_column_has_the_flags_value_in_any_spelling(
    tmp_path: Path, kind: str, value: str, declared: str | None, cell: Any
) -> None:
    flags = (Flag("mark", value, "under_correction", declared),)
    marks = [None, cell, None]
    answer = Place(tmp_path, kind, {"flags": flags}).holding(table([OTHER, OWN, OWN], marks)).ask(query(OWN))
    assert answer == Refused("under_correction", AT, "mark")


NOT_MET = {
    "another text": ("更正中", None, "正常"),
    "a longer text": ("更正", None, "更正完毕"),
    "another number": ("2", None, 12),
    "a number with the same digits": ("2", None, "20"),
    "the other boolean": ("true", None, False),
    "the other boolean as a number": ("true", "boolean", 0),
    "nothing": ("2", "number", None),
    "blank": ("更正中", None, ""),
    "another day": ("2026-03-31", "date", date(2026, 3, 30)),
}


@pytest.mark.parametrize(("value", "declared", "cell"), NOT_MET.values(), ids=NOT_MET.keys())
def test_a_query_is_answered_if_the_flag_column_has_no_spelling_of_the_flags_value(
    tmp_path: Path, kind: str, value: str, declared: str | None, cell: Any
) -> None:
    flags = (Flag("mark", value, "under_correction", declared),)
    other = cell if cell is not None else ("x" if declared is None else None)
    answer = Place(tmp_path, kind, {"flags": flags}).holding(table([OWN, OTHER], [cell, other])).ask(query(OWN))
    assert isinstance(answer, Supplied)


@pytest.mark.parametrize("declared", ["number", "boolean", "date"])
def test_a_cell_in_a_flag_column_is_refused_if_its_type_is_not_the_declared_type(
    tmp_path: Path, kind: str, declared: str
) -> None:
    value = {"number": "2", "boolean": "true", "date": "2026-03-31"}[declared]
    flags = (Flag("mark", value, "disputed", declared),)
    place = Place(tmp_path, kind, {"flags": flags})
    answer = place.holding(table([OTHER, OWN], [value, "未知"])).ask(query(OWN))
    assert answer == Refused("data_unusable", AT, f"{place.at(2)}, column mark: not a {declared}")


@pytest.mark.parametrize("error", ["#N/A", " #REF!", "#VALUE!"])
def test_a_spreadsheet_error_is_refused(tmp_path: Path, kind: str, error: str) -> None:
    """A cell of a flag column may hold the error of a failed lookup. The error must not count as a flag that is not
    set.
    """
    flags = (Flag("mark", "更正中", "under_correction"),)
    place = Place(tmp_path, kind, {"flags": flags})
    answer = place.holding(table([OTHER, OWN], ["正常", error])).ask(query(OWN))
    assert answer == Refused("data_unusable", AT, f"{place.at(2)}, column mark")


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_spreadsheet_error_in_the_key_column_counts_as_damage(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Misconfigured, match="SOURCE_KEY_DAMAGED"):
        Place(tmp_path, kind).holding(table([OWN, "#N/A"], ["x", "x"])).ask(query(OWN))


def full_width(text: str) -> str:
    return text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})


DECORATED = {
    "a blank": f"{OWN} ",
    "a tab": f"{OWN}\t",
    "a tab before": f"\t{OWN}",
    "a line end": f"{OWN}\r\n",
    "an apostrophe": f"'{OWN}",
    "a formula with a text": f'="{OWN}"',
    "zero-width": f"\u200b{OWN}",
    "a byte order mark": f"\ufeff{OWN}",
    "a no-break space": f"{OWN}\u00a0",
    "an ideographic space": f"\u3000{OWN}",
    "full-width": full_width(OWN),
    "blanks within": f"{OWN[:6]} {OWN[6:14]} {OWN[14:]}",
    "hyphens within": f"{OWN[:6]}-{OWN[6:14]}-{OWN[14:]}",
}


@pytest.mark.parametrize("cell", DECORATED.values(), ids=DECORATED.keys())
def test_a_key_with_harmless_extra_characters_finds_the_subject(tmp_path: Path, kind: str, cell: str) -> None:
    answer = Place(tmp_path, kind).holding(table([OTHER, cell], [None, "x"])).ask(query(OWN))
    assert isinstance(answer, Supplied)
    assert answer.rows == ({"month": "202601", "kwh": "1"},)


@pytest.mark.parametrize(("asked", "cell"), [(WITH_X, WITH_X.lower()), (WITH_X.lower(), WITH_X), (GRID, GRID.lower())])
def test_keys_are_compared_without_regard_to_upper_and_lower_case(
    tmp_path: Path, kind: str, asked: str, cell: str
) -> None:
    assert isinstance(Place(tmp_path, kind).holding(table([OTHER, cell], ["x", "x"])).ask(query(asked)), Supplied)


def test_the_subjects_key_is_found_although_only_a_sample_of_the_keys_is_checked(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examined values of the key column are a sample, and every value that is similar to the subject's key."""
    heads = [f"4408111985{day:04}123" for day in (101, 102, 103)]
    keys = [*(head + resident_check(head) for head in heads), OTHER, OWN, THIRD]
    monkeypatch.setattr(key_columns, "MAX_CHECKED", 1)
    definition = Place(tmp_path, kind).holding(table(keys, ["x"] * len(keys)))
    table_here = ParquetTable(tmp_path / "bills.parquet") if kind == "parquet" else definition._table
    source = SourceConnector(definition._definition, table_here)
    for asked in (OWN, full_width(OWN), f" {OWN}"):
        assert isinstance(source.ask(query(asked)), Supplied)
    assert source.ask(query(WITH_X)) == NoData(AT)


DAMAGED = {
    "shown with an exponent": (OWN, f"{float(OWN):.5E}"),
    "shown with two digits": (OWN, f"{float(OWN):.1E}"),
    "in small letters": (OWN, f"{float(OWN):.5e}"),
    "saved with an exponent": (OWN, repr(float(OWN))),
    "with 15 digits": (OWN, f"{float(OWN):.14E}"),
    "last digits 000": (OWN, f"{OWN[:15]}000"),
    "last digits 000 as a number": (OWN, float(f"{OWN[:15]}000")),
    "a number": (OWN, float(OWN)),
    "a number as text": (OWN, f"{float(OWN):.0f}"),
    "the check digit gone": (OWN, OWN[:17]),
    "the last three gone": (OWN, OWN[:15]),
    "the form of before 1999": (OWN, OWN[:6] + OWN[8:17]),
    "a company's, with an exponent": (COMPANY, f"{float(COMPANY):.5E}"),
    "a company's, last digits 000": (COMPANY, f"{COMPANY[:15]}000"),
}


@pytest.mark.parametrize(("asked", "cell"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_key_is_an_error_that_names_the_column(tmp_path: Path, kind: str, asked: str, cell: Any) -> None:
    if kind == "parquet" and not isinstance(cell, str):
        keys: list[Any] = [float(OTHER), cell]
    else:
        keys = [OTHER, cell]
    with pytest.raises(Misconfigured) as caught:
        Place(tmp_path, kind).holding(table(keys, ["x", "x"])).ask(query(asked))
    number_in_parquet = kind == "parquet" and not isinstance(cell, str)
    assert caught.value.code == ("SOURCE_KEY_NOT_TEXT" if number_in_parquet else "SOURCE_KEY_DAMAGED")
    assert "uscc" in caught.value.message
    assert asked not in str(caught.value) and asked[:15] not in str(caught.value)


@pytest.mark.parametrize("cell", [f"{float(OWN):.5E}", f"{OWN[:15]}000", OWN[:17]])
def test_one_damaged_key_in_the_column_is_an_error_even_if_the_subjects_row_is_good(
    tmp_path: Path, kind: str, cell: str
) -> None:
    """If a damaged key were no error, some of the subject's rows could be missing from the signed answer."""
    if kind == "sql":
        return
    with pytest.raises(Misconfigured, match="SOURCE_KEY_DAMAGED"):
        Place(tmp_path, kind).holding(table([OWN, cell], ["x", "x"])).ask(query(OWN))


OTHERS_DAMAGED = {
    "a wrong check digit": f"{THIRD[:17]}{(int(THIRD[17]) + 1) % 10}",
    "another's exponent": "3.20102E+17",
    "a masked number": "320102********1234",
    "letters that a USCC has not": "91440802MA9I00011O",
    "19 digits": f"{THIRD}0",
}


@pytest.mark.parametrize("cell", OTHERS_DAMAGED.values(), ids=OTHERS_DAMAGED.keys())
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_key_column_with_wrong_check_digits_gives_an_error_instead_of_the_answer_no_data(
    tmp_path: Path, kind: str, cell: str
) -> None:
    source = Place(tmp_path, kind).holding(table([OTHER, cell], ["x", "x"]))
    with pytest.raises(Misconfigured, match="SOURCE_KEY_DAMAGED") as caught:
        source.ask(query(OWN))
    assert str(caught.value.where).endswith("row 2" if kind == "parquet" else " 3")
    assert isinstance(source.ask(query(OTHER)), Supplied), "whoever is found is not stopped by it"


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_key_column_without_identifiers_gives_an_error_instead_of_the_answer_no_data(
    tmp_path: Path, kind: str
) -> None:
    source = Place(tmp_path, kind).holding(table(["1001", "1002"], ["x", "x"]))
    with pytest.raises(Misconfigured, match="SOURCE_KEY_DAMAGED"):
        source.ask(query(OWN))


def test_a_sound_key_column_without_the_subject_gives_the_answer_no_data(tmp_path: Path, kind: str) -> None:
    keys = [OTHER, GRID, WITH_X, "合计", "护照 E12345678"]
    source = Place(tmp_path, kind).holding(table(keys, ["x"] * len(keys)))
    assert source.ask(query(OWN)) == NoData(AT)


def test_a_rounded_id_number_that_is_a_valid_number_is_not_recognised_as_damaged(tmp_path: Path, kind: str) -> None:
    """A spreadsheet rounds a long ID number. By chance the result can be a valid ID number, of another person; then
    nothing shows the damage.
    """
    asked, other = next(
        (key, form)
        for key in filter(str.isdigit, map(synthetic_resident_id, range(2_000)))
        if (form := f"{float(key):.0f}") != key and is_resident_id(form) and not form.endswith("000")
    )
    source = Place(tmp_path, kind).holding(table([other, THIRD], ["x", "x"]))
    assert source.ask(query(asked)) == NoData(AT)


def test_a_database_is_queried_for_every_form_of_a_key_that_files_accept(tmp_path: Path) -> None:
    forms = variants(OWN)
    assert set(DECORATED.values()) <= set(forms)
    assert {cell for asked, cell in DAMAGED.values() if asked == OWN and isinstance(cell, str)} <= set(forms)
    assert OWN not in forms
    assert variants("0123") == []
