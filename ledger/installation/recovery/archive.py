"""The archive: a second copy of the log's entries, and of all data that is needed to read and prove the entries.

The archive is an SQLite file with the tables of the database, even if the database itself is not SQLite. A batch is
archived before its anchor is sent. If a row changes, the archive replaces its copy of the row. Texts that are erased in
the database are also erased in the archive.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import LargeBinary, Table, bindparam, func, select, type_coerce, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.errors import Conflict, Misconfigured, NotFound, PingzhengError, StorageFull
from ledger.installation.recovery.backup_checks import check_pages
from ledger.installation.recovery.closure import DATED, MAX_VALUES, Closure, Row, table_of
from ledger.installation.tables import METADATA
from ledger.parties.tables import Party, PartyKey
from ledger.store.copying import copy_database
from ledger.store.database import Database, open_engine, require_tables
from ledger.store.identity import known_ledger, remember_ledger
from ledger.store.migrations import upgrade
from ledger.store.sealing import outdated, wrapped_by
from ledger.store.tables import Batch, Counter, Entry, Sealed

# Each run of the archiving reads the rows of the last 300 seconds again, because a row gets its time when its
# transaction begins, but can be read only after the transaction has ended.
OVERLAP_SECONDS: Final = 300
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How many batches and entries are in the archive, and the newest batch's number (None: no batch)."""

    batches: int
    newest: int | None
    entries: int


