"""What is known of the verifications of a certificate: for its subject, and for whoever asks what came of its own.

A presentation takes its nonce before anything else happens, among those of its consumer, and is ``pending`` until its
end is known. Where we keep the log, its end is an entry too, together with the use that it spent.

Only what was found genuine (checks 1 to 6) is told to the subject, and stays: anybody can write a certificate's number
into junk. Who is not the consumer of a certificate leaves one record of it a day, however often it tries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.lookups import request_of
from ledger.certificates.tables import Certificate, Presentation
from ledger.chain.reading.reader import ChainReader
from ledger.domain.canonical import canonical, digest
from ledger.domain.codes import check_certificate_no
from ledger.domain.days import DAY, Clock
from ledger.domain.digests import reference
from ledger.domain.entries import presentation_entry, use_entry
from ledger.errors import BadBundle, Conflict, InvalidInput, NotFound
from ledger.index import tables as index
from ledger.index.follower import Follower
from ledger.log.positions import positions
from ledger.proof.bundle import Bundle, Position, parse_bundle
from ledger.proof.checks.classes import class_of
from ledger.proof.facts_needed import facts_needed
from ledger.proof.report import Report
from ledger.proof.sdjwt import parse_certificate
from ledger.store import log as log_store
from ledger.store.database import Database

PENDING = "pending"
VALID = "valid"
LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Use:
    """A use that the chain counted: its ordinal (from 1), the transaction, and the gas of counting it."""

    ordinal: int
    tx_hash: str
    gas: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a verification ended: the verifier's word and the fields disclosed; of a genuine certificate also where it
    stands, and the consumer (id) and the request (statement digest) under which its uses are counted."""

    result: str
    fields: tuple[str, ...] = ()
    place: Position | None = None
    consumer: str | None = None
    request: str | None = None

    @classmethod
    def of(cls, report: Report, bundle: Bundle) -> Ended:
        """By the verifier's report on a usage certificate."""
        fields = tuple(sorted(report.disclosed))
        if not report.genuine:
            return cls(report.result, fields)
        counter = facts_needed(bundle).uses
        return cls(report.result, fields, bundle.position, *(counter or (None, None)))

    @classmethod
    def as_announced(cls, row: Presentation) -> Ended:
        """As it was found before its use was sent: valid."""
        return cls(VALID, tuple(row.fields))


@dataclass(frozen=True, slots=True)
class UsedElsewhere:
    """A use that the chain counted and no verification here explains; ``by`` is the consumer, ``at`` seconds UTC."""

    ordinal: int
    by: str
    at: int


