"""The connector answers a query from the table in a source, whatever the kind of file or database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from typing import TypeVar

from ledger.connectors.answers import Answer, NoData, Query, Refused, Supplied, TimedOut
from ledger.connectors.database import SqlTable
from ledger.connectors.deadline import Deadline, TimeIsUp, Workers
from ledger.connectors.file_tables import file_table
from ledger.connectors.flags import UnreadableFlag, meets
from ledger.connectors.source import FilePlace, Flag, SourceDefinition
from ledger.connectors.table import MAX_CHARACTERS, MAX_ROWS, FoundRow, Table, Unusable, Wanted
from ledger.connectors.values import BadValue, as_span, as_text
from ledger.domain.days import FIRST_DAY, shanghai_day
from ledger.errors import Misconfigured

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows that were found in the table (at most ``MAX_ROWS`` + 1), and the day on which the file was last written
    (None for a database).
    """

    rows: Sequence[FoundRow]
    day: date | None


@dataclass(frozen=True, slots=True)
class _Column:
    """The cells of one column of the source. Each cell has the place of its row."""

    name: str
    cells: Sequence[tuple[str, object]]

    def texts(self) -> list[str]:
        return self.read(as_text)

    def read(self, reading: Callable[[object], T]) -> list[T]:
        """Return what ``reading`` returns for each cell. If a cell cannot be read, raise ``Unusable`` with the cell's
        place.
        """
        found = []
        for place, value in self.cells:
            try:
                found.append(reading(value))
                continue
            except BadValue:
                pass
            # The error is raised outside the ``except`` block, so that its context does not contain the value.
            raise Unusable("data_unusable", f"{place}, column {self.name}")
        return found


