"""What a source reads from: a table somewhere, in which one subject's rows are found."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from ledger.connectors.deadline import Deadline
from ledger.errors import Misconfigured

# Of one subject. Ten years of days are fewer; more is a wrong key.
MAX_ROWS: Final = 10_000
# Of all the cells of one subject together.
MAX_CHARACTERS: Final = 32 * 1024 * 1024

# In the place of a value that has no exact text: whoever needs the cell finds it unusable.
NO_TEXT: Final = object()


@dataclass(frozen=True, slots=True)
class FoundRow:
    """The cells of one row, in the order of the columns wanted, and where it stands: ``bills.csv, line 5``."""

    place: str
    cells: Sequence[object]


FoundRows = Generator[FoundRow, None, None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows whose ``key_column`` is ``value``, and the columns to take of them."""

    key_column: str
    value: str
    columns: tuple[str, ...]


class Unusable(Exception):
    """The source gives no rows, for one of ``REFUSALS``; never leaves this package."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


class Table(Protocol):
    """A file or a database."""

    def day(self) -> date | None:
        """The day in Shanghai on which a file was last written; none for a database."""

    def rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        """The subject's rows, in any order.

        Raises ``Misconfigured``, ``Unusable`` and ``TimeIsUp``.
        """


def places_of(columns: Sequence[str], wanted: Wanted, where: str) -> tuple[int, list[int]]:
    """Where the key and each column wanted stand among a table's columns.

    Raises ``Misconfigured`` ``SOURCE_COLUMN_MISSING`` for one that is not there once.
    """
    for name in (wanted.key_column, *wanted.columns):
        if columns.count(name) != 1:
            raise Misconfigured(
                "SOURCE_COLUMN_MISSING",
                f"列“{name}”缺失或重复。The column {name} is {'missing' if name not in columns else 'there twice'}.",
                where=where,
                hint="修改数据源或列名，区分大小写。Mend the source or the definition; case counts.",
            )
    return columns.index(wanted.key_column), [columns.index(name) for name in wanted.columns]


def require_header_first(rows: Iterable[tuple[int, Sequence[str]]], key_column: str, where: str, unit: str) -> None:
    """Raise ``Misconfigured`` ``SOURCE_HEADER_ROW`` if the key column is named below the first of these rows."""
    for place, (number, cells) in enumerate(rows):
        if place and key_column in [cell.strip() for cell in cells]:
            raise Misconfigured(
                "SOURCE_HEADER_ROW",
                f"列名不在首行：第 {number} 行才是列名。The names of the columns stand in {unit} {number}; "
                "they must be the first.",
                where=where,
                hint="删除列名以上的行，如标题。Delete what stands above it, such as a title.",
            )


def no_row(where: str) -> Misconfigured:
    """That a source holds nothing about anybody: its export failed, and ``no_data`` would be false."""
    return Misconfigured(
        "SOURCE_EMPTY",
        "数据源没有任何数据行，不能据此答复“无数据”。The source has no row of anybody, so `no_data` cannot be said.",
        where=where,
        hint="检查导出任务，重新导出后再运行。Check the job that writes it, export again, and run this again.",
    )
