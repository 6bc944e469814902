"""Excel files: cells are read as text, the error for a mistake names its place, and the size of files is limited."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.connectors.spreadsheets import xlsx_scan
from ledger.connectors.spreadsheets.xlsx_book import read_sheets
from ledger.connectors.tables import rows_of
from ledger.errors import InvalidInput
from tests.support.actors.department import refusal
from tests.support.workbooks import book


def read_xlsx(data: bytes, name: str) -> dict[str, list[dict[str, str]]]:
    return {sheet.title: rows_of(sheet, f"{name}, {sheet.title}") for sheet in read_sheets(data, name)}


def test_cells_are_read_as_text() -> None:
    cells = book(s=[["a", "b", "c", "d", "e"], [True, 1.5, date(2026, 1, 2), 7, "x"]])
    (line,) = read_xlsx(cells, "t.xlsx")["s"]
    assert line == {"a": "true", "b": "1.5", "c": "2026-01-02", "d": "7", "e": "x"}


def test_an_empty_sheet_has_no_rows() -> None:
    assert read_xlsx(book(s=[]), "t.xlsx") == {"s": []}


EXCEL: dict[str, tuple[list[list[Any]], str, str]] = {
    "formula": ([["a"], ["=1+1"]], "XLSX_FORMULA", "t.xlsx, s, row 2, column a"),
    "formula of a file": ([["a"], ["x"], ['=HYPERLINK("http://x")']], "XLSX_FORMULA", "t.xlsx, s, row 3, column a"),
    "column twice": ([["a", "a"]], "XLSX_HEADER", "t.xlsx, s, row 1"),
    "column without a name": ([["a", None, "c"]], "XLSX_HEADER", "t.xlsx, s, row 1"),
    "cell outside": ([["a"], ["x", "y"]], "XLSX_ROW_WIDTH", "t.xlsx, s, row 2"),
    "cell too long": ([["a"], ["x" * 10_001]], "XLSX_CELL_TOO_LONG", "t.xlsx, s, row 2, column a"),
}


@pytest.mark.parametrize(("rows", "code", "where"), EXCEL.values(), ids=EXCEL.keys())
def test_an_invalid_sheet_is_refused_and_the_error_names_the_cell_or_the_sheet(
    rows: list[list[Any]], code: str, where: str
) -> None:
    error = refusal(lambda: read_xlsx(book(s=rows), "t.xlsx"))
    assert (error.code, error.where) == (code, where)


def rezipped(book: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, change(member, old.read(member)))
    return out.getvalue()


BOOK = book(s=[["a"], ["x"]])
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


def with_entities(member: str, content: bytes) -> bytes:
    return content if not member.endswith("sheet1.xml") else BOMB + content.split(b"?>", 1)[-1]


MALFORMED = {
    "no zip": b"code,title\n",
    "nothing": b"",
    "cut off": BOOK[: len(BOOK) // 2],
    "empty members": rezipped(BOOK, lambda member, content: b""),
    "a sheet that is not XML": rezipped(
        BOOK, lambda member, content: b"<" if member.endswith("sheet1.xml") else content
    ),
    "entities": rezipped(BOOK, with_entities),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_file_that_is_not_a_workbook_is_refused(data: bytes) -> None:
    assert refusal(lambda: read_xlsx(data, "t.xlsx")).code == "XLSX_MALFORMED"


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    member=st.sampled_from(zipfile.ZipFile(io.BytesIO(BOOK)).namelist()),
    place=st.integers(0, 2_000),
    text=st.binary(max_size=12),
    cut=st.integers(0, 40),
)
def test_a_damaged_workbook_is_read_or_refused_without_a_crash(member: str, place: int, text: bytes, cut: int) -> None:
    damaged = rezipped(
        BOOK, lambda name, content: content if name != member else content[:place] + text + content[place + cut :]
    )
    try:
        read_xlsx(damaged, "t.xlsx")
    except InvalidInput as error:
        assert error.code.startswith("XLSX_")


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = rezipped(BOOK, lambda member, content: content + b" " * (30 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    assert refusal(lambda: read_xlsx(bomb, "t.xlsx")).code == "XLSX_TOO_LARGE"


def test_a_sheet_with_too_many_cells_is_refused_even_if_they_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(xlsx_scan.BOUNDS, "c", 50)
    far = rezipped(BOOK, lambda member, content: content.replace(b'"A2"', b'"XFD2"'))
    assert refusal(lambda: read_xlsx(far, "t.xlsx")).code == "XLSX_TOO_LARGE"
    deep = rezipped(
        BOOK, lambda member, content: content.replace(b'"A2"', b'"A900000"').replace(b'r="2"', b'r="900000"')
    )
    assert refusal(lambda: read_xlsx(deep, "t.xlsx")).code == "XLSX_TOO_LARGE"


def test_a_workbook_that_is_too_large_is_refused_before_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(xlsx_scan.BOUNDS, "sheet", 1)
    assert refusal(lambda: read_xlsx(book(a=[], b=[]), "t.xlsx")).code == "XLSX_TOO_LARGE"
    monkeypatch.setattr(xlsx_scan, "MAX_XLSX_BYTES", 10)
    assert refusal(lambda: read_xlsx(BOOK, "t.xlsx")).code == "XLSX_TOO_LARGE"
