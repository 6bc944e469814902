"""Hostile source files that become huge when unpacked, or crash their reader. Limits stop the reader, or a separate
process reads the file and ends.
"""

from __future__ import annotations

import os
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pytest
import xlrd
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ledger.connectors import connector
from ledger.connectors import parquet as parquet_files
from ledger.connectors.answers import Refused, Supplied, TimedOut
from ledger.connectors.apart import reader as apart
from ledger.connectors.kinds import Kind
from ledger.connectors.spreadsheets.xls_book import MAX_CELLS
from ledger.connectors.tables import sheets_in
from ledger.errors import InvalidInput, Misconfigured
from tests.connectors.places import AT, BILLS, GRID, OTHER, Place, query
from tests.connectors.test_unpacking import CASES
from tests.connectors.unpacking import MEGABYTE, within

pytestmark = pytest.mark.slow

# Tests with Parquet files


def test_a_parquet_file_that_unpacks_to_more_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each text is stored as the previous text with another end, so a page of a few kilobytes unpacks to
    200 megabytes.
    """
    monkeypatch.setattr(apart, "MEMORY_BYTES", 128 * MEGABYTE)
    rows, text = 400, "x" * 500_000
    place = Place(tmp_path, "parquet")
    said = pa.table({"uscc": [GRID] * rows, "period": [f"{text}{row}" for row in range(rows)], "kwh": [1] * rows})
    parquet.write_table(said, place.path, use_dictionary=False, column_encoding={"period": "DELTA_BYTE_ARRAY"})
    assert place.path.stat().st_size < MEGABYTE
    with pytest.raises(Misconfigured) as caught:
        place.connector().ask(query())
    assert (caught.value.code, caught.value.where) == ("SOURCE_FILE_TOO_LARGE", str(place.path))
    assert isinstance(place.holding(BILLS).ask(query()), Supplied), "the next file is read"


def spoilt_footer(path: Path, size: int) -> None:
    data = bytearray(path.read_bytes())
    data[-8:-4] = struct.pack("<I", size)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("size", "code"),
    [(2**31, "SOURCE_FILE_TOO_LARGE"), (1_000_000, "SOURCE_FILE_TOO_LARGE"), (5, "SOURCE_FILE_UNREADABLE")],
)
def test_a_parquet_file_with_a_false_footer_is_refused(tmp_path: Path, size: int, code: str) -> None:
    place = Place(tmp_path, "parquet")
    place.holding(BILLS)
    spoilt_footer(place.path, size)
    with pytest.raises(Misconfigured) as caught:
        place.connector().ask(query())
    assert caught.value.code == code


def test_a_parquet_footer_above_a_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, "parquet")
    place.holding({name: list(values) * 20 for name, values in BILLS.items()})
    parquet.write_table(parquet.read_table(place.path), place.path, row_group_size=1)
    groups = parquet.read_metadata(place.path).num_row_groups
    table = parquet_files.ParquetTable(place.path)
    source = connector.SourceConnector(place.connector()._definition, table)
    bounds = {
        "MAX_GROUPS": groups,
        "MAX_COLUMNS": 4,
        "MAX_FOOTER_BYTES": parquet.read_metadata(place.path).serialized_size,
    }
    for name, bound in bounds.items():
        with monkeypatch.context() as at:
            at.setattr(parquet_files, name, bound)
            assert isinstance(source.ask(query()), Supplied)
            at.setattr(parquet_files, name, bound - 1)
            with pytest.raises(Misconfigured, match="SOURCE_FILE_TOO_LARGE"):
                source.ask(query())


# Tests with databases


@pytest.mark.parametrize(
    "value", ["zeroblob(900000000)", "hex(zeroblob(450000000))", "group_concat(hex(zeroblob(100000)))"]
)
def test_a_huge_computed_value_is_refused_in_little_memory(tmp_path: Path, value: str) -> None:
    place = Place(tmp_path, "sql")
    place.holding(BILLS)
    sql = f"SELECT uscc, period, {value} AS kwh FROM bills, (VALUES {'(1), ' * 50} (1)) WHERE uscc = :identifier"
    script = f"""
        from tests.connectors.test_database import asking
        from tests.connectors.places import Place, query
        print(asking(Place(path, "sql"), {sql!r}).ask(query()).reason)
    """
    assert within(300, tmp_path, script) == "data_unusable"


def test_a_huge_stored_value_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, "sql")
    source = place.holding({**BILLS, "period": ["x", "y" * 60 * MEGABYTE, "x", "x", "x"]})
    answer = source.ask(query())
    assert isinstance(answer, Refused) and answer.reason == "data_unusable"
    assert "bytes" in answer.where
    assert isinstance(source.ask(query(OTHER)), Supplied)


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql", "xlsx"])
def test_long_cells_whose_total_size_is_above_the_limit_are_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Place(tmp_path, kind).holding({**BILLS, "period": ["x" * 1_000] * 5})
    assert isinstance(source.ask(query()), Supplied)
    monkeypatch.setattr(connector, "MAX_CHARACTERS", 2_999)
    assert source.ask(query()) == Refused("data_unusable", AT, "rows of more than 2999 characters")


# Tests with old workbooks (.xls)


def stream_of_a_book() -> bytes:
    book = xlrd.open_workbook(CASES / "xls-whole" / "list.xls", on_demand=True)
    return bytes(book.mem[book.base : book.base + book.stream_len])


def test_an_xls_workbook_with_a_password_is_refused_as_encrypted() -> None:
    stream = stream_of_a_book()
    first = 4 + struct.unpack_from("<H", stream, 2)[0]
    locked = stream[:first] + struct.pack("<HHHHH", 0x2F, 6, 0, 1, 2) + stream[first:]
    with pytest.raises(InvalidInput, match="FILE_ENCRYPTED"):
        sheets_in(locked, "a.xls", Kind.XLS)


def with_blanks(rows: int) -> bytes:
    """Return the stream of a small .xls workbook whose last sheet claims 256 formatted cells in each of many rows."""
    stream = stream_of_a_book()
    end = stream.rfind(b"\x0a\x00\x00\x00")
    blanks = struct.pack("<256H", *[15] * 256)
    records = (
        struct.pack("<HHHH", 0xBE, 518, row, 0) + blanks + struct.pack("<H", 255) for row in range(10, 10 + rows)
    )
    return stream[:end] + b"".join(records) + stream[end:]


def test_an_xls_workbook_with_too_many_cells_is_refused() -> None:
    sheets = sheets_in(with_blanks(1_000), "a.xls", Kind.XLS)
    assert [len(sheet.rows) for sheet in sheets] == [1, 2, 4], "cells without any text make no rows"
    with pytest.raises(InvalidInput, match="XLSX_TOO_LARGE") as caught:
        sheets_in(with_blanks(2_000), "a.xls", Kind.XLS)
    assert str(MAX_CELLS) in caught.value.message


def test_an_xls_workbook_can_crash_only_the_separate_process_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MEMORY_BYTES", 48 * MEGABYTE)
    with pytest.raises(InvalidInput, match="XLSX_TOO_LARGE") as caught:
        sheets_in(with_blanks(25_000), "a.xls", Kind.XLS)
    assert "memory" in caught.value.message
    assert sheets_in((CASES / "xls-whole" / "list.xls").read_bytes(), "a.xls", Kind.XLS)


@given(
    places=st.lists(st.tuples(st.integers(0, 5_631), st.integers(0, 255)), max_size=20),
    cut=st.none() | st.integers(512, 5_631),
)
@settings(max_examples=30, deadline=None)
def test_a_damaged_xls_workbook_is_read_or_refused(places: list[tuple[int, int]], cut: int | None) -> None:
    data = bytearray((CASES / "xls-whole" / "list.xls").read_bytes())
    for place, value in places:
        data[place] = value
    with suppress(InvalidInput):
        sheets_in(bytes(data[:cut]), "a.xls", Kind.XLS)


@contextmanager
def no_file_to_spare(folder: Path) -> Iterator[None]:
    """Use up the process's file descriptors, so that it can open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(folder, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_source_times_out_if_no_process_can_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Place(tmp_path, "parquet").holding(BILLS)
    monkeypatch.setattr(apart, "PROCESSES", apart.Processes())
    with no_file_to_spare(tmp_path):
        answer = source.ask(query())
    assert answer == TimedOut(AT)
    assert isinstance(source.ask(query()), Supplied)
    apart.PROCESSES.close()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_error_of_a_source_names_the_file_that_cannot_be_opened(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind)
    source = place.holding(BILLS)
    assert isinstance(source.ask(query()), Supplied)
    with no_file_to_spare(tmp_path), pytest.raises(Misconfigured) as caught:
        source.ask(query())
    assert (caught.value.code, caught.value.where) == ("SOURCE_FILE_UNREADABLE", str(place.path))


def test_the_separate_process_inherits_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apart, "PROCESSES", apart.Processes())
    monkeypatch.setenv("INSURANCE_DATABASE_URL", "postgresql://reader:secret@host/db")
    assert isinstance(Place(tmp_path, "parquet").holding(BILLS).ask(query()), Supplied)
    (process,) = apart.PROCESSES._idle
    environ = Path(f"/proc/{process._process.pid}/environ").read_bytes()
    apart.PROCESSES.close()
    assert b"secret" not in environ and b"PATH=" in environ
