"""Tables of sessions, machine keys and enrolment codes. Only SHA-256 digests of secrets are stored."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid

Account = String(42)


class SignInNonce(Base, source=Source.NOWHERE):
    """A nonce with which a party can sign in; the row is deleted when the nonce is used.

    ``source`` is a digest of the address that asked for the nonce; with this digest the number of nonces of one address
    is limited.
    """

    __tablename__ = "sign_in_nonce"
    __table_args__ = (Index("ix_sign_in_nonce_source", "source", "expires_at"),)
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32)
    source: Mapped[str] = mapped_column(Hex32)
    expires_at: Mapped[int] = mapped_column(index=True)


class SignedIn(Base, source=Source.NOWHERE):
    """A session that a party opened with one of its accounts; the row is deleted when the session ends.

    If ``cookie`` is true, the token is valid only in the cookie. ``party_id`` is not a foreign key, because a joined
    installation has no ``Party`` rows.
    """

    __tablename__ = "signed_in"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32, index=True)
    account: Mapped[str] = mapped_column(Account)
    token_digest: Mapped[str] = mapped_column(Hex32, unique=True)
    cookie: Mapped[bool]
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class ApiKey(Base, source=Source.NOWHERE):
    """A machine key of a party. ``account`` is the account that made the key; when that account is no longer active,
    the key is invalid.

    The row is deleted when the key is revoked. ``last_used`` is a day, in days since 1970 (UTC).
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


class Enrolment(Base, source=Source.NOWHERE):
    """A one-time code with which a party submits its first key; the row is deleted when the code is used."""

    __tablename__ = "enrolment"
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), primary_key=True)
    code_digest: Mapped[str] = mapped_column(Hex32, unique=True)
    issued_by: Mapped[str] = mapped_column(Hex32)
    created_at: Mapped[int]
    expires_at: Mapped[int]
