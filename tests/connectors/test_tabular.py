"""CSV files: the reader returns the rows, or an error with the line of the first invalid row."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.connectors import tabular
from ledger.connectors.tabular import MAX_CELL, MAX_CSV_BYTES, csv_lines, numbered_rows, read_csv
from ledger.errors import InvalidInput

READ = {
    "plain": ("month,kwh\n1,10\n2,20\n", [{"month": "1", "kwh": "10"}, {"month": "2", "kwh": "20"}]),
    "no line feed at the end": ("a\n1", [{"a": "1"}]),
    "Windows lines": ("a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
    "header alone": ("a,b\n", []),
    "blank lines": ("a,b\n\n1,2\n\n\n3,4\n\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    "rows of commas alone": ("a,b\n,\n1,\n , \t\n\u3000,\n", [{"a": "1", "b": ""}]),
    "separated by tabs": ("a\tb\n1,5\t2\n", [{"a": "1,5", "b": "2"}]),
    "quotes": ('a,b\n"1,5","say ""x"""\n', [{"a": "1,5", "b": 'say "x"'}]),
    "line feed in a cell": ('a,b\n"1\n2",3\n', [{"a": "1\n2", "b": "3"}]),
    "Chinese": ("月,用电量\n一,10\n", [{"月": "一", "用电量": "10"}]),
    "spaces are kept": ("a,b\n 1 ,2\n", [{"a": " 1 ", "b": "2"}]),
    "longest cell": (f"a\n{'x' * MAX_CELL}\n", [{"a": "x" * MAX_CELL}]),
}


def parsed(text: str) -> list[dict[str, str]]:
    return [row for _, row in numbered_rows(text.encode(), "rows.csv", "utf-8")]


@pytest.mark.parametrize(("text", "rows"), READ.values(), ids=READ.keys())
def test_csv_text_is_read_as_the_expected_rows(text: str, rows: list[dict[str, str]]) -> None:
    assert parsed(text) == rows


REFUSED = {
    "empty": ("", "CSV_HEADER", 1),
    "header blank": ("\na,b\n", "CSV_HEADER", 1),
    "column twice": ("a,b,a\n1,2,3\n", "CSV_HEADER", 1),
    "column without a name": ("a,,c\n1,2,3\n", "CSV_HEADER", 1),
    "last column without a name": ("a,b,\n1,2,3\n", "CSV_HEADER", 1),
    "cell missing": ("a,b\n1,2\n3\n", "CSV_ROW_WIDTH", 3),
    "cell too many": ("a,b\n1,2\n3,4,5\n", "CSV_ROW_WIDTH", 3),
    "first of two": ("a,b\n1\n2\n", "CSV_ROW_WIDTH", 2),
    "after blank lines": ("a,b\n\n\n1,2\n3\n", "CSV_ROW_WIDTH", 5),
    "after a cell of two lines": ('a,b\n"1\n2",3\n4\n', "CSV_ROW_WIDTH", 4),
    "another separator": ("a,b\n1;2\n", "CSV_ROW_WIDTH", 2),
    "quote without end, in the last line": ('a,b\n1,2\n"3,4\n', "CSV_MALFORMED", 3),
    "quote without end, in the header": ('a,"b\n', "CSV_MALFORMED", 1),
    "text after a quote": ('a,b\n"1"x,2\n', "CSV_MALFORMED", 2),
    "cell too long": (f"a,b\n1,2\n3,{'x' * (MAX_CELL + 1)}\n", "CSV_CELL_TOO_LONG", 3),
    "cell beyond the reader": (f"a,b\n1,{'x' * 200_000}\n", "CSV_MALFORMED", 2),
}


