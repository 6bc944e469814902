"""Tables of parties, their keys, registration lists, mandates and appointments of chief data officers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from ledger.errors import Conflict
from ledger.store.tables import Base, Hex32, KeyText, Source, Ulid

Code = String(64)
Digest = String(80)


def had(value: str | None, party: str) -> str:
    """Return the party's key or account; raises ``Conflict`` ``PARTY_WITHOUT_KEY`` if ``value`` is None."""
    if value is None:
        raise Conflict(
            "PARTY_WITHOUT_KEY",
            "The party never had a key.",
            where=f"party {party}",
            hint="Let an authority or an admin issue an enrolment code; the party submits its first key with the code.",
        )
    return value


class Party(Base, source=Source.DATED, erased_with="id"):
    """A party. Its name and identifier are stored encrypted; ``lookup`` is a keyed digest of the identifier.

    The party acts with ``account`` and ``public_key``; each of its keys has a ``PartyKey`` row. If the party never had
    a key, ``present_account`` and ``present_key`` are null, and ``account`` and ``public_key`` raise. ``roles`` are the
    roles requested at onboarding; what the party may do follows from its roles on the chain. ``listed`` is the act hash
    of the list with which the party was proposed, null for a founding party.
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
        """The account that the party acts with; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_account, self.id)

    @property
    def public_key(self) -> str:
        """The key that the party acts with, as text (protocol §4); raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_key, self.id)


class PartyList(Base, source=Source.DATED):
    """A list of parties proposed for registration; the chain stores only the list's hash, ``act``.

    ``registrations`` has an object for each party: ``id``, ``roles`` (names) and ``keys``, each with ``public_key`` and
    ``proof``.
    """

    __tablename__ = "party_list"
    act: Mapped[str] = mapped_column(Hex32, primary_key=True)
    registrations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(index=True)


class PartyKey(Base, source=Source.ENTRIES):
    """A present, former or proposed key of a party; old signatures are still verified with former keys.

    The times were read from the chain at the last update; ``bound_at`` is null until the account is bound on the chain.
    ``public_key`` is the key as text (protocol §4). ``proof`` is its proof of possession in hex, null for a founding
    key.
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


class Mandate(Base, source=Source.DATED):
    """A broker may submit the principal's applications for ``created_at ≤ t < valid_to``; the principal signs them."""

    __tablename__ = "mandate"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    principal: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    broker: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    valid_to: Mapped[int]
    created_at: Mapped[int] = mapped_column(index=True)


class CdoAppointment(Base, source=Source.BACKUP):
    """The appointment of a department's chief data officer. If a department has several rows, the newest appointment
    that has not ended is valid.
    """

    __tablename__ = "cdo_appointment"
    department: Mapped[str] = mapped_column(ForeignKey("party.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cdo: Mapped[str] = mapped_column(ForeignKey("party.id"))
    appointed_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]
    ended_at: Mapped[int | None]
