"""Accepts signed statements, after the checks that statements of every type need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.days import Clock
from ledger.domain.entries import statement_digest, validate_entry
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.known import KnownKey
from ledger.parties.lookups import speaking_keys
from ledger.parties.tables import PartyKey
from ledger.proof.jws import entry_signed_by
from ledger.store import log as log_store
from ledger.store.sets import matching

MAX_CLOCK_SKEW: Final = 300


class Recorded(Protocol):
    """A database row that belongs to a statement and holds the statement's digest."""

    id: Any

    @property
    def digest(self) -> str: ...


R = TypeVar("R", bound=Recorded)
KeysOf = Callable[[Session, str], Sequence[PartyKey]]


class Intake:
    """Accepts signed statements. Call ``require``, ``require_signed``, ``known`` and ``append`` in this order.

    Between these calls each use case checks its own rules. ``ledger`` is the digest of the ledger.
    """

    def __init__(self, ledger: str, clock: Clock) -> None:
        self.ledger = ledger
        self._clock = clock

    def require(self, entry: Mapping[str, Any], kind: str, where: str) -> None:
        """Raise ``InvalidInput`` unless the entry is of type ``kind``, for this ledger, and not from the future.

        Codes: those of ``validate_entry``, ``ENTRY_TYPE``, ``LEDGER_DIFFERS``, ``SIGNED_IN_FUTURE``.
        """
        validate_entry(entry)
        if entry["type"] != kind:
            raise InvalidInput(
                "ENTRY_TYPE",
                f"The entry is of type {entry['type']}, but type {kind} is expected.",
                where=where,
                hint="Sign the statement that the draft contains.",
            )
        if entry["ledger"] != self.ledger:
            raise InvalidInput(
                "LEDGER_DIFFERS",
                "The statement was signed for another ledger.",
                where=where,
                hint="Draft the statement again at this service, and sign the new draft.",
                expected=self.ledger,
                found=entry["ledger"],
            )
        if max(entry["iat"], entry.get("queried_at", 0)) > self._clock() + MAX_CLOCK_SKEW:
            raise InvalidInput(
                "SIGNED_IN_FUTURE",
                "The time of signing or of the query in the statement is in the future.",
                where=where,
                hint="Correct the clock of the signing machine.",
            )

    @staticmethod
    def require_signed(
        session: Session,
        entry: Mapping[str, Any],
        party: str,
        refusal: Forbidden,
        keys: KeysOf = speaking_keys,
    ) -> None:
        """Raise ``refusal`` unless a key of the party signed the entry. By default a reported key does not count."""
        if not signed_by(session, entry, party, keys):
            raise refusal

    @staticmethod
    def known(
        session: Session, table: type[R], entries: Iterable[Mapping[str, Any]], taken: Callable[[str], Conflict]
    ) -> dict[str, R]:
        """Return the rows of those entries that are already recorded, by the ids of the entries.

        Raises ``taken(id)`` if two different statements, recorded or in ``entries``, have the same id.
        """
        given: dict[str, str] = {}
        for entry in entries:
            if given.setdefault(entry["id"], digest := statement_digest(entry)) != digest:
                raise taken(entry["id"])
        rows: dict[str, R] = {row[0].id: row[0] for row in matching(session, select(table), table.id, given)}
        for identifier, row in rows.items():
            if row.digest != given[identifier]:
                raise taken(identifier)
        return rows

    def append(self, session: Session, entry: Mapping[str, Any]) -> str:
        """Append the entry to the log unless the log already has it. Return the entry's statement digest (hex)."""
        self.append_all(session, [entry])
        return statement_digest(entry)

    def append_all(self, session: Session, entries: Iterable[Mapping[str, Any]]) -> None:
        """Append those entries that the log does not have yet, in the given order."""
        log_store.append_new(session, entries, self._clock())


def signed_by(session: Session, entry: Mapping[str, Any], party: str, keys: KeysOf = speaking_keys) -> bool:
    """Return whether one of the party's keys, of any suite, signed the entry.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    return signed_with(entry, keys(session, party))


def signed_with(entry: Mapping[str, Any], keys: Iterable[PartyKey | KnownKey]) -> bool:
    """Return whether one of the keys, of any suite, signed the entry.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    return any(entry_signed_by(entry, key.account, key.public_key) for key in keys)
