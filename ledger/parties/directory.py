"""Institutions by their names: to find one as people call it, and to show in lists who is meant.

An institution's name and USCC are public. They are sealed here all the same, so all names are opened to find one.
Persons are neither found nor shown by theirs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, NotFound
from ledger.parties.register import identity
from ledger.parties.tables import Party
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.tables import Sealed

_SHOWN: Final = 5
# What SQLite takes in one query, with room to spare.
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution as people know it."""

    party: str
    name: str
    uscc: str


class Directory:
    """The names of institutions; what was erased is not among them."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def named(self, name: str) -> Institution:
        """The institution of that name, however its characters are typed.

        Raises ``NotFound`` ``PARTY_UNKNOWN``, ``Conflict`` ``PARTY_NAME_AMBIGUOUS`` with the ids.
        """
        wanted = _plain(name)
        with self._database.read() as session:
            found = [each for each in self._opened(session, None) if _plain(each.name) == wanted]
        if not found:
            raise NotFound(
                "PARTY_UNKNOWN",
                "No such party.",
                where="party",
                hint="Give its id, its USCC, or its whole name: `pingzheng party list`.",
            )
        if len(found) > 1:
            raise Conflict(
                "PARTY_NAME_AMBIGUOUS",
                f"{len(found)} institutions have that name.",
                where="party",
                hint=f"Name it by its USCC, or by its id: {', '.join(each.party for each in found[:_SHOWN])}.",
            )
        return found[0]

    def of(self, parties: Iterable[str]) -> dict[str, Institution]:
        """Those of the parties that are institutions, by id."""
        wanted = list(dict.fromkeys(parties))
        with self._database.read() as session:
            return {
                each.party: each
                for start in range(0, len(wanted), _CHUNK)
                for each in self._opened(session, wanted[start : start + _CHUNK])
            }

    def _opened(self, session: Session, parties: list[str] | None) -> Iterator[Institution]:
        query = (
            select(Party)
            .join(Sealed, Sealed.id == Party.sealed_id)
            .where(Party.kind != PartyKind.PERSON.value, Sealed.wrapped_key.is_not(None))
            .order_by(Party.id)
        )
        if parties is not None:
            query = query.where(Party.id.in_(parties))
        for row in session.scalars(query).all():
            told = identity(session, self._sealer, row)
            yield Institution(row.id, told["name"], told["identifier"])


def _plain(name: str) -> str:
    """Without what people type in one way or the other: width of characters, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
