"""Source files: valid files are read completely, mistakes are reported with file, line and member, and the guide's
examples work.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.connectors.answers import NoData, Query, Refused, Supplied
from ledger.connectors.connector import connector_of
from ledger.domain.reasons import REFUSALS
from ledger.errors import InvalidInput, NotFound
from ledger.rulebooks.sources import SourceBook
from tests.support.places import GUIDES

GUIDE = GUIDES / "sources.md"
CHINESE = GUIDES / "sources.zh.md"
BLOCKS = dict(re.findall(r"`(\S+)`:\n\n```\w+\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL))
# 2026-04-15 12:00:00 in Shanghai.
AT = 1_776_225_600
FIRM = "91440802MA9X00011Y"
PASSWORD = "long-and-secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example files of the guide."""
    for name, body in BLOCKS.items():
        (tmp_path / name).write_text(body, "utf-8")
    return tmp_path


def ask(folder: Path, scenario: str, source: str, identifier: str, *columns: str) -> Any:
    connector = SourceBook.load(folder).connector(scenario, source)
    return connector.ask(Query({"identifier": identifier}, scenario, source, columns, AT))


def test_the_guides_example_of_a_file_source_answers_a_query(folder: Path) -> None:
    answer = ask(folder, "S01", "electricity", FIRM, "month", "kwh", "arrears")
    assert answer == Supplied(
        (
            {"month": "202601", "kwh": "48210", "arrears": "no"},
            {"month": "202602", "kwh": "39877.5", "arrears": "no"},
            {"month": "202603", "kwh": "51002", "arrears": "yes"},
        ),
        date(2026, 3, 31),
        AT,
    )
    assert ask(folder, "S01", "electricity", "91440803MA9X0002X5") == Refused("under_correction", AT, "状态")
    assert ask(folder, "S01", "electricity", "91440881MA9X000384") == NoData(AT)


def test_the_guides_example_returns_the_providers_own_name_of_the_subject(folder: Path) -> None:
    connector = SourceBook.load(folder).connector("S01", "electricity")
    answer = connector.ask(Query({"identifier": FIRM}, "S01", "electricity", ("kwh",), AT, name=True))
    assert isinstance(answer, Supplied) and answer.name == "示例金属制品公司"


def test_the_guides_example_of_a_database_source_answers_a_query(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = sqlite3.connect(folder / "insurance.db")
    database.executescript(
        """
        CREATE TABLE persons (person_no INTEGER PRIMARY KEY, id_number TEXT);
        CREATE TABLE contributions (person_no INTEGER, month TEXT, base NUMERIC);
        INSERT INTO persons VALUES (1, '11010519491231002X'), (2, 'other');
        INSERT INTO contributions VALUES (1, '202602', 5210.5), (1, '202604', 5300), (2, '202604', 9000);
        """
    )
    database.close()
    monkeypatch.setenv("INSURANCE_DATABASE_URL", "sqlite:///insurance.db")
    answer = ask(folder, "S02", "social_insurance", "11010519491231002X", "month", "base")
    rows = {"month": "202602", "base": "5210.5"}, {"month": "202604", "base": "5300"}
    # April has not ended, so the data of April are dated with the day of the query.
    assert answer == Supplied(rows, date(2026, 4, 15), AT)


@pytest.mark.parametrize(
    ("page", "heading", "language"), [(GUIDE, "## Reasons", "en"), (CHINESE, "## 拒绝的理由", "zh")]
)
def test_each_guide_lists_every_reason_for_which_a_source_refuses(page: Path, heading: str, language: str) -> None:
    section = page.read_text("utf-8").partition(heading)[2]
    titles = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert titles == {reason: getattr(title, language) for reason, title in REFUSALS.items()}


def test_a_single_source_file_can_be_loaded_as_a_connector(folder: Path) -> None:
    source = connector_of(SourceBook.read(folder / "electricity.yaml").beside(folder))
    answer = source.ask(Query({"identifier": FIRM}, "S01", "electricity", ("kwh",), AT))
    assert isinstance(answer, Supplied)
    with pytest.raises(InvalidInput) as caught:
        SourceBook.read(folder / "none.yaml")
    assert caught.value.code == "FILE_MISSING"


def test_without_a_folder_of_sources_there_are_no_sources() -> None:
    book = SourceBook.load()
    assert book.all() == []
    with pytest.raises(NotFound) as caught:
        book.connector("S01", "electricity")
    assert caught.value.code == "SOURCE_UNKNOWN"


@pytest.mark.parametrize("change", [("code: grid-monthly", "code: grid-2"), ("source: electricity", "source: water")])
def test_two_source_files_with_an_equal_code_or_source_are_refused(folder: Path, change: tuple[str, str]) -> None:
    (folder / "again.yaml").write_text(BLOCKS["electricity.yaml"].replace(*change), "utf-8")
    with pytest.raises(InvalidInput) as caught:
        SourceBook.load(folder)
    assert caught.value.code == "SOURCE_TWICE"


SQL = """\
code: fund
scenario: S02
source: social_insurance
kind: sql
url: postgresql+psycopg://reader@10.0.0.5/insurance
query: SELECT * FROM contributions WHERE id_number = :identifier
key: {attribute: identifier, column: id_number}
columns:
  month: month
as_of: {column: month}
timeout_seconds: 5
"""
FILE = SQL.replace("kind: sql", "kind: file").replace(
    SQL[SQL.index("url:") : SQL.index("key:")], "path: contributions.parquet\n"
)


@pytest.mark.parametrize(
    "text",
    [
        SQL,
        FILE,
        FILE.replace(".parquet", ".csv\nencoding: gb18030"),
        FILE.replace(".parquet", ".xlsx\nsheet: 明细"),
        FILE.replace(".parquet", ".et"),
        f"{FILE}refuse:\n  - {{column: s, value: '2', type: number, reason: disputed}}\n",
    ],
)
def test_a_valid_source_file_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "fund.yaml").write_text(text, "utf-8")
    assert [definition.code for definition in SourceBook.load(tmp_path).all()] == ["fund"]