class Archive:
    """The archive of one ledger in ``file``; ``prepare`` creates it.

    Connections are closed after each use, so that the disk can be unmounted, and the next use notices a missing file.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._engine = open_engine(f"sqlite:///{file}")

    def prepare(self, ledger: str, at: int) -> None:
        """Create the file, or upgrade its tables; ``at`` is the current time in seconds UTC.

        Raises ``Misconfigured``: ``ARCHIVE_DIFFERS`` for another ledger's archive, ``DATABASE_NEWER`` if a newer
        program wrote the archive, ``ARCHIVE_UNREADABLE`` if a table is missing.
        """
        with self._explained():
            upgrade(self._engine)
            require_tables(self._engine, METADATA)
        with self._writing() as session:
            if known_ledger(session) not in (None, ledger):
                raise archive_differs(self.file)
            remember_ledger(session, ledger, at)

    def keep(self, database: Database, numbers: Sequence[int]) -> int:
        """Archive these batches with all rows that belong to them, and return the number of rows written.

        The rows are on the disk when the function returns. Raises ``Conflict`` ``ARCHIVE_FORKED`` if the archive holds
        a different batch with one of these numbers.
        """
        # The archive is locked first, so that an erasure at the same time waits and then also erases these rows.
        with self._writing() as archive:
            newest = {table: archive.scalar(select(func.max(table.c.created_at))) for table in DATED}
            bound = archive.scalar(select(func.max(PartyKey.bound_at)))
            here = _roots(archive, numbers)
            with database.read() as session:
                _require_same(self.file, here, _roots(session, numbers))
                closure = Closure(session)
                closure.add_batches(numbers)
                for table, last in newest.items():
                    closure.add_since(table, (last or 0) - OVERLAP_SECONDS)
                closure.add_keys_since((bound or 0) - OVERLAP_SECONDS)
                rows = closure.complete()
                rows[table_of(Counter)] = [dict(row) for row in session.execute(select(table_of(Counter))).mappings()]
            return sum(_put(archive, table, found) for table, found in rows.items())

    def begin(self, database: Database) -> None:
        """Archive the existing rows of the tables with ``Source.DATED``. Perhaps no later batch will name these rows,
        so they are archived now, in chunks.
        """
        for table in DATED:
            last: tuple[int, str] | None = (-1, "")
            while last is not None:
                with self._writing() as archive:
                    with database.read() as session:
                        closure = Closure(session)
                        last = closure.add_after(table, last, _CHUNK)
                        rows = closure.complete()
                    for each, found in rows.items():
                        _put(archive, each, found)

    def missing(self, database: Database, below: int) -> list[int]:
        """Return the numbers (less than ``below``) of the batches that the database has and the archive lacks."""
        query = select(Batch.number).where(Batch.number < below)
        with self.reading() as archive:
            here = set(archive.scalars(query))
        with database.read() as session:
            there = session.scalars(query.where(Batch.state != "lost").order_by(Batch.number)).all()
        return [number for number in there if number not in here]

    def erase(self, sealed: Iterable[str], party: str | None) -> None:
        """Erase these sealed texts in the archive, and the lookup digest of the party with this id."""
        with self._writing() as session:
            ids = list(sealed)
            for start in range(0, len(ids), MAX_VALUES):
                chunk = ids[start : start + MAX_VALUES]
                session.execute(update(Sealed).where(Sealed.id.in_(chunk)).values(wrapped_key=None, ciphertext=b""))
            session.execute(update(Party).where(Party.id == party).values(lookup=secrets.token_hex(32)))

    def scrub(self, remains: Sequence[bytes]) -> bool:
        """Remove the remains of erased texts from the archive's file; see ``Database.scrub``."""
        with self._explained():
            return Database(self._engine).scrub(remains)

    def rewrap(self, database: Database, current: str) -> int:
        """Copy wrapped data keys from the database to the archive, if the archived copy of a data key is not wrapped
        with the key ``current``.

        Returns the number of texts whose data key was copied.
        """
        after, done = "", 0
        while True:
            with self._writing() as archive:
                another = Sealed.id > after, outdated(current)
                ids = archive.scalars(select(Sealed.id).where(*another).order_by(Sealed.id).limit(_CHUNK)).all()
                if not ids:
                    return done
                with database.read() as session:
                    found = session.execute(_WRAPPED.where(Sealed.id.in_(ids))).mappings().all()
                if found:
                    archive.connection().execute(_REWRAP, [dict(row) for row in found])
                after, done = ids[-1], done + len(found)

    def keys_needed(self) -> dict[str, int]:
        """Return for each wrapping key (given by its id) how many archived texts need the key."""
        with self.reading() as session:
            return wrapped_by(session)

    def extent(self) -> Extent:
        """Return how many batches and entries the archive holds."""
        with self.reading() as session:
            batches, newest = session.execute(select(func.count(), func.max(Batch.number))).one()
            entries = session.scalar(select(func.count()).select_from(Entry).where(Entry.batch.is_not(None)))
        return Extent(batches, newest, entries or 0)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a database session that reads one consistent state of the archive."""
        with self._explained(), Database(self._engine).read() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._explained(), Session(self._engine) as session, session.begin():
            # The transaction takes the lock, but SQLAlchemy begins the transaction only when a connection is requested.
            session.connection()
            yield session

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Convert errors about the archive's file to errors that name the archive; close all connections at the end."""
        try:
            yield
        except IntegrityError as error:
            raise _forked(self.file, str(self.file)) from error
        except (StorageFull, Misconfigured) as error:
            # The with-block also reads the database. If an error names a file that is not the archive, the error is
            # about the database, so it is raised unchanged.
            ours = error.where in (str(self.file), self._engine.url.render_as_string())
            if not ours or error.code.startswith("ARCHIVE_"):
                raise
            raise archive_error(error, self.file) from error
        finally:
            self._engine.dispose()


def archive_failure(where: Path, *, full: bool) -> PingzhengError:
    """Return the error for an archive file that cannot be read or written; ``full`` says that the archive's disk is
    full.
    """
    if full:
        return StorageFull(
            "ARCHIVE_FULL",
            "The disk of the archive is full.",
            where=str(where),
            hint="Free space on the disk. While it is full, batches are not anchored, but no data is lost.",
        )
    return Misconfigured(
        "ARCHIVE_UNREADABLE",
        "The archive cannot be written or read.",
        where=str(where),
        hint="Repair the archive's disk or permissions. Before that no batch is anchored, but no data is lost.",
    )


def archive_error(error: PingzhengError, file: Path) -> PingzhengError:
    """Convert an error about the archive's database file to an error that explains the problem to the operator."""
    if error.code == "DATABASE_NEWER":
        return Misconfigured(
            error.code,
            "The archive was written by a newer version of this program.",
            where=str(file),
            hint="Use that version; an archive cannot be downgraded.",
        )
    return archive_failure(file, full=isinstance(error, StorageFull))