class SourceConnector:
    """Answers queries as the source's definition describes. No file or database is opened before the first query."""

    def __init__(self, definition: SourceDefinition, table: Table) -> None:
        self._definition = definition
        self._table = table
        self._workers = Workers(definition.code)

    def ask(self, query: Query) -> Answer:
        """Return the source's answer. Raises ``Misconfigured`` if the operator must correct the source or its
        definition.
        """
        definition = self._definition
        if (query.scenario, query.source) != (definition.scenario, definition.source):
            return Refused("out_of_scope", query.at, f"{definition.code} serves another scenario or source")
        wanted = self._wanted(query)
        try:
            found = self._workers.run(definition.timeout_seconds, partial(self._find, wanted))
            return self._answer(query, wanted, found)
        except TimeIsUp:
            return TimedOut(query.at)
        except Unusable as unusable:
            return Refused(unusable.reason, query.at, unusable.where)

    def _wanted(self, query: Query) -> Wanted:
        definition = self._definition
        value = query.subject.get(definition.attribute, "")
        # A blank value would match the rows that have no key.
        if not value.strip():
            raise Misconfigured(
                "SOURCE_ATTRIBUTE_MISSING",
                f"主体没有属性 {definition.attribute}，而数据源按该属性查找。"
                f"The subject has no {definition.attribute}, which the source's key needs.",
                where=definition.code,
                hint=f"Set key.attribute to one of: {', '.join(sorted(query.subject)) or 'none'}.",
            )
        if unknown := sorted(set(query.columns) - definition.columns.keys()):
            raise Misconfigured(
                "SOURCE_COLUMN_UNMAPPED",
                f"定义缺少部分列的对应，列名见英文。The definition does not map these columns: {', '.join(unknown)}.",
                where=definition.code,
                hint="请在 columns 下补上这些列。"
                f"Add the columns under `columns`; scenario {definition.scenario} needs them.",
            )
        names = [definition.columns[name] for name in query.columns]
        names += [self._name_column()] if query.name else []
        names += [flag.column for flag in definition.flags]
        names += [definition.as_of.column] if definition.as_of.column is not None else []
        return Wanted(definition.key_column, value, tuple(dict.fromkeys(names)))

    def _name_column(self) -> str:
        column = self._definition.name_column
        if column is None:
            raise Misconfigured(
                "SOURCE_NAME_MISSING",
                "定义未说明主体名称在哪一列。The definition does not say which column holds the subject's name.",
                where=self._definition.code,
                hint=f"请加一行 name_column。Add the line name_column; scenario {self._definition.scenario} needs it.",
            )
        return column

    def _find(self, wanted: Wanted, until: Deadline) -> _Found:
        day = self._table.day()
        with closing(self._table.rows(wanted, until)) as rows:
            return _Found(list(_bounded(islice(rows, MAX_ROWS + 1))), day)

    def _answer(self, query: Query, wanted: Wanted, found: _Found) -> Answer:
        if not found.rows:
            return NoData(query.at)
        if len(found.rows) > MAX_ROWS:
            raise Unusable("data_unusable", f"more than {MAX_ROWS} rows")
        cells = {
            name: _Column(name, [(row.place, row.cells[at]) for row in found.rows])
            for at, name in enumerate(wanted.columns)
        }
        for flag in self._definition.flags:
            if _is_met(flag, cells[flag.column]):
                return Refused(flag.reason, query.at, flag.column)
        columns = [cells[self._definition.columns[name]].texts() for name in query.columns]
        texts = zip(*columns, strict=True) if columns else [()] * len(found.rows)
        rows = zip(texts, [row.place for row in found.rows], strict=True)
        return Supplied.of(query, rows, self._as_of(query, cells, found), self._name(cells) if query.name else None)

    def _name(self, cells: Mapping[str, _Column]) -> str:
        """Return the subject's name. It must be the same in all rows.

        If the names differ, the source refuses to answer, because nobody knows which name is right.
        """
        column = self._name_column()
        first, *others = set(cells[column].texts())
        if others:
            raise Unusable("data_unusable", f"{column}: the rows give different names")
        return first

    def _as_of(self, query: Query, cells: Mapping[str, _Column], found: _Found) -> date:
        as_of = self._definition.as_of
        today = shanghai_day(query.at)
        if as_of.column is None:
            first = last = as_of.day or found.day
        else:
            spans = cells[as_of.column].read(as_span)
            if min(spans)[0] < FIRST_DAY:
                raise Unusable("data_unusable", f"as_of is before {FIRST_DAY}")
            first, last = max(spans, key=lambda span: span[1])
        if first is None or last is None or first > today:
            raise Unusable("data_unusable", "as_of is after the query")
        # If the cell names a month that is not over, the month's last day is in the future. The rows cannot describe a
        # day after today, so today is returned.
        return min(last, today)


def connector_of(definition: SourceDefinition, environ: Mapping[str, str] = os.environ) -> SourceConnector:
    """Return the connector for a definition. Each query reads from ``environ`` the variable that the definition's
    ``url_env`` names.
    """
    place, folder = definition.place, definition.folder
    if isinstance(place, FilePlace):
        return SourceConnector(definition, file_table(place, folder))
    return SourceConnector(definition, SqlTable(definition.code, place, definition.attribute, folder, environ))


def _bounded(rows: Iterable[FoundRow]) -> Iterator[FoundRow]:
    """Yield the rows. Raises ``Unusable`` as soon as all cells together have more than ``MAX_CHARACTERS``
    characters.
    """
    left = MAX_CHARACTERS
    for row in rows:
        left -= sum(len(cell) for cell in row.cells if isinstance(cell, (str, bytes)))
        if left < 0:
            raise Unusable("data_unusable", f"rows of more than {MAX_CHARACTERS} characters")
        yield row


def _is_met(flag: Flag, column: _Column) -> bool:
    met = False
    for (place, _), text in zip(column.cells, column.texts(), strict=True):
        try:
            met = meets(flag, text) or met
        except UnreadableFlag:
            raise Unusable("data_unusable", f"{place}, column {flag.column}: not a {flag.type}") from None
    return met
