"""Answers that a person gives in place of a source: rows from a file, a refusal, or "no data"."""

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
    """A source that gives the same answer to every query; only the time of the answer is taken from the query."""

    answer: Answer

    def ask(self, query: Query) -> Answer:
        """Return the answer to any query."""
        return replace(self.answer, queried_at=query.at)


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A CSV or Excel file with the rows of one subject, which describe a given day.

    ``name_column`` is the column with the subject's name; needed only if a claim is the subject's name.
    """

    path: Path
    as_of: date
    name_column: str | None = None

    def ask(self, query: Query) -> Answer:
        """Return the rows with the requested columns, in the order in which a source returns rows.

        Raises ``InvalidInput`` ``CSV_…``, ``XLSX_…``, ``ROWS_MISSING``, ``ROW_COLUMN_MISSING``, ``NAME_DIFFERS``.
        """
        listed = read_table(self.path)
        found = listed.rows
        if not found:
            raise InvalidInput(
                "ROWS_MISSING",
                "The file has no row of the subject.",
                where=self.path.name,
                hint="Export the rows again; if the subject has no data, answer with --no-data.",
            )
        wanted = [*query.columns, *([self.name_column] if self.name_column else [])]
        if missing := [name for name in wanted if name not in found[0]]:
            require_commas(",".join(found[0]), missing[0], self.path.name)
            raise InvalidInput(
                "ROW_COLUMN_MISSING", f"The column {missing[0]} is missing.", where=f"{self.path.name}, line 1"
            )
        cells = (tuple(row[name] for name in query.columns) for row in found)
        places = (f"{self.path.name}, line {line}" for line in listed.lines)
        name = self._name(found) if self.name_column and query.name else None
        return Supplied.of(query, zip(cells, places, strict=True), self.as_of, name)

    def _name(self, found: Rows) -> str:
        names = {row[str(self.name_column)] for row in found}
        if len(names) > 1:
            raise InvalidInput(
                "NAME_DIFFERS",
                "The rows contain different names of the subject.",
                where=f"{self.path.name}: {self.name_column}",
                hint="Give the rows of one subject, with its current name.",
            )
        return names.pop() if names else ""
