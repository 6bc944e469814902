"""Record who used a subject's data: every reading, presentation and use, and every disclosure for a case.

A reading request does not write to the database itself: readings are collected in memory and stored together about once
a second. A crash loses at most the readings of the last second. When the ledger is closed, the rest is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, insert, literal, null, select, union_all
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.tables import Certificate, Disclosure, Presentation
from ledger.certificates.verification.presentation_ends import PENDING
from ledger.certificates.verification.seen_certificates import genuine
from ledger.domain.days import Clock
from ledger.parties.access.callers import Caller
from ledger.parties.roles import Actor
from ledger.proof.bundle import Bundle
from ledger.proof.sdjwt import parse_certificate
from ledger.provenance.tables import Reading
from ledger.store.database import Database

# If this many records of readings (about 1 MB) wait in memory, the request that adds one more stores them itself.
MAX_WAITING: Final = 10_000
_LINE: Final = ("id", "at", "by", "certificate_no", "how", "fields", "result", "case", "ordinal")


class How(StrEnum):
    """How data was read: as a bundle, as bundles for a wallet, or as an answer that its provider read again."""

    BUNDLE = "bundle"
    WALLET = "wallet"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class RecordedReading:
    """One line of the list "who used my data". ``how`` is a value of ``How``, or ``verified``, ``used`` or ``case``.

    ``at`` is seconds UTC; ``result`` is the verifier's result; ``case`` is the number of a supervisor's case.
    """

    id: str
    at: int
    by: str
    certificate_no: str | None
    how: str
    fields: tuple[str, ...]
    result: str | None
    case: str | None


class Readings:
    """Collects readings, stores them, and returns them to the subject. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def note(
        self, by: Caller | Actor, how: How, certificate_no: str | None, subject: str, fields: Iterable[str]
    ) -> None:
        """Record that ``by`` receives these fields of a certificate, or of an answer for which no certificate was
        issued yet."""
        row = {
            "subject": subject,
            "by": by.party,
            "certificate_no": certificate_no,
            "how": how.value,
            "fields": sorted(fields),
            "created_at": self._clock(),
        }
        with self._lock:
            self._waiting.append(row)
            full = len(self._waiting) >= MAX_WAITING
        if full:
            self.flush()

    def of_bundle(self, by: Caller | Actor, how: How, bundle: Bundle) -> None:
        """Record that ``by`` receives a bundle; nothing is recorded if the bundle discloses no field."""
        parts = parse_certificate(bundle.certificate)
        if parts.disclosures:
            claims = parts.claims
            self.note(by, how, claims["certificate_no"], claims["sub"], (item.name for item in parts.disclosures))

    def flush(self) -> int:
        """Store the collected readings in one insert, and return their number.

        After an error, the readings stay in memory and the next call stores them.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return 0
        try:
            with self._database.write() as session:
                # Each reading gets its id when it is stored, so that the ids are in order, and somebody who pages by id
                # misses no reading.
                session.execute(insert(Reading), [{"id": str(ULID()), **row} for row in waiting])
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise
        return len(waiting)

    def page(self, subject: str, after: str | None, limit: int) -> list[RecordedReading]:
        """Return a page of the readings, verifications, uses and disclosures of a subject's data, sorted by id."""
        with self._database.read() as session:
            return _page(session, subject, after, limit)


def _lines(table: type[Reading | Presentation | Disclosure], **columns: Any) -> Select[Any]:
    """Select the columns ``_LINE`` from a table; a column that is not given is null."""
    known = {"id": table.id, "at": table.created_at, "certificate_no": table.certificate_no} | columns
    return select(*(known.get(name, null()).label(name) for name in _LINE))


def _page(session: Session, subject: str, after: str | None, limit: int) -> list[RecordedReading]:
    own = select(Certificate.certificate_no).where(Certificate.subject == subject)
    read = _lines(Reading, how=Reading.how, by=Reading.by, fields=Reading.fields)
    opened = _lines(Disclosure, how=literal("case"), by=Disclosure.by, case=Disclosure.case)
    presented = _lines(
        Presentation,
        how=literal("verified"),
        by=Presentation.consumer,
        fields=Presentation.fields,
        result=Presentation.result,
        ordinal=Presentation.ordinal,
    )
    everything = union_all(
        read.where(Reading.subject == subject),
        presented.where(Presentation.certificate_no.in_(own), Presentation.result != PENDING, genuine()),
        opened.where(Disclosure.certificate_no.in_(own)),
    ).subquery()
    query = select(everything).order_by(everything.c.id).limit(limit)
    if after is not None:
        query = query.where(everything.c.id > after)
    return [_shown(row) for row in session.execute(query)]


def _shown(row: Any) -> RecordedReading:
    used = row.how == "verified" and row.result == "valid" and row.ordinal is not None
    how = "used" if used else row.how
    return RecordedReading(
        row.id, row.at, row.by, row.certificate_no, how, tuple(row.fields or ()), row.result, row.case
    )
