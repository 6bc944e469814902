"""Small files that become huge when unpacked are refused. Their size is counted in little memory before objects are
built.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from ledger.connectors.spreadsheets import xlsx_scan
from ledger.connectors.tables import read_table
from ledger.connectors.tabular import MAX_COLUMNS, MAX_ROW_CHARACTERS, MAX_TABLE_ROWS
from ledger.errors import InvalidInput
from tests.connectors.unpacking import (
    MEGABYTE,
    SHEET,
    STRINGS,
    STYLES,
    many,
    sheet,
    small_book,
    strings,
    styles,
    with_parts,
    within,
)

pytestmark = pytest.mark.slow

CASES = Path(__file__).parent / "cases"
Parts = Mapping[str, Iterable[bytes]]

BOOKS: dict[str, tuple[Callable[[], Parts], str]] = {
    "cells": (lambda: {SHEET: sheet([b"<row>", *many(b"<c/>", 8_000_000), b"</row>"])}, "c"),
    "rows": (lambda: {SHEET: sheet(many(b"<row/>", 4_000_000))}, "row"),
    "shared strings": (lambda: {STRINGS: strings(many(b"<si/>", 8_000_000))}, "si"),
    "runs of one string": (lambda: {STRINGS: strings([b"<si>", *many(b"<r><t>x</t></r>", 4_000_000), b"</si>"])}, ""),
    "cell formats": (lambda: {STYLES: styles([b"<cellXfs>", *many(b"<xf/>", 4_000_000), b"</cellXfs>"])}, "xf"),
    "fonts": (lambda: {STYLES: styles([b"<fonts>", *many(b"<font/>", 4_000_000), b"</fonts>"])}, "font"),
    "number formats": (
        lambda: {STYLES: styles([b"<numFmts>", *many(b"<numFmt/>", 4_000_000), b"</numFmts>"])},
        "numFmt",
    ),
    "merged ranges": (
        lambda: {SHEET: sheet([], [b"<mergeCells>", *many(b'<mergeCell ref="A1:A2"/>', 2_000_000), b"</mergeCells>"])},
        "mergeCell",
    ),
    "rules of validation": (
        lambda: {
            SHEET: sheet([], [b"<dataValidations>", *many(b"<dataValidation/>", 2_000_000), b"</dataValidations>"])
        },
        "",
    ),
    "depth": (lambda: {SHEET: sheet([*many(b"<r>", 2_000_000), *many(b"</r>", 2_000_000)])}, ""),
    "one text": (lambda: {STRINGS: strings([b"<si><t>", *many(b"x" * 100, 1_000_000), b"</t></si>"])}, "text"),
    "one comment": (lambda: {SHEET: [b"<!--", *many(b"x" * 100, 1_000_000), b"--><worksheet/>"]}, "text"),
    "one tag": (lambda: {SHEET: [b'<worksheet a="', *many(b"x" * 100, 1_000_000), b'"/>']}, "text"),
    "unpacked bytes": (lambda: {f"xl/{number}.bin": many(b"x" * 100, 500_000) for number in range(4)}, "bytes"),
    "parts": (lambda: {f"xl/{number}.bin": [b"x"] for number in range(600)}, "parts"),
}


@pytest.mark.parametrize("kind", BOOKS)
def test_a_workbook_above_a_limit_is_refused_before_it_uses_much_memory(tmp_path: Path, kind: str) -> None:
    parts, _ = BOOKS[kind]
    path = tmp_path / "book.xlsx"
    path.write_bytes(with_parts(parts()))
    assert path.stat().st_size < 2 * MEGABYTE
    assert within(160, path, "read(path)") == "XLSX_TOO_LARGE"


@pytest.mark.parametrize("kind", BOOKS)
def test_reading_stops_at_the_limit_that_the_error_names(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count stops at the limit, and the rest of the file is not read."""
    parts, what = BOOKS[kind]
    counted: list[int] = []
    start = xlsx_scan._Reader._start

    def counting(reader: xlsx_scan._Reader, tag: str, attributes: dict[str, str]) -> None:
        counted.append(1)
        start(reader, tag, attributes)

    monkeypatch.setattr(xlsx_scan._Reader, "_start", counting)
    with pytest.raises(InvalidInput, match="XLSX_TOO_LARGE") as caught:
        xlsx_scan.scan(with_parts(parts()), "book.xlsx")
    assert len(counted) <= xlsx_scan.MAX_ELEMENTS + 1
    assert what in caught.value.message


