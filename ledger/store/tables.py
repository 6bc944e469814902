"""Base classes and the tables of the log and of sealed texts. Digests are 64 hex digits, times are seconds UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Hex32 = String(64)
KeyText = String(71)
Ulid = String(26)


class Source(StrEnum):
    """Says from which copy a restore takes those rows of a table that are newer than the backup."""

    DATED = "dated"
    """From the archive, which gets each row at ``created_at``: perhaps no log entry ever names the row."""
    ENTRIES = "entries"
    """From the archive, which gets the log and the rows that log entries name."""
    BACKUP = "backup"
    """From no copy: newer rows are lost. At most, the archive has the rows to which an archived row refers."""
    NOWHERE = "nowhere"
    """From no copy, and a restore empties the table: its rows may have been revoked after the backup."""


class Base(DeclarativeBase):
    """The base class of all tables, with names for constraints, and with types that every database has.

    Each table declares what other packages do with its rows; ``Table.info`` has the declaration. ``source`` says from
    which copy a restore takes the rows. ``erased_with`` names the column with the id of a party: if that party is
    erased, the sealed text of the row (``sealed_id``) is erased too.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's API

    def __init_subclass__(cls, *, source: Source, erased_with: str | None = None) -> None:
        """Declare the table, and record its declaration."""
        super().__init_subclass__()
        cls.metadata.tables[cls.__tablename__].info.update(source=source, erased_with=erased_with)


def waiting_index(name: str, column: str, rows: str) -> Index:
    """Return an index of only those rows that fulfil the SQL condition ``rows``.

    The index stays small, so a query for these rows takes the same time however many rows the table has.
    """
    return Index(name, column, sqlite_where=text(rows), postgresql_where=text(rows))


class Counter(Base, source=Source.ENTRIES):
    """A counter without gaps. The counter grows in the transaction that uses the number."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]


class Sealed(Base, source=Source.ENTRIES):
    """A personal text, encrypted with its own data key. ``wrapped_key`` is null after the text was erased."""

    __tablename__ = "sealed"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerIdentity(Base, source=Source.ENTRIES):
    """The digest of the ledger (protocol §1) that this database belongs to; the table has one row."""

    __tablename__ = "ledger_identity"
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    created_at: Mapped[int]


class Batch(Base, source=Source.ENTRIES):
    """A contiguous range of entries; its state is ``closed``, then ``anchored``, or ``lost`` after a loss of data.

    ``issuer`` is the number of the party whose log has the batch. ``issuer`` and the columns after it are null until
    the batch is anchored.
    """

    __tablename__ = "batch"
    __table_args__ = (waiting_index("ix_batch_closed", "number", "state = 'closed'"),)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seq: Mapped[int] = mapped_column(unique=True)
    size: Mapped[int]
    root: Mapped[str] = mapped_column(Hex32)
    state: Mapped[str] = mapped_column(String(16))
    closed_at: Mapped[int]
    issuer: Mapped[int | None]
    at: Mapped[int | None]
    tx_hash: Mapped[str | None] = mapped_column(Hex32)
    block_number: Mapped[int | None]
    gas_used: Mapped[int | None]


class Entry(Base, source=Source.ENTRIES):
    """One entry of the log. ``body`` is its canonical JSON, ``leaf`` its leaf hash, ``digest`` its statement digest.

    If the entry is a withdrawal, ``about`` is the withdrawn statement (its digest); otherwise ``about`` is null.
    """

    __tablename__ = "entry"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(32))
    leaf: Mapped[str] = mapped_column(Hex32, unique=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    about: Mapped[str | None] = mapped_column(Hex32, index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    batch: Mapped[int | None] = mapped_column(ForeignKey("batch.number"), index=True)
    created_at: Mapped[int]
