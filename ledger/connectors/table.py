"""The table in which a source searches for the rows of one subject. The table is in a file or a database."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from ledger.connectors.deadline import Deadline
from ledger.errors import Misconfigured

# The maximum number of rows of one subject. Even ten years of daily rows are fewer, so more rows mean that the key
# column is wrong.
MAX_ROWS: Final = 10_000
# The maximum number of characters in all cells of one subject together.
MAX_CHARACTERS: Final = 32 * 1024 * 1024

# Stands for a value that has no exact text. If the cell is needed, the source refuses to answer.
NO_TEXT: Final = object()


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that was found: its cells in the order of the wanted columns, and its place, such as ``bills.csv, line
    5``.
    """

    place: str
    cells: Sequence[object]


FoundRows = Generator[FoundRow, None, None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for: the rows that have ``value`` in ``key_column``, and the columns to return from these rows."""

    key_column: str
    value: str
    columns: tuple[str, ...]


class Unusable(Exception):
    """The source cannot supply data; the reason is one of ``REFUSALS``.

    This exception is always caught inside the package.
    """

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


class Table(Protocol):
    """A file or a database."""

    def day(self) -> date | None:
        """Return the day in Shanghai on which a file was last written; None for a database."""

    def rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        """Yield the subject's rows, in any order.

        Raises ``Misconfigured``, ``Unusable`` and ``TimeIsUp``.
        """


def places_of(columns: Sequence[str], wanted: Wanted, where: str) -> tuple[int, list[int]]:
    """Return the positions of the key column and of each wanted column in the table.

    Raises ``Misconfigured`` ``SOURCE_COLUMN_MISSING`` if a column is missing or occurs twice.
    """
    for name in (wanted.key_column, *wanted.columns):
        if columns.count(name) != 1:
            raise Misconfigured(
                "SOURCE_COLUMN_MISSING",
                f"列“{name}”缺失或重复。The column {name} {'is missing' if name not in columns else 'occurs twice'}.",
                where=where,
                hint="请更正数据源或定义中的列名，列名区分大小写。"
                "Correct the source or the definition; names are case-sensitive.",
            )
    return columns.index(wanted.key_column), [columns.index(name) for name in wanted.columns]


def require_header_first(rows: Iterable[tuple[int, Sequence[str]]], key_column: str, where: str, unit: str) -> None:
    """Raise ``Misconfigured`` ``SOURCE_HEADER_ROW`` if the key column is named in a later row than the first."""
    for place, (number, cells) in enumerate(rows):
        if place and key_column in [cell.strip() for cell in cells]:
            raise Misconfigured(
                "SOURCE_HEADER_ROW",
                f"列名不在首行：第 {number} 行才是列名。The column names are in {unit} {number}; "
                f"they must be in the first {unit}.",
                where=where,
                hint="请删除列名以上的行，例如标题。Delete the rows above the column names, such as a title.",
            )


def missing_file(path: Path) -> Misconfigured:
    """Return the error for a file or an SQLite database that does not exist."""
    return Misconfigured(
        "SOURCE_FILE_MISSING",
        "没有这个文件。There is no such file.",
        where=str(path),
        hint="请检查路径：相对路径从定义文件所在目录算起。"
        "Check the path: a relative path starts at the definition's folder.",
    )


def empty_source(where: str) -> Misconfigured:
    """Return the error for a source without any rows.

    If a source is empty, its export has probably failed. So the answer ``no_data`` could be false.
    """
    return Misconfigured(
        "SOURCE_EMPTY",
        "数据源没有任何数据行，不能据此答复“无数据”。The source has no rows at all, so `no_data` cannot be answered.",
        where=where,
        hint="请检查导出任务，重新导出数据后再次运行。"
        "Check the export job, export the data again, then run this command again.",
    )