class Presentations:
    """Keeps verifications. ``keeps_log``: their ends are entries of the log as well, if it holds the certificate."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        follower: Follower,
        clock: Clock,
        *,
        keeps_log: bool,
    ) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower
        self._clock = clock
        self._keeps_log = keeps_log

    def begin(self, bundle: Bundle, number: str, consumer: str, nonce: str, at: int) -> Presentation:
        """Take the nonce for this presentation, or go on with the same one that has not ended.

        ``at`` is when it was received (seconds UTC); of one that goes on, the first receipt stays. Raises ``Conflict``
        ``NONCE_REPLAYED``, with what came of it if it was this very presentation.
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
        return fresh

    def _begun(self, again: Presentation) -> Presentation:
        with self._database.read() as session:
            query = select(Presentation).where(Presentation.consumer == again.consumer)
            known = session.scalars(query.where(Presentation.nonce_digest == again.nonce_digest)).one()
        same = known.presented == again.presented
        if not same or known.result != PENDING:
            raise replayed(known if same else None)
        return known

    def resume(self, identifier: str, consumer: str) -> Presentation:
        """A presentation of the consumer that has not ended.

        Raises ``NotFound`` ``PRESENTATION_UNKNOWN``, ``Conflict`` ``NONCE_REPLAYED`` with what came of it.
        """
        with self._database.read() as session:
            known = session.get(Presentation, identifier)
        if known is None or known.consumer != consumer or known.nonce_digest is None:
            raise NotFound(
                "PRESENTATION_UNKNOWN",
                "No such presentation was made to this party.",
                where=identifier,
                hint="Check the id: it comes with the use to sign.",
            )
        if known.result != PENDING:
            raise replayed(known)
        return known

    def looked_at(self, row: Presentation, found: Ended) -> None:
        """Record that a presentation whose use is not signed yet is of a genuine certificate: its subject is told."""
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if known.result == PENDING:
                _describe(known, found)

    def announce(self, row: Presentation, tried: Ended, ordinal: int, tx_hash: str) -> None:
        """Record the use that is about to be tried.

        Raises ``Conflict`` ``PRESENTATION_PENDING`` if another process went on with the presentation meanwhile, and
        ``NONCE_REPLAYED`` if it has ended.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if known.result != PENDING:
                raise replayed(known)
            if known.tx_hash != row.tx_hash:
                raise under_way()
            for each in (known, row):
                each.ordinal, each.tx_hash = ordinal, tx_hash
                _describe(each, tried)

    def end(self, row: Presentation, ended: Ended, use: Use | None = None) -> None:
        """Record how a presentation ended, unless another process found out the same; raises as ``announce``."""
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if use is not None and (known.result, known.tx_hash) == (VALID, use.tx_hash):
                return
            if known.result != PENDING:
                raise replayed(known)
            if use is not None:
                known.ordinal, known.tx_hash = use.ordinal, use.tx_hash
            elif known.tx_hash != row.tx_hash:
                raise under_way()
            if _leaves_nothing(session, known, ended):
                session.delete(known)
                row.result = ended.result
                return
            self._ended(session, known, ended, use)
        row.result, row.ordinal = known.result, known.ordinal

    def add(self, number: str, consumer: str, ended: Ended) -> None:
        """Record that a genuine certificate was looked at, without a use."""
        row = Presentation(id=str(ULID()), certificate_no=number, consumer=consumer, created_at=self._clock())
        if ended.place is None:
            return
        with self._database.write() as session:
            if not _told_today(session, row, ended):
                self._ended(session, row, ended, None)
                session.add(row)

    def _ended(self, session: Session, row: Presentation, ended: Ended, use: Use | None) -> None:
        row.result = ended.result
        _describe(row, ended)
        known = session.get(Certificate, row.certificate_no) if self._keeps_log else None
        if known is None or row.batch is None:
            return
        now, ledger = self._clock(), self._reader.chain.ledger
        entries = [_presentation(row, known, ledger, now)]
        if use is not None:
            entries.append(_use(row, known, use, ledger, now))
        log_store.append(session, [log_store.NewEntry(entry["type"], canonical(entry)) for entry in entries], now)

    def pending(self) -> list[Presentation]:
        """Presentations whose end is not known, the oldest first."""
        with self._database.read() as session:
            query = select(Presentation).where(Presentation.result == PENDING)
            return list(session.scalars(query.order_by(Presentation.created_at, Presentation.id)))

    def page(self, number: str, after: str | None, limit: int) -> list[Presentation]:
        """Verifications of a certificate by id; raises ``NotFound`` if nothing is known of it here."""
        query = select(Presentation).where(Presentation.certificate_no == number, genuine())
        if after:
            query = query.where(Presentation.id > after)
        with self._database.read() as session:
            found = list(session.scalars(query.order_by(Presentation.id).limit(limit)))
            if not found and after is None and session.get(Certificate, number) is None:
                raise _unknown()
        return found

    def elsewhere(self, number: str) -> list[UsedElsewhere]:
        """Uses of a certificate's consumer under its request that no verification here explains: the consumer had them
        counted otherwise. Raises ``NotFound``."""
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


def usage_of(raw: bytes) -> tuple[Bundle, str] | None:
    """A usage certificate's bundle and number, genuine or not; None where there is no subject to record it for."""
    try:
        bundle = parse_bundle(raw)
        claims = parse_certificate(bundle.certificate).claims
        number = claims.get("certificate_no")
        cls = class_of(claims)
        if cls is None or not cls.used_up or not isinstance(number, str):
            return None
        return bundle, check_certificate_no(number)
    except (BadBundle, InvalidInput):
        return None


