"""Who is signed in, keys for machines, enrolment codes. Of secrets only SHA-256 digests are kept."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Ulid

Account = String(42)


class SignInNonce(Base):
    """A nonce that was given out for a party to sign in with; it goes when it is used.

    ``source`` is a digest of the address that asked: it bounds how many one source has.
    """

    __tablename__ = "sign_in_nonce"
    __table_args__ = (Index("ix_sign_in_nonce_source", "source", "expires_at"),)
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32)
    source: Mapped[str] = mapped_column(Hex32)
    expires_at: Mapped[int] = mapped_column(index=True)


class SignedIn(Base):
    """A session of a party, by one of its accounts; ``cookie``: it works by the cookie alone. It goes when it ends.

    A joined installation knows no ``Party``, but its own party by its id on the chain.
    """

    __tablename__ = "signed_in"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32, index=True)
    account: Mapped[str] = mapped_column(Account)
    token_digest: Mapped[str] = mapped_column(Hex32, unique=True)
    cookie: Mapped[bool]
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class ApiKey(Base):
    """A machine's key of a party, made in a session of one of its accounts, with which it ends. It goes when revoked.

    ``last_used`` is the day, in days since 1970 (UTC).
    """

    __tablename__ = "api_key"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32, index=True)
    account: Mapped[str] = mapped_column(Account)
    name: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]]
    key_digest: Mapped[str] = mapped_column(Hex32, unique=True)
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    last_used: Mapped[int | None]


class Enrolment(Base):
    """A code by which a party that never had a key brings its first one; it goes when it is used."""

    __tablename__ = "enrolment"
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), primary_key=True)
    code_digest: Mapped[str] = mapped_column(Hex32, unique=True)
    issued_by: Mapped[str] = mapped_column(Hex32)
    created_at: Mapped[int]
    expires_at: Mapped[int]