@pytest.mark.parametrize("day", ["2026-03-31", "'2026-03-31'"])
def test_a_day_is_read_with_and_without_quotes(tmp_path: Path, day: str) -> None:
    (tmp_path / "fund.yaml").write_text(FILE.replace("{column: month}", f"{{day: {day}}}"), "utf-8")
    assert SourceBook.load(tmp_path).get("fund").as_of.day == date(2026, 3, 31)


@pytest.mark.parametrize(
    "query",
    [
        "WITH a AS (SELECT 1) SELECT * FROM b WHERE k = :identifier",
        "select * from b where k = :identifier and t = '10\\:30'",
        "SELECT k::text FROM b WHERE k = :identifier OR j = :identifier",
    ],
)
def test_a_source_file_with_a_permitted_query_is_read(tmp_path: Path, query: str) -> None:
    (tmp_path / "fund.yaml").write_text(re.sub("query: .*", lambda _: f"query: {query}", SQL), "utf-8")
    assert SourceBook.load(tmp_path).get("fund").code == "fund"


WRONG = {
    "code": (SQL, "code: fund", "code: Fund 1", 1, "code"),
    "scenario": (SQL, "S02", "S2", 2, "scenario"),
    "source": (SQL, "social_insurance", "社保", 3, "source"),
    "kind": (SQL, "kind: sql", "kind: excel", 4, "kind"),
    "kind twice": (SQL, "kind: sql", "kind: sql\nkind: sql", 5, None),
    "no YAML": (SQL, "columns:", "columns: }", 8, None),
    "no place": (FILE, "path: contributions.parquet\n", "", 1, "path"),
    "another kind of file": (FILE, ".parquet", ".ods", 5, "path"),
    "encoding": (FILE, ".parquet", ".csv\nencoding: big5", 6, "encoding"),
    "sheet": (FILE, ".parquet", ".xlsx\nsheet: [1]", 6, "sheet"),
    "path of a database": (SQL, "kind: sql", "kind: sql\npath: a.csv", 5, "path"),
    "both urls": (SQL, "query:", "url_env: FUND_URL\nquery:", 5, "url"),
    "no url": (SQL, "url: postgresql+psycopg://reader@10.0.0.5/insurance\n", "", 1, "url"),
    "text that is not a URL": (SQL, "postgresql+psycopg://reader@10.0.0.5/insurance", "insurance", 5, "url"),
    "port": (SQL, "10.0.0.5", "10.0.0.5:port", 5, "url"),
    "password": (SQL, "reader@", f"reader:{PASSWORD}@", 5, "url"),
    "password as an option": (SQL, "/insurance", f"/insurance?password={PASSWORD}", 5, "url"),
    "password within an option": (SQL, "/insurance", f"/insurance?odbc_connect=UID%3Dr%3BPWD%3D{PASSWORD}", 5, "url"),
    "variable": (SQL, "url: postgresql+psycopg://reader@10.0.0.5/insurance", "url_env: fund-url", 5, "url_env"),
    "another statement": (SQL, "SELECT * FROM", "DELETE FROM", 6, "query"),
    "no parameter": (SQL, ":identifier", "'1'", 6, "query"),
    "another parameter": (SQL, ":identifier", ":uscc", 6, "query"),
    "a parameter more": (SQL, ":identifier", ":identifier AND name = :name", 6, "query"),
    "bare colon": (SQL, ":identifier", ":identifier AND t = 'at :x'", 6, "query"),
    "key": (SQL, "{attribute: identifier, column: id_number}", "identifier", 7, "key"),
    "key without a column": (SQL, ", column: id_number", "", 7, "key: column"),
    "key with more": (SQL, "column: id_number}", "column: id_number, case: any}", 7, "key: case"),
    "attribute": (SQL, "attribute: identifier", "attribute: 身份证", 7, "key: attribute"),
    "columns": (SQL, "columns:\n  month: month", "columns: [month]", 8, "columns"),
    "column": (SQL, "  month: month", "  month: ' month'", 9, "columns: month"),
    "column without a name": (SQL, "  month: month", "  1: month", 9, "columns: 1"),
    "as_of": (SQL, "{column: month}", "today", 10, "as_of"),
    "as_of of a database": (SQL, "{column: month}", "file_day", 10, "as_of"),
    "as_of twice": (SQL, "{column: month}", "{column: month, day: 2026-01-01}", 10, "as_of"),
    "as_of of neither": (FILE, "{column: month}", "{}", 9, "as_of"),
    "day": (FILE, "{column: month}", "{day: 31.3.2026}", 9, "as_of: day"),
    "month as a day": (FILE, "{column: month}", "{day: 2026-03}", 9, "as_of: day"),
    "digits as a day": (FILE, "{column: month}", "{day: '20260331'}", 9, "as_of: day"),
    "time as a day": (FILE, "{column: month}", "{day: 2026-03-31T00:00:00}", 9, "as_of: day"),
    "last possible day": (FILE, "{column: month}", "{day: 9999-12-31}", 9, "as_of: day"),
    "first possible day": (FILE, "{column: month}", "{day: 0001-01-01}", 9, "as_of: day"),
    "name column": (SQL, "timeout_seconds: 5", "name_column: ' name'\ntimeout_seconds: 5", 11, "name_column"),
    "no name column": (SQL, "timeout_seconds: 5", "name_column: null\ntimeout_seconds: 5", 11, "name_column"),
    "no time": (SQL, "timeout_seconds: 5", "timeout_seconds: 0", 11, "timeout_seconds"),
    "too much time": (SQL, "timeout_seconds: 5", "timeout_seconds: 121", 11, "timeout_seconds"),
    "time in words": (SQL, "timeout_seconds: 5", "timeout_seconds: 5s", 11, "timeout_seconds"),
    "member not known": (SQL, "timeout_seconds", "cache: 1\ntimeout_seconds", 11, "cache"),
}


