"""A second place for what the chain commits to: the log's entries, and all that is needed to read and prove them.

An SQLite file with the tables of the database, whatever the dialect of that is. It gets a batch before its anchor is
sent. Rows are written over by their newer state, and erased text is erased here too.
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

from ledger.errors import Conflict, Misconfigured, PingzhengError, StorageFull
from ledger.installation.recovery.closure import DATED, MAX_VALUES, Closure, Row, table_of
from ledger.installation.tables import METADATA
from ledger.parties.tables import Party, PartyKey
from ledger.store.database import Database, open_engine, require_tables
from ledger.store.identity import known_ledger, remember_ledger
from ledger.store.migrations import upgrade
from ledger.store.sealing import outdated, wrapped_by
from ledger.store.tables import Batch, Counter, Entry, Sealed

# A row is dated when its transaction begins, and seen when that ends: what is younger than this is looked at again.
OVERLAP_SECONDS: Final = 300
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the archive goes: how many batches it holds, the number of the newest one (None: none), its entries."""

    batches: int
    newest: int | None
    entries: int


class Archive:
    """The archive of one ledger in ``file``; ``prepare`` makes it. Connections are closed after each use, so that a
    disk can be taken out and a file that was removed is noticed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._engine = open_engine(f"sqlite:///{file}")

    def prepare(self, ledger: str, at: int) -> None:
        """Make the file, or bring its tables up to date; ``at`` is seconds UTC.

        Raises ``Misconfigured`` ``ARCHIVE_DIFFERS`` for the archive of another ledger, ``DATABASE_NEWER`` for that of a
        newer program, ``ARCHIVE_UNREADABLE`` where a table is missing.
        """
        with self._explained():
            upgrade(self._engine)
            require_tables(self._engine, METADATA)
        with self._writing() as session:
            if known_ledger(session) not in (None, ledger):
                raise archive_differs(self.file)
            remember_ledger(session, ledger, at)

    def keep(self, database: Database, numbers: Sequence[int]) -> int:
        """Take these batches over with all that belongs to them, on the disk when this returns; how many rows.

        Raises ``Conflict`` ``ARCHIVE_FORKED`` if it holds another batch of one of these numbers.
        """
        # The archive is locked first: an erasure that comes meanwhile waits for it, and finds what was written.
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
        """Take over what is older than the archive and named by no batch that is to come, some rows at a time."""
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
        """The numbers of the batches below that one whose entries the database has and the archive has not."""
        query = select(Batch.number).where(Batch.number < below)
        with self.reading() as archive:
            here = set(archive.scalars(query))
        with database.read() as session:
            there = session.scalars(query.where(Batch.state != "lost").order_by(Batch.number)).all()
        return [number for number in there if number not in here]

    def erase(self, sealed: Iterable[str], party: str | None) -> None:
        """Destroy these texts here too, and what a party (by id) is found by."""
        with self._writing() as session:
            ids = list(sealed)
            for start in range(0, len(ids), MAX_VALUES):
                chunk = ids[start : start + MAX_VALUES]
                session.execute(update(Sealed).where(Sealed.id.in_(chunk)).values(wrapped_key=None, ciphertext=b""))
            session.execute(update(Party).where(Party.id == party).values(lookup=secrets.token_hex(32)))

    def scrub(self) -> bool:
        """Leave nothing of what was erased in the file; as ``Database.scrub``."""
        with self._explained():
            return Database(self._engine).scrub()

    def rewrap(self, database: Database, current: str) -> int:
        """Take over how the database wraps what the archive has under another key than ``current``; how many."""
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
        """How many texts each wrapping key opens here, by its id."""
        with self.reading() as session:
            return wrapped_by(session)

    def extent(self) -> Extent:
        """How far it goes."""
        with self.reading() as session:
            batches, newest = session.execute(select(func.count(), func.max(Batch.number))).one()
            entries = session.scalar(select(func.count()).select_from(Entry).where(Entry.batch.is_not(None)))
        return Extent(batches, newest, entries or 0)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the archive."""
        with self._explained(), Database(self._engine).read() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._explained(), Session(self._engine) as session, session.begin():
            # A transaction of SQLAlchemy begins with its first statement, and with it the lock.
            session.connection()
            yield session

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the file as ours, which say that it is the archive's; nothing stays open."""
        try:
            yield
        except IntegrityError as error:
            raise _forked(self.file, str(self.file)) from error
        except (StorageFull, Misconfigured) as error:
            # Those of the database, which is read meanwhile, name another file.
            ours = error.where in (str(self.file), self._engine.url.render_as_string())
            if not ours or error.code.startswith("ARCHIVE_"):
                raise
            raise archive_error(error, self.file) from error
        finally:
            self._engine.dispose()


def archive_failure(where: Path, *, full: bool) -> PingzhengError:
    """What keeps a file of the archive from being written."""
    if full:
        return StorageFull(
            "ARCHIVE_FULL",
            "The disk of the archive is full.",
            where=str(where),
            hint="Make room there. Batches wait until then and are anchored by themselves; nothing is lost.",
        )
    return Misconfigured(
        "ARCHIVE_UNREADABLE",
        "The archive cannot be written or read.",
        where=str(where),
        hint="Check its disk and the permissions. Batches wait until then; nothing is lost.",
    )


def archive_error(error: PingzhengError, file: Path) -> PingzhengError:
    """An error of the archive's database, naming the archive."""
    if error.code == "DATABASE_NEWER":
        return Misconfigured(
            error.code,
            "The archive was written by a newer version of this program.",
            where=str(file),
            hint="Use that version. An archive does not go back to an older one.",
        )
    return archive_failure(file, full=isinstance(error, StorageFull))


def archive_differs(file: Path) -> Misconfigured:
    """The archive in this file is another ledger's."""
    return Misconfigured(
        "ARCHIVE_DIFFERS",
        "The archive is that of another ledger.",
        where=str(file),
        hint="Name the folder in which this ledger has been archived, or an empty one.",
    )


def _forked(file: Path, where: str) -> Conflict:
    return Conflict(
        "ARCHIVE_FORKED",
        f"The archive {file.name} holds something else than the database under the same number.",
        where=where,
        hint="Two installations of one ledger write to it, or this one was restored without it. "
        "Stop all but one; restore with this archive, or begin a new one in an empty folder.",
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
    """Insert the rows, over what stands there under the same primary key, all at once."""
    if not rows:
        return 0
    if table is table_of(Party):
        # After a restore onto a chain that lost its end, a number may be another party's.
        mine = {row["no"]: row["id"] for row in rows if row["no"] is not None}
        for start in range(0, len(mine), MAX_VALUES):
            numbers = list(mine)[start : start + MAX_VALUES]
            taken = session.execute(select(Party.id, Party.no).where(Party.no.in_(numbers))).all()
            freed = [party for party, number in taken if mine[number] != party]
            session.execute(update(Party).where(Party.id.in_(freed)).values(no=None))
    session.connection().execute(upserting(table), rows)
    return len(rows)


def upserting(table: Table) -> Any:
    """The statement that inserts a row, or brings the one with its primary key up to date."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed: Mapping[str, Any] = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys
    }
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
