"""Finds institutions by name, and returns their names for lists.

An institution's name and USCC are public, but are stored encrypted, like a person's name and ID number. To find an
institution by its name, the names of all institutions must be decrypted. Names of persons are neither searched nor
shown.
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
# The maximum number of party ids in one query; SQLite limits the number of parameters.
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution's party id, name and USCC."""

    party: str
    name: str
    uscc: str


class Directory:
    """The institutions whose names are not erased."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def named(self, name: str) -> Institution:
        """Return the institution with this name. Differences in character width, case and blanks are ignored.

        Raises ``NotFound`` ``PARTY_UNKNOWN``; ``Conflict`` ``PARTY_NAME_AMBIGUOUS``, with the ids of the institutions
        found.
        """
        wanted = _plain(name)
        with self._database.read() as session:
            found = [each for each in self._opened(session, None) if _plain(each.name) == wanted]
        if not found:
            raise NotFound(
                "PARTY_UNKNOWN",
                "There is no such party.",
                where="party",
                hint="Give the party's id, USCC or full name: see `pingzheng party list`.",
            )
        if len(found) > 1:
            raise Conflict(
                "PARTY_NAME_AMBIGUOUS",
                f"{len(found)} institutions have this name.",
                where="party",
                hint=f"Give the USCC, or one of these ids: {', '.join(each.party for each in found[:_SHOWN])}.",
            )
        return found[0]

    def of(self, parties: Iterable[str]) -> dict[str, Institution]:
        """Return a map from party id to institution. Ids of parties that are no institutions are left out."""
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
            opened = identity(session, self._sealer, row)
            yield Institution(row.id, opened["name"], opened["identifier"])


def _plain(name: str) -> str:
    """Return the name without differences in character width, case and blanks, for comparing names."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
