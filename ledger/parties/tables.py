"""Tables of parties: their keys, the lists they are registered by, mandates and appointments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from ledger.errors import Conflict
from ledger.store.tables import Base, Hex32, KeyText, Ulid

Code = String(64)
Digest = String(80)


def had(value: str | None, party: str) -> str:
    """A key or an account of a party that once had one; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
    if value is None:
        raise Conflict(
            "PARTY_WITHOUT_KEY",
            "The party never had a key.",
            where=f"party {party}",
            hint="An office gives it an enrolment code, by which it brings its first key.",
        )
    return value


class Party(Base):
    """A party. Name and identifier are sealed; ``lookup`` is a keyed digest of the identifier.

    ``account`` and ``public_key`` are those it acts with now; all its keys are ``PartyKey`` rows. They raise while it
    never had a key, where ``present_account`` and ``present_key`` are null.
    ``roles`` are what it was onboarded for: asked for, and no source of permission. ``listed`` is the list that the
    party was proposed with, null for a founding party.
    """

    __tablename__ = "party"
    id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    no: Mapped[int | None] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    roles: Mapped[list[str]]
    region: Mapped[str] = mapped_column(String(16))
    present_account: Mapped[str | None] = mapped_column("account", String(42), unique=True)
    present_key: Mapped[str | None] = mapped_column("public_key", KeyText)
    lookup: Mapped[str] = mapped_column(Hex32, unique=True)
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    listed: Mapped[str | None] = mapped_column(ForeignKey("party_list.act"), index=True)
    created_at: Mapped[int] = mapped_column(index=True)

    @property
    def account(self) -> str:
        """The account that it acts by now; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_account, self.id)

    @property
    def public_key(self) -> str:
        """The key that it acts with now, as text (protocol §4); raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_key, self.id)


class PartyList(Base):
    """A list of parties that is proposed for registration, which the chain knows by the hash ``act`` alone.

    ``registrations`` has an object for each party: ``id``, ``roles`` (bits) and ``keys``, pairs of account and proof.
    """

    __tablename__ = "party_list"
    act: Mapped[str] = mapped_column(Hex32, primary_key=True)
    registrations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(index=True)


class PartyKey(Base):
    """A key that is, was, or is about to be a party's: what it signed is still verified with it.

    Times are the chain's as last read; ``bound_at`` is null while the chain has not taken the account. ``public_key``
    is the key as text (protocol §4). ``proof`` is its proof of possession in hex, null for a founding key.
    """

    __tablename__ = "party_key"
    account: Mapped[str] = mapped_column(String(42), primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    public_key: Mapped[str] = mapped_column(KeyText)
    bound_at: Mapped[int | None] = mapped_column(index=True)
    retired_at: Mapped[int | None]
    reported_at: Mapped[int | None]
    compromised_at: Mapped[int | None]
    proof: Mapped[str | None] = mapped_column(String(256))


class Mandate(Base):
    """A principal lets a broker hand in its applications while ``created_at ≤ t < valid_to``; it signs them itself."""

    __tablename__ = "mandate"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    principal: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    broker: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    valid_to: Mapped[int]
    created_at: Mapped[int] = mapped_column(index=True)


class CdoAppointment(Base):
    """Who signs for a department as its chief data officer; the newest row that has not ended is in force."""

    __tablename__ = "cdo_appointment"
    department: Mapped[str] = mapped_column(ForeignKey("party.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cdo: Mapped[str] = mapped_column(ForeignKey("party.id"))
    appointed_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]
    ended_at: Mapped[int | None]
