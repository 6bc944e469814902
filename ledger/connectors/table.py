"""What a source reads from: a table somewhere, in which one subject's rows are found."""

from __future__ import annotations

from collections.abc import Generator, Sequence
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

Cells = Generator[Sequence[object], None, None]


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

    def rows(self, wanted: Wanted, until: Deadline) -> Cells:
        """The cells of each row, in the order of the columns wanted, in any order of rows.

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