@pytest.mark.parametrize(("text", "old", "new", "line", "member"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_in_a_source_file_is_reported_with_file_and_line_and_member(
    tmp_path: Path, text: str, old: str, new: str, line: int, member: str | None
) -> None:
    assert old in text
    (tmp_path / "fund.yaml").write_text(text.replace(old, new), "utf-8")
    error = refusal(tmp_path)
    assert error.where == f"fund.yaml, line {line}" + (f": {member}" if member else "")
    assert PASSWORD not in f"{error}{error.__cause__}{error.__context__}"


@pytest.mark.parametrize(
    ("flag", "member"),
    [
        ("{column: s, value: no, reason: disputed}", "refuse[1]: value"),
        ("{column: s, value: 1, reason: disputed}", "refuse[1]: value"),
        ("{column: s, value: 'no', reason: because}", "refuse[1]: reason"),
        ("{column: s, reason: disputed}", "refuse[1]: value"),
        ("{value: 'no', reason: disputed}", "refuse[1]: column"),
        ("{column: s, value: 'no', reason: disputed, until: x}", "refuse[1]: until"),
        ("disputed", "refuse[1]"),
        ("{column: s, value: '1', type: integer, reason: disputed}", "refuse[1]: type"),
        ("{column: s, value: 'one', type: number, reason: disputed}", "refuse[1]: value"),
        ("{column: s, value: '2', type: boolean, reason: disputed}", "refuse[1]: value"),
        ("{column: s, value: '2026-02-30', type: date, reason: disputed}", "refuse[1]: value"),
    ],
)
def test_a_mistake_in_the_section_named_refuse_of_a_source_file_is_reported_with_line_and_member(
    tmp_path: Path, flag: str, member: str
) -> None:
    flags = f"refuse:\n  - {{column: s, value: '是', reason: disputed}}\n  - {flag}\n"
    (tmp_path / "fund.yaml").write_text(SQL + flags, "utf-8")
    assert refusal(tmp_path).where == f"fund.yaml, line 14: {member}"


def refusal(folder: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        SourceBook.load(folder)
    assert caught.value.code == "SOURCE_INVALID"
    return caught.value
