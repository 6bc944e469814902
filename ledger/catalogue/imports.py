"""Bulk import into the data list. A dry run reports on every row. A commit imports all rows, or no row if one row is
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger.catalogue.sheets import FIELD_COLUMNS, OPTIONAL, REQUIRED, Sheets, sheets_of
from ledger.catalogue.staging import Known, Staged, chunks, overtaken, write_staged
from ledger.catalogue.use_case import UseCase
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import InvalidInput, PingzhengError
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require

__all__ = ["FIELD_COLUMNS", "OPTIONAL", "REQUIRED", "CatalogueImport", "ImportReport", "Sheets", "sheets_of"]
MAX_ROWS: Final = 20_000
MAX_REFUSALS_LISTED: Final = 100
# The maximum number of attempts for one import. If another writer changes an entry that the import changes too, nothing
# is written and the import is planned again.
MAX_PLANS: Final = 3


@dataclass(frozen=True, slots=True)
class RowReport:
    """What importing a row would change: ``verdict`` is ``new``, ``new_version``, ``unchanged`` or ``refused``.

    Rows are numbered from 1; the header and blank rows are not counted.
    """

    row: int
    code: str
    verdict: str
    version: int | None = None
    error: str | None = None
    message: str | None = None
    where: str | None = None
    hint: str | None = None
    diff: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"diff": list(self.diff)}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import: a report on each row in the order of the file, whether the rows were written, and notes
    on how the file was read.
    """

    rows: tuple[RowReport, ...]
    committed: bool
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows have each result (``new``, ``new_version``, ``unchanged`` or ``refused``)."""
        verdicts = [row.verdict for row in self.rows]
        return {name: verdicts.count(name) for name in ("new", "new_version", "unchanged", "refused")}


Planned = tuple[RowReport, Staged | None]


class CatalogueImport(UseCase):
    """Imports whole tables into the data list of the acting provider."""

    def dry_run(self, actor: Actor, sheets: Sheets, progress: Callable[[int], None] = lambda _: None) -> ImportReport:
        """Report what ``commit`` would do with each row. Nothing is written."""
        require(actor, Action.EDIT_RESOURCE, owns=True)
        return ImportReport(tuple(row for row, _ in self._planned(actor, sheets, progress)), False, sheets.notes)

    def commit(self, actor: Actor, sheets: Sheets, progress: Callable[[int], None] = lambda _: None) -> ImportReport:
        """Import all rows in one transaction. Raises ``InvalidInput`` ``IMPORT_REFUSED`` if a row is refused.

        The rows are planned before the database is locked for writing. If another writer changes an entry in the
        meantime, the rows are planned again. Raises ``Busy`` ``CATALOGUE_BUSY`` if that happens three times.
        """
        require(actor, Action.EDIT_RESOURCE, owns=True)
        report_progress = progress
        for _ in range(MAX_PLANS):
            rows = self._planned(actor, sheets, report_progress)
            _require_none_refused([report for report, _ in rows])
            staged = [item for _, item in rows if item is not None]
            with self._database.write() as session:
                written = write_staged(session, actor.party, staged, self._clock())
            if written:
                return ImportReport(tuple(report for report, _ in rows), True, sheets.notes)
            report_progress = _silent
        raise overtaken()

    def _planned(self, actor: Actor, sheets: Sheets, progress: Callable[[int], None]) -> list[Planned]:
        _require_columns(sheets)
        columns = _fields_by_code(sheets)
        taken = set[str]()
        rows: list[Planned] = []
        with self._database.read() as session:
            # The rows are read in portions, because the newest descriptions of all entries that the rows name might not
            # fit into memory.
            for some in chunks(sheets.resources):
                known = Known(session, [row["code"] for row in some], [row.get("system", "") for row in some])
                for row in some:
                    rows.append(_plan(known, actor.party, len(rows) + 1, row, columns, taken))
                    progress(1)
                session.expunge_all()
        return rows


def _plan(
    known: Known,
    provider: str,
    place: int,
    row: Mapping[str, str],
    columns: Mapping[str, Sequence[ResourceField]],
    taken: set[str],
) -> Planned:
    code = row["code"]
    try:
        if code in taken:
            raise InvalidInput(
                "CODE_TWICE", "An earlier row has this code.", where="code", hint="Keep only one row for this code."
            )
        taken.add(code)
        staged = known.staged(provider, _resource(row, columns))
    except PingzhengError as error:
        refusal = RowReport(place, code[:64], "refused", None, error.code, error.message, error.where, error.hint)
        return refusal, None
    change = staged.change
    return RowReport(place, code, change.verdict, change.version, diff=change.changes), staged


def _require_none_refused(rows: Sequence[RowReport]) -> None:
    if refused := [row.to_dict() for row in rows if row.verdict == "refused"]:
        raise InvalidInput(
            "IMPORT_REFUSED",
            f"{len(refused)} of {len(rows)} rows are refused, so no row was imported.",
            where=f"row {refused[0]['row']}",
            hint=f"The first error is {refused[0]['error']}. A dry run reports on every row.",
            refused=refused[:MAX_REFUSALS_LISTED],
        )


def _silent(_rows: int) -> None:
    """Show no progress. This function is used when rows are planned again, because their progress was already shown the
    first time.
    """


def _require_columns(sheets: Sheets) -> None:
    if not sheets.resources:
        raise InvalidInput("IMPORT_EMPTY", "The table has no rows.")
    if len(sheets.resources) > MAX_ROWS:
        raise InvalidInput("IMPORT_TOO_LARGE", f"A table may have at most {MAX_ROWS} rows.", hint="Split the file.")
    _require_names(sheets.resources[0], REQUIRED, (*REQUIRED, *OPTIONAL), "resources")
    if sheets.fields:
        _require_names(sheets.fields[0], FIELD_COLUMNS[:3], FIELD_COLUMNS, "fields")


def _require_names(row: Mapping[str, str], required: Sequence[str], known: Sequence[str], where: str) -> None:
    if missing := [name for name in required if name not in row]:
        raise InvalidInput("IMPORT_COLUMN_MISSING", f"The column {missing[0]} is missing.", where=where)
    if odd := [name for name in row if name not in known]:
        raise InvalidInput(
            "IMPORT_COLUMN_UNKNOWN",
            f"The column {odd[0][:64]} is not one of the columns of the data list.",
            where=where,
            hint=", ".join(known),
        )


def _fields_by_code(sheets: Sheets) -> dict[str, list[ResourceField]]:
    grouped: dict[str, list[ResourceField]] = {}
    for row in sheets.fields:
        tags = {name: value for name, value in row.items() if name != "code" and value}
        grouped.setdefault(row["code"], []).append(_field(tags))
    if strangers := grouped.keys() - {row["code"] for row in sheets.resources}:
        raise InvalidInput(
            "FIELDS_WITHOUT_RESOURCE",
            "Fields are listed for a resource that is not in the table.",
            where=f"code {min(strangers)}",
        )
    return grouped


def _resource(row: Mapping[str, str], columns: Mapping[str, Sequence[ResourceField]]) -> DataResource:
    code, written = row["code"], row.get("fields", "")
    if written and code in columns:
        raise InvalidInput(
            "FIELDS_TWICE",
            "The fields are given both in the resource's row and in the table of fields.",
            where="fields",
        )
    fields = tuple(columns.get(code, ())) or _fields(written)
    # An empty cell means that the member has its default value.
    given = {name: row[name] for name in OPTIONAL if row.get(name) and name not in ("rows", "columns", "fields")}
    return DataResource(
        **{"package": "", **given},
        code=code,
        title=row["title"],
        rows=_count(row, "rows", 0),
        columns=_count(row, "columns", len(fields)),
        fields=fields,
        content_digest=row["content_digest"],
    )


def _fields(text: str) -> tuple[ResourceField, ...]:
    """Parse the fields in a cell: ``name:type[:pii[:secrecy[:grade]]]``, separated by semicolons."""
    columns = []
    for place, item in enumerate(filter(None, text.split(";")), start=1):
        parts = item.split(":")
        if not 2 <= len(parts) <= 5:
            raise InvalidInput(
                "FIELD_FORM",
                "A field cannot be read.",
                where=f"fields[{place}]",
                hint="Write name:type[:pii[:secrecy[:grade]]]. For a name with a colon, use a table of fields.",
            )
        names = ("name", "type", "pii", "secrecy", "grade")
        columns.append(_field({name: part for name, part in zip(names, parts, strict=False) if part}))
    return tuple(columns)


def _field(given: Mapping[str, str]) -> ResourceField:
    # A required value that is missing becomes an empty text, so that the rules refuse the field and name the missing
    # value.
    return ResourceField(**{"name": "", "type": "", **given})


def _count(row: Mapping[str, str], name: str, default: int) -> int:
    text = row.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise InvalidInput(
            "COUNT_FORM", "This is not a number of rows or columns.", where=name, hint="Use digits only."
        )
    return int(text)