def place_of(session: Session, number: str) -> Position | None:
    """Where a certificate stands, issued here or verified here, once it is anchored; raises ``NotFound``."""
    known = session.get(Certificate, number)
    if known is not None:
        return positions(session, [known.digest]).get(known.digest)
    seen = _seen(session, number)
    if seen.issuer is None or seen.batch is None or seen.index is None:
        return None
    return Position(seen.issuer, seen.batch, seen.index)


def counter_of(session: Session, number: str) -> tuple[str, str] | None:
    """Consumer (id) and request (statement digest) under which a certificate's uses are counted, if it is used up.

    Of one that was verified here and issued elsewhere, the consumer is the one that verified. Raises ``NotFound``.
    """
    known = session.get(Certificate, number)
    if known is None:
        seen = _seen(session, number)
        return None if seen.request is None else (seen.consumer, seen.request)
    request = request_of(session, known)
    return None if request is None or known.consumer is None else (known.consumer, request)


def _seen(session: Session, number: str) -> Presentation:
    """A verification that found the certificate genuine."""
    query = select(Presentation).where(Presentation.certificate_no == number, genuine())
    seen = session.scalars(query.order_by(Presentation.id).limit(1)).first()
    if seen is None:
        raise _unknown()
    return seen


def genuine() -> ColumnElement[bool]:
    """Presentations of what was found genuine."""
    return Presentation.batch.is_not(None)


def _leaves_nothing(session: Session, row: Presentation, ended: Ended) -> bool:
    """Whether a presentation goes without a trace: of junk, and of a stranger who left one of the certificate today.

    One that lapsed before anybody looked at it keeps its nonce, and is told to nobody.
    """
    if row.tx_hash is not None or ended.result == LAPSED:
        return False
    return ended.place is None or _told_today(session, row, ended)


def _told_today(session: Session, row: Presentation, ended: Ended) -> bool:
    """Whether another than the consumer left a record of the certificate today."""
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


def under_way() -> Conflict:
    """The presentation is being worked on."""
    return Conflict(
        "PRESENTATION_PENDING",
        "This presentation is being verified, or its use waits for its block.",
        hint="Send the same presentation again in a moment: it is used once at most.",
    )


def replayed(known: Presentation | None) -> Conflict:
    """The nonce is taken; ``known`` is the presentation that took it, if it is the asker's own."""
    about: dict[str, Any] = {}
    if known is not None:
        about = {"result": known.result, "ordinal": known.ordinal, "at": known.created_at}
    return Conflict(
        "NONCE_REPLAYED",
        "This nonce was used before.",
        hint="Ask the holder to present again with a fresh nonce.",
        **about,
    )


def _describe(row: Presentation, ended: Ended) -> None:
    row.fields = list(ended.fields)
    if ended.place is not None:
        row.issuer, row.batch, row.index = ended.place.issuer, ended.place.batch, ended.place.index
        row.request = ended.request


def _presentation(row: Presentation, known: Certificate, ledger: str, now: int) -> dict[str, Any]:
    return presentation_entry(
        ledger=ledger,
        id=row.id,
        certificate=reference(known.digest),
        consumer=row.consumer,
        fields=row.fields,
        nonce_digest=row.nonce_digest,
        result=row.result,
        iat=now,
    )


def _use(row: Presentation, known: Certificate, use: Use, ledger: str, now: int) -> dict[str, Any]:
    return use_entry(
        ledger=ledger,
        id=str(ULID()),
        certificate=reference(known.digest),
        request=reference(str(row.request)),
        consumer=row.consumer,
        ordinal=use.ordinal,
        result=row.result,
        iat=now,
    )


def _unknown() -> NotFound:
    return NotFound(
        "CERTIFICATE_UNKNOWN",
        "No certificate of that number was issued or verified here.",
        hint="Check every digit of the number.",
    )
