"""Reads the definition file in which an operator describes a provider's source: where the rows are and what they
mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError

from ledger.connectors.encodings import DECLARABLE
from ledger.connectors.normal import normal_text, read_as
from ledger.domain.days import FIRST_DAY, LAST_DAY, day_of
from ledger.domain.definitions.reader import DefinitionReader
from ledger.domain.reasons import REFUSALS
from ledger.errors import InvalidInput

MAX_TIMEOUT: Final = 120
CSV_NAMES: Final = (".csv", ".txt")
EXCEL_NAMES: Final = (".xlsx", ".xlsm", ".xls", ".et")
PARQUET_NAMES: Final = (".parquet",)
TYPES: Final = ("text", "number", "boolean", "date")
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SCENARIO: Final = re.compile(r"S\d{2}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_COLUMN: Final = re.compile(r"\S|\S.{0,126}\S")
_SECRET: Final = re.compile(r"(password|passwd|pwd|secret|token)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AsOf:
    """How to find the day that the rows describe: it is a fixed day, or the latest day in a column, or else the day on
    which the file was last written.
    """

    day: date | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """If a cell of the column ``column`` has the value ``value``, the source refuses to supply data, for the reason
    ``reason``.

    ``type`` is one of ``TYPES``, or None. If it is set, the source also refuses if a cell has another type.
    """

    column: str
    value: str
    reason: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A CSV, Excel or Parquet file that contains the rows. A relative path starts at the definition's folder.

    ``encoding`` is the encoding that is declared for a CSV file, ``sheet`` the sheet that is declared for a workbook.
    """

    path: Path
    encoding: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """A database, and the query that returns the rows.

    ``url`` has no password; ``url_env`` names an environment variable with the URL.
    """

    url: str | None
    url_env: str | None
    query: str


@dataclass(frozen=True, slots=True)
class SourceDefinition:
    """Defines a source for one scenario. ``columns`` maps the scenario's columns to the source's columns.

    ``name_column`` is the column with the subject's name; it is used if a claim of the scenario is the name.
    """

    code: str
    scenario: str
    source: str
    place: FilePlace | DatabasePlace
    attribute: str
    key_column: str
    columns: Mapping[str, str]
    as_of: AsOf
    flags: tuple[Flag, ...]
    timeout_seconds: float
    name_column: str | None = None
    folder: Path = Path()

    def beside(self, folder: Path) -> SourceDefinition:
        """Return a copy of the definition in which relative paths start at ``folder``."""
        return replace(self, folder=folder)


def source_of(raw: object, where: str) -> SourceDefinition:
    """Return the definition that a JSON value describes. Raises ``InvalidInput`` ``SOURCE_INVALID``, which names the
    wrong member.
    """
    reader = _Reader(raw, where)
    kind = reader.one_of("kind", ("file", "sql"))
    attribute, key_column = reader.key()
    definition = SourceDefinition(
        code=reader.matching("code", _CODE),
        scenario=reader.matching("scenario", _SCENARIO),
        source=reader.matching("source", _NAME),
        place=reader.file() if kind == "file" else reader.database(attribute),
        attribute=attribute,
        key_column=key_column,
        columns=reader.columns(),
        as_of=reader.as_of(kind),
        flags=reader.flags() if reader.has("refuse") else (),
        timeout_seconds=reader.integer("timeout_seconds", 1, MAX_TIMEOUT),
        name_column=reader.matching("name_column", _COLUMN) if reader.has("name_column") else None,
    )
    reader.require_nothing_else()
    return definition