def archive_differs(file: Path) -> Misconfigured:
    """Return the error for an archive of another ledger."""
    return Misconfigured(
        "ARCHIVE_DIFFERS",
        "The archive belongs to another ledger.",
        where=str(file),
        hint="Name the folder with this ledger's archive, or an empty folder.",
    )


def _forked(file: Path, where: str) -> Conflict:
    return Conflict(
        "ARCHIVE_FORKED",
        f"The archive file {file.name} and the database hold different batches with the same number.",
        where=where,
        hint="Two installations of this ledger write to the archive, or the ledger was restored without it. "
        "Stop all installations but one. Then restore with this archive, or begin a new archive in an empty folder.",
    )


def _roots(session: Session, numbers: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    query = select(Batch.number, Batch.first_seq, Batch.size, Batch.root).where(Batch.number.in_(numbers))
    return {row.number: tuple(row) for row in session.execute(query)}


def _require_same(file: Path, here: Mapping[int, tuple[Any, ...]], there: Mapping[int, tuple[Any, ...]]) -> None:
    for number, known in here.items():
        if there[number] != known:
            raise _forked(file, f"batch {number}")


_WRAPPED: Final = select(
    Sealed.id.label("row"),
    Sealed.key_id.label("key"),
    type_coerce(Sealed.wrapped_key, LargeBinary).label("wrapped"),
    Sealed.ciphertext.label("text"),
)
_REWRAP: Final = (
    update(table_of(Sealed))
    .where(table_of(Sealed).c.id == bindparam("row"))
    .values(key_id=bindparam("key"), wrapped_key=bindparam("wrapped"), ciphertext=bindparam("text"))
)


def _put(session: Session, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows in one statement, and replace rows with the same primary key. Return the number of rows."""
    if not rows:
        return 0
    if table is table_of(Party):
        # In the archive, a number may still belong to another party: the chain may have lost its last blocks before a
        # restore, and then given the number to a new party. The old owner's number is removed first.
        mine = {row["no"]: row["id"] for row in rows if row["no"] is not None}
        for start in range(0, len(mine), MAX_VALUES):
            numbers = list(mine)[start : start + MAX_VALUES]
            taken = session.execute(select(Party.id, Party.no).where(Party.no.in_(numbers))).all()
            freed = [party for party, number in taken if mine[number] != party]
            session.execute(update(Party).where(Party.id.in_(freed)).values(no=None))
    session.connection().execute(upserting(table), rows)
    return len(rows)


def upserting(table: Table) -> Any:
    """Return the statement that inserts a row, or updates the row with the same primary key."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed: Mapping[str, Any] = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys
    }
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@contextmanager
def archive_copy(draft: Path, source: Path, ledger: str) -> Iterator[Session]:
    """Open a session on a copy of an archive in ``draft``, with this version's tables; the archive is only read.

    Raises ``NotFound`` ``ARCHIVE_UNKNOWN``, ``Misconfigured`` ``ARCHIVE_DIFFERS``, and the errors of
    ``archive_error``.
    """
    file = draft / "archive.db"
    if not source.is_file():
        others = sorted(source.parent.glob("*.db"))
        if others:
            raise archive_differs(others[0])
        raise NotFound(
            "ARCHIVE_UNKNOWN",
            "There is no archive in this folder.",
            where=str(source),
            hint="Name the folder that was set in PINGZHENG_ARCHIVE, or leave out --archive.",
        )
    engine = open_engine(f"sqlite:///{file}")
    try:
        try:
            _copy_archive(source, file)
            upgrade(engine)
            require_tables(engine, METADATA)
        except Misconfigured as error:
            raise archive_error(error, source) from error
        with Database(engine).read() as session:
            if known_ledger(session) != ledger:
                raise archive_differs(source)
            yield session
    finally:
        engine.dispose()
        for path in draft.glob("archive.db*"):
            path.unlink()


def _copy_archive(source: Path, file: Path) -> None:
    reading = open_engine(f"sqlite:///{source}")
    try:
        copy_database(reading, file, METADATA)
    finally:
        reading.dispose()
    check_pages(file)