@pytest.mark.parametrize(("text", "code", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_an_error_names_the_line_of_the_first_bad_row(text: str, code: str, line: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text)
    assert (caught.value.code, caught.value.where) == (code, f"rows.csv, line {line}")


def test_an_error_does_not_repeat_the_row() -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed("name,id\n王小明\n")
    assert "王小明" not in str(caught.value)
    assert caught.value.message == "The row has 1 cells, the header 2."


@given(
    st.lists(st.text("ab12 ,\"'月", min_size=1, max_size=5), min_size=2, max_size=4, unique=True).flatmap(
        lambda head: st.tuples(
            st.just(head),
            st.lists(
                st.lists(st.text("xy09 ,\"\n'量", max_size=5), min_size=len(head), max_size=len(head)), max_size=5
            ),
        )
    )
)
def test_csv_from_pythons_csv_writer_is_read_back_unchanged(table: tuple[list[str], list[list[str]]]) -> None:
    head, rows = table
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert parsed(text.getvalue()) == [dict(zip(head, row, strict=True)) for row in filled]


def write(folder: Path, content: bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path


def refusal(path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_csv(path)
    return caught.value


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_csv_file_is_read_with_and_without_a_byte_order_mark(tmp_path: Path, mark: bytes) -> None:
    path = write(tmp_path, mark + "月,kwh\r\n1,10\r\n".encode())
    assert read_csv(path) == [{"月": "1", "kwh": "10"}]


def test_an_error_names_the_csv_file(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, b"a,b\n1\n")).where == "rows.csv, line 2"


@pytest.mark.parametrize(
    ("content", "byte"),
    [("a\n電費\n".encode("big5"), 2), ("a\nété\n".encode("latin-1"), 2), (b"a\n1\n\xe7\x94", 4)],
    ids=["Big5", "Latin-1", "cut off"],
)
def test_a_file_in_an_ambiguous_encoding_is_refused(tmp_path: Path, content: bytes, byte: int) -> None:
    path = write(tmp_path, content)
    error = refusal(path)
    assert (error.code, error.where) == ("CSV_NOT_UTF8", str(path))
    assert error.message.startswith(f"Byte {byte} is not UTF-8")
    assert error.hint and "encoding" in error.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        error = refusal(path)
        assert (error.code, error.where) == ("FILE_MISSING", str(path))


def test_the_size_of_a_file_is_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, b"a\n1\n")
    monkeypatch.setattr(tabular, "MAX_CSV_BYTES", 4)
    assert read_csv(path) == [{"a": "1"}]
    monkeypatch.setattr(tabular, "MAX_CSV_BYTES", 3)
    assert refusal(path).code == "CSV_TOO_LARGE"


def test_a_file_with_one_byte_too_many_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(MAX_CSV_BYTES + 1)
    error = refusal(path)
    assert (error.code, error.where) == ("CSV_TOO_LARGE", str(path))


INERT: list[tuple[object, str]] = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1+1", "'\t=1+1"),
    ("\r=1+1", "'\r=1+1"),
    ("\n=1+1", "'\n=1+1"),
    (" =1+1", "' =1+1"),
    ("\u00a0=1+1", "'\u00a0=1+1"),
    ("＝1+1", "'＝1+1"),
    ("＋1", "'＋1"),
    ("－1", "'－1"),
    ("＠a", "'＠a"),
    ("a=1", "a=1"),
    ("", ""),
    (None, ""),
    (-1, "-1"),
    (1.5, "1.5"),
]


@pytest.mark.parametrize(("cell", "text"), INERT, ids=[repr(cell) for cell, _ in INERT])
def test_no_written_cell_runs_as_a_formula(cell: object, text: str) -> None:
    (line,) = csv_lines([["x", cell]])
    assert next(csv.reader([line])) == ["x", text]


def test_only_one_function_writes_csv_exports() -> None:
    """That function keeps texts from running as formulas. Only the demonstration writes CSV files without it: these
    files are sources, and connectors must read exactly the values that were written.
    """
    root = Path(tabular.__file__).parents[2]
    writers = re.compile(r"csv\.writer|csv\.DictWriter|writerow|\.to_csv|write_csv\(|Workbook\(")
    found = {
        str(path.relative_to(root))
        for folder in ("ledger", "api")
        for path in (root / folder).rglob("*.py")
        if writers.search(path.read_text("utf-8"))
    }
    assert found == {"ledger/connectors/tabular.py", "ledger/demo/data/sources.py"}