def test_a_workbook_exactly_at_the_limits_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(small_book())
    counts = xlsx_scan.scan(path.read_bytes(), "book.xlsx").counts
    for name in ("c", "row", "sheet", "xf"):
        monkeypatch.setitem(xlsx_scan.BOUNDS, name, counts[name] + (2 if name == "c" else 0))
    assert read_table(path).rows == [{"a": "x"}]
    for name in ("c", "row", "sheet", "xf"):
        with monkeypatch.context() as one:
            one.setitem(xlsx_scan.BOUNDS, name, counts[name] - 1)
            with pytest.raises(InvalidInput, match="XLSX_TOO_LARGE"):
                read_table(path)


def test_xml_entities_and_huge_zip_directories_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    path.write_bytes(with_parts({SHEET: [bomb]}))
    with pytest.raises(InvalidInput, match="XLSX_MALFORMED"):
        read_table(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    with pytest.raises(InvalidInput, match="FILE_KIND"):
        read_table(path)


def test_merged_ranges_above_the_limit_of_cells_are_refused(tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(1, 1_001))
    ranges = many(b'<mergeCell ref="A2:A1048576"/>', 9_000)
    path = tmp_path / "book.xlsx"
    path.write_bytes(with_parts({SHEET: sheet([rows], [b"<mergeCells>", *ranges, b"</mergeCells>"])}))
    assert within(200, path, "read(path)") == "XLSX_TOO_LARGE"


HEAD = b"uscc,period,kwh\n"


def endless(path: Path, pieces: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path


TABLES: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "one endless line": (lambda: many(b"x" * 100, 600_000), "CSV_ROW_TOO_LONG"),
    "one endless row behind a header": (lambda: [b"a\n", *many(b"x" * 100, 600_000)], "CSV_ROW_TOO_LONG"),
    "one huge cell": (lambda: [b'a\n"', *many(b"x" * 100, 5_000), b'"\n'], "CSV_MALFORMED"),
    "one cell of lines without end": (lambda: [b'a\n"', *many(b"x\n", 30_000_000)], "CSV_MALFORMED"),
    "one row of quoted lines": (lambda: [b"a\n", *many(b'"\n",', 12_000_000)], "CSV_ROW_TOO_LONG"),
    "millions of columns": (lambda: many(b"a,", 30_000_000), "CSV_ROW_TOO_LONG"),
    "thousands of columns": (lambda: many(b"a,", 5_000), "CSV_TOO_WIDE"),
    "millions of cells in a row": (lambda: [b"a,b\n", *many(b",", 30_000_000)], "CSV_ROW_TOO_LONG"),
    "millions of rows": (lambda: [b"a\n", *many(b"1\n", 30_000_000)], "CSV_TOO_LARGE"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_csv_row_above_the_limit_is_refused(tmp_path: Path, kind: str) -> None:
    pieces, code = TABLES[kind]
    path = endless(tmp_path / "table.csv", pieces())
    # The reader has enough memory for the file itself, and for as many rows as the limit allows.
    megabytes = path.stat().st_size // MEGABYTE + 160
    assert within(megabytes, path, "read_csv(path)") == code
    assert MAX_ROW_CHARACTERS <= MEGABYTE and MAX_COLUMNS <= 4_096 and MAX_TABLE_ROWS <= 200_000


SOURCES: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "one endless row": (lambda: [HEAD, *many(b"x" * 100, 600_000)], "CSV_ROW_TOO_LONG"),
    "one row of quoted lines": (lambda: [HEAD, *many(b'"\n",', 12_000_000)], "CSV_ROW_TOO_LONG"),
    "millions of columns": (lambda: many(b"a,", 30_000_000), "CSV_ROW_TOO_LONG"),
    "a cell of lines without end": (lambda: [HEAD, b'"', *many(b"x\n", 30_000_000)], "CSV_MALFORMED"),
}


@pytest.mark.parametrize(("pieces", "code"), SOURCES.values(), ids=SOURCES.keys())
def test_a_csv_source_with_a_row_above_the_limit_is_refused(
    tmp_path: Path, pieces: Callable[[], Iterable[bytes]], code: str
) -> None:
    endless(tmp_path / "bills.csv", pieces())
    script = """
        from tests.connectors.places import Place, query
        Place(path, "csv").connector().ask(query())
    """
    assert within(160, tmp_path, script) == code
