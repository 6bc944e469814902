"""Record verifications of certificates. A certificate's subject can see all verifications; a consumer sees only its
own.

The first step of a presentation is to reserve its nonce; a consumer can use each nonce once. The presentation is
``pending`` until its outcome is known. The operator's installation also appends the outcome, and the use if one was
counted, to the log.

Only verifications of genuine certificates (checks 1 to 6) are kept and shown to the subject, because anybody can write
a certificate's number into a forged bundle. A party that is not the certificate's consumer leaves at most one record a
day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.tables import Certificate, Presentation
from ledger.certificates.verification.known_presentation import KnownPresentation, replayed, under_way
from ledger.certificates.verification.presentation_ends import LAPSED, PENDING, VALID, CountedUse, Ended, entries_of_end
from ledger.certificates.verification.seen_certificates import certificate_not_seen, counter_of, genuine
from ledger.chain.reading.reader import ChainReader
from ledger.domain.canonical import canonical, digest
from ledger.domain.days import DAY, Clock
from ledger.errors import NotFound
from ledger.index import tables as index
from ledger.index.follower import Follower
from ledger.proof.bundle import Bundle
from ledger.store import log as log_store
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class UsedElsewhere:
    """A use that the chain counted although nobody verified the certificate here. ``by`` is the consumer, ``at`` is in
    seconds UTC.
    """

    ordinal: int
    by: str
    at: int


@dataclass(eq=False, repr=False)
class Presentations:
    """Stores verifications.

    If ``keeps_log`` is true, the outcome is also appended to the log, for certificates that were issued here.
    """

    _database: Database
    _reader: ChainReader
    _follower: Follower
    _clock: Clock
    _keeps_log: bool

    def begin(self, bundle: Bundle, number: str, consumer: str, nonce: str, at: int) -> KnownPresentation:
        """Reserve the nonce for this presentation and record the presentation. If the same presentation is still
        pending, return its record.

        ``at`` is the time at which the presentation was received (seconds UTC); a pending presentation keeps its first
        time. Raises ``Conflict`` ``NONCE_REPLAYED`` if the nonce was used before. If the same presentation used the
        nonce, the error contains the result.
        """
        fresh = Presentation(
            id=str(ULID()),
            certificate_no=number,
            consumer=consumer,
            nonce_digest=digest(nonce.encode()),
            presented=digest(canonical([bundle.certificate, bundle.position.to_dict()])),
            fields=[],
            result=PENDING,
            created_at=at,
        )
        try:
            with self._database.write() as session:
                session.add(fresh)
        except IntegrityError:
            return self._begun(fresh)
        return KnownPresentation.of(fresh)

    def _begun(self, again: Presentation) -> KnownPresentation:
        with self._database.read() as session:
            query = select(Presentation).where(Presentation.consumer == again.consumer)
            known = session.scalars(query.where(Presentation.nonce_digest == again.nonce_digest)).one()
        same = known.presented == again.presented
        if not same or known.result != PENDING:
            raise replayed(KnownPresentation.of(known) if same else None)
        return KnownPresentation.of(known)

    def resume(self, identifier: str, consumer: str) -> KnownPresentation:
        """Return this consumer's pending presentation.

        Raises ``NotFound`` ``PRESENTATION_UNKNOWN``. Raises ``Conflict`` ``NONCE_REPLAYED`` if the presentation has
        ended; the error contains the result.
        """
        with self._database.read() as session:
            known = session.get(Presentation, identifier)
        if known is None or known.consumer != consumer or known.nonce_digest is None:
            raise NotFound(
                "PRESENTATION_UNKNOWN",
                "No presentation with this id was made to this party.",
                where=identifier,
                hint="Check the id: the answer with the use to sign contains it.",
            )
        return _still_pending(known)

    def looked_at(self, row: KnownPresentation, found: Ended) -> None:
        """Record a valid presentation before the consumer signs the use, so that the subject sees who has verified the
        certificate.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if known.result == PENDING:
                found.describe(known)

    def announce(self, row: KnownPresentation, tried: Ended, ordinal: int, tx_hash: str) -> KnownPresentation:
        """Record the use before it is sent to the chain, and return the presentation's record.

        Raises ``Conflict`` ``PRESENTATION_PENDING`` if another process continued the presentation in the meantime, and
        ``NONCE_REPLAYED`` if it has ended.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if _still_pending(known).tx_hash != row.tx_hash:
                raise under_way()
            known.ordinal, known.tx_hash = ordinal, tx_hash
            tried.describe(known)
            return KnownPresentation.of(known)

    def end(self, row: KnownPresentation, ended: Ended, use: CountedUse | None = None) -> KnownPresentation:
        """Record the outcome of a presentation and return the record. Another process may already have recorded the
        same outcome.

        Raises the errors of ``announce``.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if use is not None and (known.result, known.tx_hash) == (VALID, use.tx_hash):
                return KnownPresentation.of(known)
            _still_pending(known)
            if use is not None:
                known.ordinal, known.tx_hash = use.ordinal, use.tx_hash
            elif known.tx_hash != row.tx_hash:
                raise under_way()
            if _leaves_nothing(session, known, ended):
                session.delete(known)
                return replace(row, result=ended.result)
            self._ended(session, known, ended, use)
            return KnownPresentation.of(known)

    def add(self, number: str, consumer: str, ended: Ended) -> None:
        """Record that a certificate was verified without a use. If the certificate is not genuine, nothing is
        stored.
        """
        row = Presentation(id=str(ULID()), certificate_no=number, consumer=consumer, created_at=self._clock())
        if ended.place is None:
            return
        with self._database.write() as session:
            if not _recorded_today(session, row, ended):
                self._ended(session, row, ended, None)
                session.add(row)

    def _ended(self, session: Session, row: Presentation, ended: Ended, use: CountedUse | None) -> None:
        row.result = ended.result
        ended.describe(row)
        known = session.get(Certificate, row.certificate_no) if self._keeps_log else None
        if known is None or row.batch is None:
            return
        now, ledger = self._clock(), self._reader.chain.ledger
        entries = entries_of_end(row, known, use, ledger, now)
        log_store.append(session, [log_store.NewEntry.of(entry) for entry in entries], now)

    def pending(self) -> list[KnownPresentation]:
        """Return the pending presentations, the oldest first."""
        with self._database.read() as session:
            query = select(Presentation).where(Presentation.result == PENDING)
            rows = session.scalars(query.order_by(Presentation.created_at, Presentation.id))
            return [KnownPresentation.of(row) for row in rows]

    def page(self, number: str, after: str | None, limit: int) -> list[KnownPresentation]:
        """Return a page of a certificate's verifications, sorted by id. Raises ``NotFound`` if the certificate is
        unknown.
        """
        query = select(Presentation).where(Presentation.certificate_no == number, genuine())
        if after:
            query = query.where(Presentation.id > after)
        with self._database.read() as session:
            rows = session.scalars(query.order_by(Presentation.id).limit(limit))
            found = [KnownPresentation.of(row) for row in rows]
            if not found and after is None and session.get(Certificate, number) is None:
                raise certificate_not_seen()
        return found

    def elsewhere(self, number: str) -> list[UsedElsewhere]:
        """Return the uses of the certificate's request that the chain counted, but for which no verification is
        recorded here.

        Raises ``NotFound``.
        """
        with self._database.read() as session:
            counter = counter_of(session, number)
            if counter is None:
                return []
            consumer, request = counter
            query = select(Presentation.ordinal).where(
                Presentation.consumer == consumer, Presentation.request == request, Presentation.result == VALID
            )
            ours = session.scalars(query).all()
        self._follower.sync()
        uses = (
            select(index.USES.c.ordinal, index.USES.c.at)
            .where(index.USES.c.consumer == self._reader.party_no(consumer), index.USES.c.request == request)
            .order_by(index.USES.c.ordinal)
        )
        with self._database.engine.connect() as connection:
            counted = connection.execute(uses).all()
        return [UsedElsewhere(use.ordinal, consumer, use.at) for use in counted if use.ordinal not in ours]


def _still_pending(known: Presentation) -> KnownPresentation:
    if known.result != PENDING:
        raise replayed(KnownPresentation.of(known))
    return KnownPresentation.of(known)


def _leaves_nothing(session: Session, row: Presentation, ended: Ended) -> bool:
    """Return whether to delete the row. It is deleted if the certificate is not genuine, or if a party other than its
    consumer already has a record today.

    The row of a presentation that lapsed before it was verified is kept, because its nonce must stay used.
    """
    if row.tx_hash is not None or ended.result == LAPSED:
        return False
    return ended.place is None or _recorded_today(session, row, ended)


def _recorded_today(session: Session, row: Presentation, ended: Ended) -> bool:
    """Return whether the row's party is not the certificate's consumer and already has a record of the certificate
    today (UTC).
    """
    if ended.consumer == row.consumer:
        return False
    day = row.created_at - row.created_at % DAY
    query = select(Presentation.id).where(
        Presentation.certificate_no == row.certificate_no,
        Presentation.consumer == row.consumer,
        genuine(),
        Presentation.created_at.between(day, day + DAY - 1),
    )
    return session.scalar(query.limit(1)) is not None
