"""Parties and their keys as values: what the use cases hand out, after the transaction that read them is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ledger.parties.tables import Party, PartyKey, had


@dataclass(frozen=True, slots=True)
class KnownParty:
    """A party that is recorded here, without name and identifier; the members are those of the table ``Party``."""

    id: str
    no: int | None
    kind: str
    roles: tuple[str, ...]
    region: str
    present_account: str | None
    present_key: str | None
    listed: str | None

    @classmethod
    def of(cls, row: Party) -> Self:
        """The value of a row."""
        return cls(
            id=row.id,
            no=row.no,
            kind=row.kind,
            roles=tuple(row.roles),
            region=row.region,
            present_account=row.present_account,
            present_key=row.present_key,
            listed=row.listed,
        )

    @property
    def account(self) -> str:
        """The account that it acts by now; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_account, self.id)

    @property
    def public_key(self) -> str:
        """The key that it acts with now, as text (protocol §4); raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return had(self.present_key, self.id)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is, was, or is about to be a party's; the members are those of the table ``PartyKey``."""

    account: str
    public_key: str
    bound_at: int | None
    retired_at: int | None
    reported_at: int | None
    compromised_at: int | None

    @classmethod
    def of(cls, row: PartyKey) -> Self:
        """The value of a row."""
        return cls(row.account, row.public_key, row.bound_at, row.retired_at, row.reported_at, row.compromised_at)
