"""Writes the sources of the pilot's providers. Each provider has a folder with definitions, and CSV files, Parquet
files or databases.

As in real sources, the rows also contain the subject's name, ID number and phone. Names, ID numbers and phones must
never leave the provider.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from ledger.connectors.answers import Connector
from ledger.demo.data.mapping import MAPPING, Mapped, rows_of
from ledger.demo.data.mixture import Fate
from ledger.demo.data.offices import office_of
from ledger.demo.data.panels import Panel
from ledger.demo.data.people import Member
from ledger.rulebooks.sources import SourceBook

Record = dict[str, str]
Key = tuple[str, str]

UNDER_CORRECTION: Final = "更正中"
_REMARK: Final = "remark"
_PARQUET: Final = frozenset({"S05", "S07", "S08", "S12"})
_CSV: Final = frozenset({"S01", "S06", "S09", "S11"})
_TIMEOUT: Final = 20
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Shelves:
    """The source books of all providers. ``books`` maps a provider's name to its book."""

    books: Mapping[str, SourceBook]

    def connector(self, scenario: str, source: str) -> Connector:
        """Return the connector of a scenario's source, from the source book of the supplying institution."""
        return self.books[office_of(source)].connector(scenario, source)


class Sources:
    """Writes files and databases with rows of the panels, in one folder for each provider."""

    def __init__(self, folder: Path, panels: Mapping[str, Panel], members: Mapping[str, Sequence[Member]]) -> None:
        self.folder = folder
        self._panels = panels
        self._members = members

    def write(self, today: date, *, corrected: bool = False) -> Shelves:
        """Write all sources, and return the source books.

        A subject whose fate is to have no data gets no rows, and some subjects are marked as under correction. If
        ``corrected`` is false, the newest row is missing for subjects whose data is corrected later.
        """
        for key, mapped in MAPPING.items():
            records = list(self._records(key, mapped, today, corrected))
            if records:
                folder = self._of(key)
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
                _new_private(_path(folder, key))
                _WRITERS[_kind(key)](_path(folder, key), records)
                _definition(folder, key, mapped)
        offices = {office_of(source) for _, source in MAPPING}
        return Shelves({name: SourceBook.load(path) for name in offices if (path := self.folder / name).is_dir()})

    def slow(self, key: Key) -> SourceBook:
        """Return the source book of the provider that has the source ``key``. In this book, the source has a time limit
        of one second.
        """
        folder = self._of(key)
        _definition(folder, key, MAPPING[key], timeout=1)
        book = SourceBook.load(folder)
        _definition(folder, key, MAPPING[key])
        return book

    def _of(self, key: Key) -> Path:
        return self.folder / office_of(key[1])

    @contextmanager
    def busy(self, key: Key) -> Iterator[None]:
        """Lock a database during the block of code, so that queries wait, as if the provider were loading data into the
        database.
        """
        database = sqlite3.connect(_path(self._of(key), key), isolation_level=None)
        try:
            database.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            database.close()

    def _records(self, key: Key, mapped: Mapped, today: date, corrected: bool) -> Iterator[Record]:
        for member in self._members.get(key[0], ()):
            if member.fate is Fate.NO_DATA:
                continue
            panel = list(self._panels[mapped.panel][member.subject.number])
            rows = rows_of(mapped, member.subject.number, panel, _months(today, len(panel)))
            if member.fate is Fate.CORRECTED and not corrected:
                rows = rows[:-1]
            part = member.subject.part
            own = {"name": part.name, "id_number": part.identifier, "phone": member.subject.phone}
            remark = UNDER_CORRECTION if member.fate is Fate.REFUSED else "正常"
            for row in rows:
                yield own | row | {_REMARK: remark}


def _months(today: date, count: int) -> list[str]:
    """Return the last ``count`` complete months before ``today``, oldest first, as ``YYYYMM``."""
    last = today.year * _MONTHS + today.month - 2
    return [f"{month // _MONTHS:04d}{month % _MONTHS + 1:02d}" for month in range(last - count + 1, last + 1)]


def _kind(key: Key) -> str:
    return "parquet" if key[0] in _PARQUET else "csv" if key[0] in _CSV else "db"


def _path(folder: Path, key: Key) -> Path:
    return folder / f"{key[0]}-{key[1]}.{_kind(key)}"


def _definition(folder: Path, key: Key, mapped: Mapped, timeout: int = _TIMEOUT) -> None:
    scenario, source = key
    path = _path(folder, key)
    where = (
        {
            "kind": "sql",
            "url": f"sqlite:///{path.name}",
            "query": "SELECT * FROM records WHERE id_number = :identifier",
        }
        if path.suffix == ".db"
        else {"kind": "file", "path": path.name}
    )
    definition = {
        "code": f"{scenario.lower()}-{source.replace('_', '-')}",
        "scenario": scenario,
        "source": source,
        **where,
        "key": {"attribute": "identifier", "column": "id_number"},
        "columns": {name: name for name in (mapped.period, *mapped.cells)},
        "as_of": {"column": mapped.period},
        "refuse": [{"column": _REMARK, "value": UNDER_CORRECTION, "reason": "under_correction"}],
        "timeout_seconds": timeout,
        "name_column": "name",
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(definition, allow_unicode=True, sort_keys=False), "utf-8")


def _new_private(path: Path) -> None:
    """Replace ``path`` by an empty file with mode 600; later writing does not change the mode."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def _write_parquet(path: Path, records: Sequence[Record]) -> None:
    import pyarrow
    from pyarrow import parquet

    records = sorted(records, key=lambda record: record["id_number"])
    parquet.write_table(pyarrow.Table.from_pylist(records), path)


def _write_database(path: Path, records: Sequence[Record]) -> None:
    columns, marks = ", ".join(records[0]), ", ".join("?" * len(records[0]))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN")
    database.execute(f"CREATE TABLE records ({columns})")
    database.executemany(f"INSERT INTO records VALUES ({marks})", [list(record.values()) for record in records])  # noqa: S608
    database.execute("CREATE INDEX by_number ON records (id_number)")
    database.execute("COMMIT")
    database.close()


_WRITERS: Final[Mapping[str, Callable[[Path, Any], None]]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "db": _write_database,
}
