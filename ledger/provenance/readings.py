"""Who used a subject's data: every reading of it, its presentations and uses, and what was opened for a case.

Who reads writes nothing: readings wait in memory and are written together, within about a second. A crash loses those
of the last second at most; closing the ledger writes what waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import insert, literal, null, select, union_all
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

# About 100 MB would be a million: far below, readers write themselves what they read.
MAX_WAITING: Final = 10_000


class How(StrEnum):
    """By which way the data was read: a bundle, bundles for a wallet, a provider's answer."""

    BUNDLE = "bundle"
    WALLET = "wallet"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class RecordedReading:
    """One line of "who used my data". ``how`` is one of ``How``, or ``verified``, ``used`` or ``case``.

    ``at`` is seconds UTC; ``result`` is a verifier's word; ``case`` the number of the case that it was opened for.
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
    """Queues readings, writes them, and shows them to the subject. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def note(
        self, by: Caller | Actor, how: How, certificate_no: str | None, subject: str, fields: Iterable[str]
    ) -> None:
        """Record that ``by`` is given these fields of a certificate, or of an answer that none came of yet."""
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
        """Record that ``by`` is given a bundle, if it discloses anything about its subject."""
        parts = parse_certificate(bundle.certificate)
        if parts.disclosures:
            claims = parts.claims
            self.note(by, how, claims["certificate_no"], claims["sub"], (item.name for item in parts.disclosures))

    def flush(self) -> int:
        """Write what waits, in one insert; returns how many. What could not be written waits on."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return 0
        try:
            with self._database.write() as session:
                # Numbered as they are written: who pages on misses none.
                session.execute(insert(Reading), [{"id": str(ULID()), **row} for row in waiting])
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise
        return len(waiting)

    def page(self, subject: str, after: str | None, limit: int) -> list[RecordedReading]:
        """What was read, presented, used and opened of a subject's data, the earliest first, by id."""
        with self._database.read() as session:
            return _page(session, subject, after, limit)


def _page(session: Session, subject: str, after: str | None, limit: int) -> list[RecordedReading]:
    own = select(Certificate.certificate_no).where(Certificate.subject == subject)
    read = select(
        Reading.id,
        Reading.created_at.label("at"),
        Reading.by.label("by"),
        Reading.certificate_no,
        Reading.how.label("how"),
        Reading.fields.label("fields"),
        null().label("result"),
        null().label("case"),
        null().label("ordinal"),
    ).where(Reading.subject == subject)
    presented = select(
        Presentation.id,
        Presentation.created_at,
        Presentation.consumer,
        Presentation.certificate_no,
        literal("verified"),
        Presentation.fields,
        Presentation.result,
        null(),
        Presentation.ordinal,
    ).where(Presentation.certificate_no.in_(own), Presentation.result != PENDING, genuine())
    opened = select(
        Disclosure.id,
        Disclosure.created_at,
        Disclosure.by,
        Disclosure.certificate_no,
        literal("case"),
        null(),
        null(),
        Disclosure.case,
        null(),
    ).where(Disclosure.certificate_no.in_(own))
    everything = union_all(read, presented, opened).subquery()
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
