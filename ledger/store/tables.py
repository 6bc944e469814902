"""The tables: what the service knows beyond the chain. Digests are 64 hex digits, times are seconds UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, MetaData, String
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


class Base(DeclarativeBase):
    """Declarative base: names for constraints, portable types."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's API


class Counter(Base):
    """A gapless counter; it is raised in the transaction that uses the number."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]


class Sealed(Base):
    """Personal text under its own data key. ``wrapped_key`` is null once the text has been erased."""

    __tablename__ = "sealed"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerIdentity(Base):
    """The ledger that this database belongs to: one row, its ledger digest (protocol §1)."""

    __tablename__ = "ledger_identity"
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    created_at: Mapped[int]


class Batch(Base):
    """A contiguous range of entries: ``closed`` here, then ``anchored`` on the chain.

    ``issuer`` is the party number whose log has the batch; null until it is anchored, like what follows it.
    """

    __tablename__ = "batch"
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


class Entry(Base):
    """One entry of the log: ``body`` is the canonical JSON that the leaf hashes, ``digest`` its statement digest.

    ``about`` is the statement that a withdrawal takes back; other entries have none.
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
