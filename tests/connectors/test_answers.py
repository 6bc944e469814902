"""A source gives the same answers for every kind of table."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.connectors import connector as connector_module
from ledger.connectors.answers import NoData, Refused, Supplied, TimedOut
from ledger.connectors.keys import NO_KEYS, normal_key
from ledger.connectors.source import AsOf, Flag
from ledger.connectors.table import MAX_ROWS
from ledger.domain.reasons import REFUSALS
from ledger.errors import Misconfigured
from tests.connectors.places import AT, BILLS, GRID, KINDS, OTHER, Place, Table, query


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.param)


def refusal(answer: object) -> tuple[str, str]:
    assert isinstance(answer, Refused)
    assert answer.queried_at == AT
    assert answer.reason in REFUSALS
    return answer.reason, answer.where


def test_only_the_subjects_rows_and_the_requested_columns_are_supplied(place: Place) -> None:
    source = place.holding(BILLS)
    rows = ({"month": "202601", "kwh": "100"}, {"month": "202602", "kwh": "200"}, {"month": "202603", "kwh": "300"})
    assert source.ask(query()) == Supplied(rows, date(2026, 3, 31), AT)
    answer = source.ask(query(OTHER, columns=("kwh",)))
    assert answer == Supplied(({"kwh": "7"}, {"kwh": "8"}), date(2026, 3, 31), AT)


def test_a_subject_without_rows_gets_the_answer_no_data(place: Place) -> None:
    assert place.holding(BILLS).ask(query("91440881MA9X000384")) == NoData(AT)


def test_rows_are_supplied_even_if_no_column_is_requested(place: Place) -> None:
    assert place.holding(BILLS).ask(query(columns=())) == Supplied(({}, {}, {}), date(2026, 3, 31), AT)


def test_rows_are_supplied_in_the_same_order_whatever_their_order_in_the_source(place: Place) -> None:
    first = place.holding(BILLS).ask(query())
    turned = place.holding({name: list(reversed(values)) for name, values in BILLS.items()}).ask(query())
    assert first == turned


@pytest.mark.parametrize(
    "identifier",
    [
        "' OR '1'='1",
        "x' UNION SELECT * FROM bills --",
        f"{GRID}'; DROP TABLE bills; --",
        f"{GRID}0",
        GRID[:-1],
        "%",
        "*",
        '"',
        ":identifier",
        "\\",
        "\x00",
        "NULL",
        "０",
    ],
)
def test_an_identifier_is_never_interpreted_as_sql(tmp_path: Path, identifier: str) -> None:
    for kind in KINDS:
        source = Place(tmp_path, kind).holding(BILLS)
        if identifier.strip():
            assert source.ask(query(identifier)) == NoData(AT)
        assert isinstance(source.ask(query()), Supplied)


@pytest.mark.parametrize("identifier", ["", " ", "\t"])
def test_a_blank_identifier_finds_no_rows_without_a_key(place: Place, identifier: str) -> None:
    source = place.holding({**BILLS, "uscc": [identifier, *BILLS["uscc"][1:]]})
    for subject in ({"identifier": identifier}, {}, {"name": "示例公司"}):
        with pytest.raises(Misconfigured) as caught:
            source.ask(query(subject=subject))
        assert (caught.value.code, caught.value.where) == ("SOURCE_ATTRIBUTE_MISSING", "grid")
        assert "示例公司" not in str(caught.value)


def test_a_query_for_a_source_or_scenario_that_the_definition_does_not_name_is_out_of_scope(place: Place) -> None:
    source = place.connector()
    for other in (query(scenario="S02"), query(source="water")):
        assert refusal(source.ask(other))[0] == "out_of_scope"


def test_an_error_names_the_column_that_is_not_mapped(place: Place) -> None:
    with pytest.raises(Misconfigured) as caught:
        place.connector().ask(query(columns=("month", "status", "amount")))
    assert caught.value.code == "SOURCE_COLUMN_UNMAPPED"
    assert "amount, status" in caught.value.message


@pytest.mark.parametrize("missing", ["uscc", "period", "status"])
def test_an_error_names_the_column_that_is_missing(tmp_path: Path, missing: str) -> None:
    flags = (Flag("status", "under correction", "under_correction"),)
    for kind in KINDS[:2] if missing == "uscc" else KINDS:
        table = {name: values for name, values in BILLS.items() if name != missing}
        with pytest.raises(Misconfigured) as caught:
            Place(tmp_path, kind, {"flags": flags}).holding(table).ask(query())
        assert caught.value.code == "SOURCE_COLUMN_MISSING"
        assert missing in caught.value.message


def test_a_query_is_refused_for_the_flags_reason_if_any_row_of_the_subject_has_the_flag(place: Place) -> None:
    flags = Flag("status", "under correction", "under_correction"), Flag("status", "disputed", "disputed")
    flagged = Place(place.folder, place.kind, {"flags": flags})
    source = flagged.holding(BILLS)
    assert refusal(source.ask(query(OTHER))) == ("under_correction", "status")
    assert isinstance(source.ask(query()), Supplied)
    status = ["disputed", "ok", "under correction", "ok", "disputed"]
    source = flagged.holding({**BILLS, "status": status})
    assert refusal(source.ask(query(OTHER)))[0] == "under_correction"
    assert refusal(source.ask(query()))[0] == "disputed"


NAMED = {**BILLS, "name": ["其他公司", "示例公司", "其他公司", "示例公司", "示例公司"]}


def test_the_name_of_a_subject_is_supplied_only_if_it_is_requested(place: Place) -> None:
    source = Place(place.folder, place.kind, {"name_column": "name"}).holding(NAMED)
    asked = source.ask(query(name=True))
    assert isinstance(asked, Supplied) and asked.name == "示例公司"
    assert "示例公司" not in repr(asked)
    assert [set(row) for row in asked.rows] == [{"month", "kwh"}] * 3, "it is in no row"
    without = source.ask(query())
    assert isinstance(without, Supplied) and without.name is None


def test_a_definition_without_a_name_column_cannot_supply_the_name(place: Place) -> None:
    with pytest.raises(Misconfigured) as caught:
        place.holding(NAMED).ask(query(name=True))
    assert (caught.value.code, caught.value.where) == ("SOURCE_NAME_MISSING", "grid")


def test_rows_with_different_names_are_refused(place: Place) -> None:
    two = {**NAMED, "name": ["其他公司", "示例公司", "其他公司", "示例公司", "旧名公司"]}
    source = Place(place.folder, place.kind, {"name_column": "name"}).holding(two)
    reason, where = refusal(source.ask(query(name=True)))
    assert (reason, where) == ("data_unusable", "name: the rows give different names")
    assert isinstance(source.ask(query()), Supplied), "who does not need the name is not stopped by it"


def test_the_value_of_a_flag_is_compared_with_the_text_of_the_cell(place: Place) -> None:
    flags = (Flag("kwh", "300", "disputed"),)
    assert refusal(Place(place.folder, place.kind, {"flags": flags}).holding(BILLS).ask(query()))[0] == "disputed"


AS_OF = {
    "latest day": (["2026-03-31", "2026-04-01", "2026-02-28"], date(2026, 4, 1)),
    "day of the question": (["2026-03-31", "2026-04-15", "2026-02-28"], date(2026, 4, 15)),
    "basic format": (["20260331", "20260401", "20260228"], date(2026, 4, 1)),
    "month is over": (["202601", "202603", "202602"], date(2026, 3, 31)),
    "month is not over": (["2026-03", "2026-04", "2026-02"], date(2026, 4, 15)),
    "leap month": (["2024-01", "2024-02", "2023-12"], date(2024, 2, 29)),
    "years": (["2024", "2025", "2023"], date(2025, 12, 31)),
    "year is not over": (["2024", "2026", "2025"], date(2026, 4, 15)),
    "instants": (["2026-03-31T17:00:00+00:00", "2026-03-31T23:00:00+08:00", "2026-01-01T00:00:00Z"], date(2026, 4, 1)),
    "times": (["2026-03-31T23:59:59", "2026-01-01 00:00:00", "2026-03-30T00:00"], date(2026, 3, 31)),
}


@pytest.mark.parametrize(("cells", "day"), AS_OF.values(), ids=AS_OF.keys())
def test_the_data_date_is_the_latest_day_in_its_column(place: Place, cells: list[str], day: date) -> None:
    table = {**BILLS, "period": ["2099-12-31", cells[0], "2099-12-31", cells[1], cells[2]]}
    answer = Place(place.folder, place.kind, {"as_of": AsOf(column="period")}).holding(table).ask(query())
    assert isinstance(answer, Supplied)
    assert answer.as_of == day


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        ("2026-04-16", "as_of is after the query"),
        ("2026-05", "as_of is after the query"),
        ("2027", "as_of is after the query"),
        ("", None),
        ("2026-02-30", None),
        ("202613", None),
        ("0000", None),
        ("9999-12-31", "as_of is after the query"),
        ("0001", "as_of is before 1900-01-01"),
        ("２０２６", None),
        ("9999-12-31T23:59:59-08:00", None),
        ("March", None),
    ],
)
def test_an_invalid_day_in_the_column_of_the_data_date_is_refused(place: Place, cell: str, where: str | None) -> None:
    table = {**BILLS, "period": ["2026", "2026-03", "2026", cell, "2026-02"]}
    source = Place(place.folder, place.kind, {"as_of": AsOf(column="period")}).holding(table)
    assert refusal(source.ask(query())) == ("data_unusable", where or f"{place.at(4, 2)}, column period")


def test_a_fixed_data_date_after_the_day_of_the_query_is_refused(place: Place) -> None:
    source = Place(place.folder, place.kind, {"as_of": AsOf(day=date(2026, 4, 16))}).holding(BILLS)
    assert refusal(source.ask(query()))[0] == "data_unusable"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_data_date_of_a_file_is_the_shanghai_day_of_its_last_change(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind, {"as_of": AsOf()})
    source = place.holding(BILLS)
    # The file was changed at 2026-04-01 00:30 in Shanghai, when it was still March in UTC.
    os.utime(place.path, (1_774_974_600, 1_774_974_600))
    answer = source.ask(query())
    assert isinstance(answer, Supplied)
    assert answer.as_of == date(2026, 4, 1)


def test_too_many_rows_are_refused_and_never_truncated(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector_module, "MAX_ROWS", 3)
    source = place.holding(BILLS)
    assert isinstance(source.ask(query()), Supplied)
    monkeypatch.setattr(connector_module, "MAX_ROWS", 2)
    assert refusal(source.ask(query())) == ("data_unusable", "more than 2 rows")
    assert MAX_ROWS == 10_000


def test_a_cell_that_is_too_long_is_refused(place: Place) -> None:
    table = {**BILLS, "period": ["x", "x" * 10_000, "x", "x", "x"]}
    assert isinstance(place.holding(table).ask(query()), Supplied)
    table["period"] = ["x", "x" * 10_000, "x", "x", "x" * 10_001]
    if place.kind == "csv":
        with pytest.raises(Misconfigured, match="CSV_CELL_TOO_LONG"):
            place.holding(table).ask(query())
    else:
        assert refusal(place.holding(table).ask(query())) == ("data_unusable", f"{place.at(5, 3)}, column period")


def test_a_query_without_time_left_times_out(place: Place) -> None:
    place.holding(BILLS)
    assert place.connector(timeout_seconds=0).ask(query()) == TimedOut(AT)


def test_the_repr_of_a_query_and_its_answer_shows_no_value_of_the_subject(place: Place) -> None:
    question = query()
    shown = repr(question) + repr(place.holding(BILLS).ask(question))
    assert GRID not in shown
    assert "300" not in shown


# Any text that a file or a database can hold. Unpaired surrogates are left out, because neither can store them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# Every key is the identifier of a subject. Rows without a key are tested elsewhere: files with such rows are refused,
# databases do not return them.
KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3).filter(
    lambda text: text.strip() and normal_key(text) not in {"", *NO_KEYS}
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | TEXT,
    "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
    "exact": st.none() | st.decimals(-(10**9), 10**9, places=2).map(abs),
    "day": st.none() | st.dates(),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], Table]:
    keys = draw(st.lists(KEY, min_size=1, max_size=3, unique=True))
    owners = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=8))
    columns = {name: [draw(cells) for _ in owners] for name, cells in CELLS.items()}
    return keys, {"uscc": owners, **columns}


@given(tables())
@settings(max_examples=60)
def test_csv_and_parquet_and_sql_supply_identical_rows(drawn: tuple[list[str], Table]) -> None:
    keys, table = drawn
    typed = {name: _typed(values, name) for name, values in table.items()}
    with tempfile.TemporaryDirectory() as folder:
        places = [Place(Path(folder), kind, {"columns": {name: name for name in CELLS}}) for kind in KINDS]
        sources = [place.holding(typed if place.kind == "parquet" else table) for place in places]
        for key in keys:
            first, *others = (source.ask(query(key, tuple(CELLS))) for source in sources)
            assert others == [first, first]
            expected = sorted(
                tuple("" if table[name][row] is None else str(table[name][row]) for name in CELLS)
                for row, owner in enumerate(table["uscc"])
                if owner == key
            )
            assert [tuple(row.values()) for row in getattr(first, "rows", ())] == expected


def _typed(values: Any, name: str) -> Any:
    import pyarrow as pa

    kinds = {"whole": pa.int64(), "exact": pa.decimal128(12, 2), "day": pa.date32()}
    return pa.array(values, kinds.get(name, pa.string()))


def test_decimals_keep_their_trailing_zeros(place: Place) -> None:
    table = {**BILLS, "kwh": [Decimal(text) for text in ("1.00", "39877.50", "0.10", "-0.00", "100.00")]}
    answer = place.holding(table).ask(query(columns=("kwh",)))
    assert isinstance(answer, Supplied)
    zero = "-0.00" if place.kind != "parquet" else "0.00"
    assert sorted(row["kwh"] for row in answer.rows) == sorted([zero, "100.00", "39877.50"])