class _Reader(DefinitionReader):
    code = "SOURCE_INVALID"
    hint = "请参照 docs/guides/sources.md 中的示例。Compare with the examples in docs/guides/sources.md."

    def has(self, name: str) -> bool:
        return name in self._left

    def key(self) -> tuple[str, str]:
        key = self.nested("key")
        pair = key.matching("attribute", _NAME), key.matching("column", _COLUMN)
        key.require_nothing_else()
        return pair

    def file(self) -> FilePlace:
        path = Path(self.text("path"))
        name = path.suffix.lower()
        if name not in (*CSV_NAMES, *EXCEL_NAMES, *PARQUET_NAMES):
            known = ", ".join((*CSV_NAMES, *EXCEL_NAMES, *PARQUET_NAMES))
            raise self.invalid("path", f"文件名应以所列扩展名之一结尾。The file name must end in one of: {known}.")
        encoding = self.one_of("encoding", tuple(DECLARABLE)) if self.has("encoding") else None
        sheet = self.text("sheet") if self.has("sheet") else None
        return FilePlace(path, encoding, sheet)

    def database(self, attribute: str) -> DatabasePlace:
        if self.has("url") == self.has("url_env"):
            raise self.invalid("url", "url 与 url_env 应写且只写一项。Give either url or url_env.")
        url = self._url() if self.has("url") else None
        variable = self.matching("url_env", _VARIABLE) if self.has("url_env") else None
        return DatabasePlace(url, variable, self._query(attribute))

    def _url(self) -> str:
        url = self.text("url")
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            parsed = None
        # The error is raised outside the ``except`` block, because the parser's exception may repeat the URL and would
        # become its context.
        if parsed is None:
            raise self.invalid(
                "url", "url 不是数据库地址。This is not an SQLAlchemy URL such as postgresql+psycopg://host/database."
            )
        if parsed.password is not None or any(
            _SECRET.search(f"{name}={value}") for name, value in parsed.query.items()
        ):
            raise self.invalid(
                "url",
                "定义文件中不得有密码，请把地址放入环境变量：url_env。"
                "Do not write a password in the file; put the URL in an environment variable: url_env.",
            )
        return url

    def _query(self, attribute: str) -> str:
        query = self.text("query")
        if not query.lower().lstrip().startswith(("select", "with")):
            raise self.invalid("query", "查询应以 SELECT 或 WITH 开头。The query must begin with SELECT or WITH.")
        parameters = sorted(text(query).compile().params)
        if parameters != [attribute]:
            raise self.invalid(
                "query",
                f"查询应仅有一个参数 :{attribute}。The query must have one parameter, :{attribute}; "
                f"it has: {', '.join(parameters) or 'none'}. Write a colon inside a text as \\:.",
            )
        return query

    def columns(self) -> Mapping[str, str]:
        columns = self.nested("columns")
        names = list(columns._left)
        for name in names:
            if not isinstance(name, str) or not 1 <= len(name) <= 64:
                raise columns.invalid(str(name)[:64], "列名应为 1 至 64 字。A column's name has 1 to 64 characters.")
        return {name: columns.matching(name, _COLUMN) for name in names}

    def as_of(self, kind: str) -> AsOf:
        if self._left.get("as_of") == "file_day":
            if kind != "file":
                raise self.invalid("as_of", "数据库没有文件日期。A database has no file day.")
            self.take("as_of")
            return AsOf()
        reader = self.nested("as_of")
        if reader.has("day") == reader.has("column"):
            raise self.invalid(
                "as_of", "column 与 day 应写且只写一项。Give either {column: NAME} or {day: YYYY-MM-DD}."
            )
        as_of = AsOf(day=reader.day("day")) if reader.has("day") else AsOf(column=reader.matching("column", _COLUMN))
        reader.require_nothing_else()
        return as_of

    def day(self, name: str) -> date:
        value: Any = self.take(name)
        # YAML reads a day without quotes as a date; such a date is written as text again.
        written = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
        try:
            return day_of(written)
        except (InvalidInput, TypeError):
            raise self.invalid(
                name, f"此处应为日期 YYYY-MM-DD。A day is expected: YYYY-MM-DD, from {FIRST_DAY} to {LAST_DAY}."
            ) from None

    def flags(self) -> tuple[Flag, ...]:
        where = self.place("refuse")
        return tuple(_flag(_Reader(item, f"{where}[{number}]")) for number, item in enumerate(self.items("refuse")))


def _flag(reader: _Reader) -> Flag:
    column = reader.matching("column", _COLUMN)
    value = reader.take("value")
    # Without quotes, YAML reads yes, no, on or 01 as another type than text. The flag would then never match a cell.
    if not isinstance(value, str):
        raise reader.invalid("value", "此处应为加引号的文字。Write the value as a text in quotes.")
    kind = reader.one_of("type", TYPES) if reader.has("type") else None
    if kind is not None and read_as(kind, normal_text(value).casefold()) is None:
        raise reader.invalid("value", f"值不是所填类型 {kind} 的值。The value is not a {kind}.")
    flag = Flag(column, value, reader.one_of("reason", tuple(REFUSALS)), kind)
    reader.require_nothing_else()
    return flag
