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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

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
from ledger.errors import Conflict, NotFound
from ledger.index import tables as index
from ledger.index.follower import Follower
from ledger.proof.bundle import Bundle
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.sets import matching


@dataclass(frozen=True, slots=True)
class UsedElsewhere:
    """A use that the chain counted although nobody verified the certificate here. ``by`` is the consumer, ``at`` is in
    seconds UTC.
    """

    ordinal: int
    by: str
    at: int


class Arrived(NamedTuple):
    """A usage certificate as a consumer received it: the bundle, the certificate's number, and the nonce."""

    bundle: Bundle
    number: str
    nonce: str


class Tried(NamedTuple):
    """A use that is about to be sent: the presentation, the result of the presentation's verification, and the use's
    ordinal.
    """

    row: KnownPresentation
    found: Ended
    ordinal: int


class End(NamedTuple):
    """The outcome of a presentation, and the use that the chain counted for it, if any."""

    row: KnownPresentation
    ended: Ended
    use: CountedUse | None = None


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

    def begin(self, consumer: str, arrived: Sequence[Arrived], at: int) -> list[KnownPresentation | Conflict]:
        """Reserve the nonces of these presentations and record the presentations. If a presentation was recorded before
        and is still pending, return that record. No two of the presentations may have the same nonce.

        ``at`` is the time at which the presentations were received (seconds UTC); a pending presentation keeps its
        first time. Returns ``Conflict`` ``NONCE_REPLAYED`` for a nonce that was used before. If the same presentation
        used the nonce, the error contains the result.
        """
        try:
            return self._begin(consumer, arrived, at)
        except IntegrityError:
            # The first attempt failed because another process used one of the nonces in between. Now the record with
            # this nonce can be found.
            return self._begin(consumer, arrived, at)

    def _begin(self, consumer: str, arrived: Sequence[Arrived], at: int) -> list[KnownPresentation | Conflict]:
        fresh = {
            digest(each.nonce.encode()): Presentation(
                id=str(ULID()),
                certificate_no=each.number,
                consumer=consumer,
                nonce_digest=digest(each.nonce.encode()),
                presented=digest(canonical([each.bundle.certificate, each.bundle.position.to_dict()])),
                fields=[],
                result=PENDING,
                created_at=at,
            )
            for each in arrived
        }
        with self._database.write() as session:
            query = select(Presentation).where(Presentation.consumer == consumer)
            known = {row.nonce_digest: row for (row,) in matching(session, query, Presentation.nonce_digest, fresh)}
            session.add_all(row for nonce, row in fresh.items() if nonce not in known)
        return [
            _begun(known[nonce], row) if nonce in known else KnownPresentation.of(row) for nonce, row in fresh.items()
        ]

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
        if conflict := _conflict(known, None):
            raise conflict
        return KnownPresentation.of(known)

    def looked_at(self, row: KnownPresentation, found: Ended) -> None:
        """Record a valid presentation before the consumer signs the use, so that the subject sees who has verified the
        certificate.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if known.result == PENDING:
                found.describe(known)

    def announce(self, tried: Sequence[Tried], tx_hash: str) -> list[KnownPresentation | Conflict]:
        """Record the uses before their transaction is sent to the chain, and return the presentations' records.

        Returns ``Conflict`` ``PRESENTATION_PENDING`` for a presentation that another process continued in the meantime,
        and ``NONCE_REPLAYED`` for a presentation that has ended. If one of the two errors is returned, nothing is
        recorded.
        """
        with self._database.write() as session:
            rows = _rows(session, (each.row for each in tried))
            refused = [_conflict(rows[each.row.id], each.row) for each in tried]
            if any(refused):
                return [conflict or each.row for conflict, each in zip(refused, tried, strict=True)]
            for each in tried:
                known = rows[each.row.id]
                known.ordinal, known.tx_hash = each.ordinal, tx_hash
                each.found.describe(known)
            return [KnownPresentation.of(rows[each.row.id]) for each in tried]

    def end(self, ends: Sequence[End]) -> list[KnownPresentation | Conflict]:
        """Record the outcomes of presentations and return the records. Another process may already have recorded the
        same outcome.

        Returns the errors of ``announce`` for presentations that cannot be recorded; all other outcomes are recorded.
        """
        with self._database.write() as session:
            rows = _rows(session, (each.row for each in ends))
            answers, ended = list[KnownPresentation | Conflict](), list[tuple[Presentation, CountedUse | None]]()
            for each in ends:
                known, use = rows[each.row.id], each.use
                if use is not None and (known.result, known.tx_hash) == (VALID, use.tx_hash):
                    answers.append(KnownPresentation.of(known))
                    continue
                if conflict := _conflict(known, each.row if use is None else None):
                    answers.append(conflict)
                    continue
                if use is not None:
                    known.ordinal, known.tx_hash = use.ordinal, use.tx_hash
                if _leaves_nothing(session, known, each.ended):
                    session.delete(known)
                    answers.append(replace(each.row, result=each.ended.result))
                    continue
                known.result = each.ended.result
                each.ended.describe(known)
                ended.append((known, use))
                answers.append(KnownPresentation.of(known))
            self._log(session, ended)
            return answers

    def add(self, number: str, consumer: str, ended: Ended) -> None:
        """Record that a certificate was verified without a use. If the certificate is not genuine, nothing is
        stored.
        """
        row = Presentation(id=str(ULID()), certificate_no=number, consumer=consumer, created_at=self._clock())
        if ended.place is None:
            return
        with self._database.write() as session:
            if not _recorded_today(session, row, ended):
                row.result = ended.result
                ended.describe(row)
                session.add(row)
                self._log(session, [(row, None)])

    def _log(self, session: Session, ended: Sequence[tuple[Presentation, CountedUse | None]]) -> None:
        """Append the outcomes to the log, if this installation keeps a log and issued the certificates."""
        kept = [(row, use) for row, use in ended if row.batch is not None]
        if not self._keeps_log or not kept:
            return
        numbers = (row.certificate_no for row, _ in kept)
        query = select(Certificate.certificate_no, Certificate.digest)
        digests = {row[0]: row[1] for row in matching(session, query, Certificate.certificate_no, numbers)}
        now, ledger = self._clock(), self._reader.chain.ledger
        entries = [
            entry
            for row, use in kept
            if row.certificate_no in digests
            for entry in entries_of_end(row, digests[row.certificate_no], use, ledger, now)
        ]
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


def _begun(known: Presentation, again: Presentation) -> KnownPresentation | Conflict:
    """Return the record of the presentation ``known``, which took the nonce, if ``again`` is the same presentation and
    ``known`` is pending.
    """
    same = known.presented == again.presented
    if not same or known.result != PENDING:
        return replayed(KnownPresentation.of(known) if same else None)
    return KnownPresentation.of(known)


def _rows(session: Session, wanted: Iterable[KnownPresentation]) -> dict[str, Presentation]:
    rows = matching(session, select(Presentation), Presentation.id, (each.id for each in wanted))
    return {row.id: row for (row,) in rows}


def _conflict(known: Presentation, before: KnownPresentation | None) -> Conflict | None:
    """Return the error if the presentation ``known`` has ended, or if another process has continued it since ``before``
    was read.
    """
    if known.result != PENDING:
        return replayed(KnownPresentation.of(known))
    return None if before is None or known.tx_hash == before.tx_hash else under_way()


def _leaves_nothing(session: Session, row: Presentation, ended: Ended) -> bool:
    """Return whether to delete the row. It is deleted if the certificate is not genuine, or if the row's party is not
    the certificate's consumer and already has a record of the certificate today.

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
