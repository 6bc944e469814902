"""Writes one table as a CSV file, a Parquet file, a workbook or an SQLite database, and connects to it."""

from __future__ import annotations

import csv
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from openpyxl import Workbook
from pyarrow import parquet

from ledger.connectors.answers import Query
from ledger.connectors.connector import SourceConnector, connector_of
from ledger.connectors.source import AsOf, DatabasePlace, FilePlace, SourceDefinition

# 2026-04-15 12:00:00 in Shanghai.
AT = 1_776_225_600
GRID = "91440802MA9X00011Y"
OTHER = "91440803MA9X0002X5"
KINDS = ("csv", "parquet", "sql")
# A spreadsheet keeps fewer digits and has no decimal type, so it is tested only with values that it can hold.
ALL_KINDS = (*KINDS, "xlsx")
SELECT = "SELECT * FROM bills WHERE uscc = :identifier"

Table = Mapping[str, Sequence[Any]]

DEFINITION = SourceDefinition(
    code="grid",
    scenario="S01",
    source="electricity",
    place=FilePlace(Path("bills.csv")),
    attribute="identifier",
    key_column="uscc",
    columns={"month": "period", "kwh": "kwh"},
    as_of=AsOf(day=date(2026, 3, 31)),
    flags=(),
    timeout_seconds=20,
)
BILLS: Table = {
    "uscc": [OTHER, GRID, OTHER, GRID, GRID],
    "period": ["202601", "202603", "202602", "202601", "202602"],
    "kwh": [7, 300, 8, 100, 200],
    "status": ["ok", "ok", "under correction", "ok", "ok"],
}


def query(identifier: str = GRID, columns: tuple[str, ...] = ("month", "kwh"), **members: Any) -> Query:
    return replace(Query({"identifier": identifier}, "S01", "electricity", columns, AT), **members)


@dataclass(frozen=True)
class Place:
    """A folder for a table in one of the formats. ``changes`` are applied to the source's definition."""

    folder: Path
    kind: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def holding(self, table: Table) -> SourceConnector:
        """Write the table, and return a connector to it."""
        WRITERS[self.kind](self.path, table)
        return self.connector()

    def connector(self, **changes: Any) -> SourceConnector:
        place = (
            DatabasePlace("sqlite:///bills.db", None, SELECT) if self.kind == "sql" else FilePlace(Path(self.path.name))
        )
        definition = replace(DEFINITION, place=place, folder=self.folder, **{**self.changes, **changes})
        return connector_of(definition, {})

    def at(self, number: int, of_subject: int = 1) -> str:
        """Return the place that errors name for row ``number`` of the table. The result of a database query has only
        the subject's rows, so for a database the place is row ``of_subject`` of the result.
        """
        return {
            "csv": f"bills.csv, line {number + 1}",
            "xlsx": f"bills.xlsx, Sheet, row {number + 1}",
            "parquet": f"bills.parquet, row {number}",
            "sql": f"grid, row {of_subject} of the result",
        }[self.kind]

    @property
    def path(self) -> Path:
        return self.folder / ("bills.db" if self.kind == "sql" else f"bills.{self.kind}")


def write_csv(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        # Decimals and dates are written in the form in which Python prints them; None becomes an empty cell.
        writer.writerows(zip(*table.values(), strict=True))


def write_parquet(path: Path, table: Table) -> None:
    parquet.write_table(pa.table({name: _arrow(values) for name, values in table.items()}), path)


def _arrow(values: Any) -> pa.Array:
    return pa.array(values) if len(values) else pa.array([], pa.string())


def write_sqlite(path: Path, table: Table) -> None:
    path.unlink(missing_ok=True)
    names = ", ".join(f'"{name}"' for name in table)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("BEGIN")
    # Columns without a declared type keep the type of each value.
    database.execute(f"CREATE TABLE bills ({names})")
    marks = ", ".join("?" * len(table))
    rows = ([_for_sqlite(value) for value in row] for row in zip(*table.values(), strict=True))
    database.executemany(f"INSERT INTO bills VALUES ({marks})", rows)
    database.execute("COMMIT")
    database.close()


def _for_sqlite(value: Any) -> Any:
    return str(value) if isinstance(value, (Decimal, date)) else value


def left_behind() -> list[str]:
    """Wait for the workers, up to five seconds for each; return the names of those that still run."""
    workers = [thread for thread in threading.enumerate() if thread.name.startswith("source ")]
    for worker in workers:
        worker.join(5)
    return [worker.name for worker in workers if worker.is_alive()]


def write_xlsx(path: Path, table: Table) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(table))
    for row in zip(*table.values(), strict=True):
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            # Texts are marked as texts, because a text that begins with an equals sign would become a formula.
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    book.save(path)


WRITERS = {"csv": write_csv, "parquet": write_parquet, "sql": write_sqlite, "xlsx": write_xlsx}
