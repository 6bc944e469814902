"""Values that describe parties and their keys. The use cases return them instead of database rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

from sqlalchemy import Row

from ledger.parties.tables import Party, PartyKey, had


@dataclass(frozen=True, slots=True)
class KnownParty:
    """A party in the database, without its name and identifier; the members are columns of the table ``Party``."""

    id: str
    no: int | None
    kind: str
    roles: tuple[str, ...]
    region: str
    present_account: str | None
    present_key: str | None
    listed: str | None

    @classmethod
    def of(cls, row: Party | Row[Any]) -> Self:
        """Return the party of a row of ``Party``, or of a row with the columns ``KNOWN``."""
        held = (row.present_account, row.present_key)
        return cls(row.id, row.no, row.kind, tuple(row.roles), row.region, *held, row.listed)

    @property
    def account(self) -> str:
        """The account that the party acts with; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_account, self.id)

    @property
    def public_key(self) -> str:
        """The key that the party acts with, as text (protocol §4); raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_key, self.id)


KNOWN: Final = tuple(getattr(Party, each.name).label(each.name) for each in fields(KnownParty))


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A present, former or proposed key of a party; the members are columns of the table ``PartyKey``."""

    account: str
    public_key: str
    bound_at: int | None
    retired_at: int | None
    reported_at: int | None
    compromised_at: int | None

    @classmethod
    def of(cls, row: PartyKey) -> Self:
        """Return the value of a row."""
        return cls(row.account, row.public_key, row.bound_at, row.retired_at, row.reported_at, row.compromised_at)
