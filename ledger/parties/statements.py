"""Accepts signed statements, after the checks that statements of every type need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.days import Clock
from ledger.domain.entries import unsigned_body, validate_entry
from ledger.errors import BadBundle, Conflict, Forbidden, InvalidInput
from ledger.parties.known import KnownKey
from ledger.parties.lookups import speaking_keys
from ledger.parties.tables import PartyKey
from ledger.proof.jws import entry_signature
from ledger.store import log as log_store
from ledger.store.log import NewEntry
from ledger.store.sets import matching

MAX_CLOCK_SKEW: Final = 300


class Recorded(Protocol):
    """A database row that belongs to a statement and holds the statement's digest."""

    id: Any

    @property
    def digest(self) -> str: ...


R = TypeVar("R", bound=Recorded)
KeysOf = Callable[[Session, str], Sequence[PartyKey]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A signed statement, with what the checks and the log need: its bytes and its digest, which are computed once.

    ``unsigned`` is the canonical JSON that was signed, ``digest`` its digest (protocol §2, hex), and ``logged`` is the
    entry to append to the log.
    """

    entry: Mapping[str, Any]
    unsigned: bytes
    digest: str
    logged: NewEntry

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Statement:
        """Compute the parts of a statement whose form was checked."""
        unsigned = unsigned_body(entry)
        digest = sha256(unsigned).hexdigest()
        return cls(entry, unsigned, digest, NewEntry.of(entry, digest))

    def signed_with(self, keys: Iterable[PartyKey | KnownKey]) -> bool:
        """Return whether one of the keys, of any suite, signed the statement.

        Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
        """
        try:
            signature = entry_signature(self.entry, self.unsigned)
        except BadBundle:
            return False
        return any(signature.kid == key.account and signature.signed_by(key.public_key) for key in keys)


class Intake:
    """Accepts signed statements. Call ``require``, ``require_signed``, ``known`` and ``append`` in this order.

    Between these calls each use case checks its own rules. ``ledger`` is the digest of the ledger.
    """

    def __init__(self, ledger: str, clock: Clock) -> None:
        self.ledger = ledger
        self._clock = clock

    def require_all(self, entries: Iterable[Mapping[str, Any]], kind: str) -> list[Statement]:
        """Return the statements of a set. Raises the error of ``require`` for the first entry that fails.

        An error names the entry by ``kind`` and its place in the set, for example ``authorization 1``.
        """
        now = self._clock()
        return [self._required(entry, kind, f"{kind} {number}", now) for number, entry in enumerate(entries, start=1)]

    def require(self, entry: Mapping[str, Any], kind: str, where: str) -> Statement:
        """Return the statement in ``entry``. Raises ``InvalidInput`` unless the entry has the type ``kind``, is for
        this ledger, and was not signed in the future.

        Codes: those of ``validate_entry``, ``ENTRY_TYPE``, ``LEDGER_DIFFERS``, ``SIGNED_IN_FUTURE``.
        """
        return self._required(entry, kind, where, self._clock())

    def _required(self, entry: Mapping[str, Any], kind: str, where: str, now: int) -> Statement:
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
        if max(entry["iat"], entry.get("queried_at", 0)) > now + MAX_CLOCK_SKEW:
            raise InvalidInput(
                "SIGNED_IN_FUTURE",
                "The time of signing or of the query in the statement is in the future.",
                where=where,
                hint="Correct the clock of the signing machine.",
            )
        return Statement.of(entry)

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
        session: Session, table: type[R], statements: Iterable[Statement], taken: Callable[[str], Conflict]
    ) -> dict[str, R]:
        """Return the rows of those statements that are recorded already, by statement id.

        Raises ``taken(id)`` if two different statements, recorded or in ``statements``, have the same id.
        """
        given: dict[str, str] = {}
        for statement in statements:
            if given.setdefault(statement.entry["id"], statement.digest) != statement.digest:
                raise taken(statement.entry["id"])
        rows: dict[str, R] = {row[0].id: row[0] for row in matching(session, select(table), table.id, given)}
        for identifier, row in rows.items():
            if row.digest != given[identifier]:
                raise taken(identifier)
        return rows

    def append(self, session: Session, entry: Mapping[str, Any]) -> str:
        """Append the entry to the log unless the log already has it. Return the entry's statement digest (hex)."""
        logged = NewEntry.of(entry)
        self.append_all(session, [logged])
        return logged.digest

    def append_all(self, session: Session, entries: Iterable[NewEntry]) -> None:
        """Append those entries that the log does not have yet, in the given order."""
        log_store.append_new(session, entries, self._clock())


def signed_by(session: Session, entry: Mapping[str, Any], party: str, keys: KeysOf = speaking_keys) -> bool:
    """Return whether one of the party's keys, of any suite, signed the entry.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    return Statement.of(entry).signed_with(keys(session, party))
