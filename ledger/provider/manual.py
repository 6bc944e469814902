"""Answers that a person gives in place of a source: rows from a file, a refusal, or that there is nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ledger.connectors.answers import Answer, Query, Supplied
from ledger.connectors.tables import Rows, read_table
from ledger.connectors.tabular import require_commas
from ledger.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Given:
    """A source whose answer is known beforehand, but for the time at which it is asked."""

    answer: Answer

    def ask(self, query: Query) -> Answer:
        """The answer, whatever the question."""
        return replace(self.answer, queried_at=query.at)


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A CSV or Excel file with one subject's rows, as of a day; ``name_column`` holds the subject's name, if a claim is
    that."""

    path: Path
    as_of: date
    name_column: str | None = None

    def ask(self, query: Query) -> Answer:
        """The rows with the columns asked for, sorted as a source sorts them; raises ``InvalidInput`` ``CSV_…``,
        ``XLSX_…``, ``ROWS_MISSING``, ``ROW_COLUMN_MISSING``, ``NAME_DIFFERS``."""
        listed = read_table(self.path)
        found = listed.rows
        if not found:
            raise InvalidInput(
                "ROWS_MISSING",
                "The file has no row of the subject.",
                where=self.path.name,
                hint="Export it again; if there is nothing of the subject, answer by --no-data.",
            )
        wanted = [*query.columns, *([self.name_column] if self.name_column else [])]
        if missing := [name for name in wanted if name not in found[0]]:
            require_commas(",".join(found[0]), missing[0], self.path.name)
            raise InvalidInput(
                "ROW_COLUMN_MISSING", f"The rows lack the column {missing[0]}.", where=f"{self.path.name}, line 1"
            )
        cells = (tuple(row[name] for name in query.columns) for row in found)
        rows = sorted(zip(cells, listed.lines, strict=True))
        return Supplied(
            tuple(dict(zip(query.columns, row, strict=True)) for row, _ in rows),
            self.as_of,
            query.at,
            self._name(found) if self.name_column and query.name else None,
            tuple(f"{self.path.name}, line {line}" for _, line in rows),
        )

    def _name(self, found: Rows) -> str:
        names = {row[str(self.name_column)] for row in found}
        if len(names) > 1:
            raise InvalidInput(
                "NAME_DIFFERS",
                "The rows give different names of one subject.",
                where=f"{self.path.name}: {self.name_column}",
                hint="Give the rows of one subject under its present name.",
            )
        return names.pop() if names else ""
