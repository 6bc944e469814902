"""What is known of the verifications of a certificate: for its subject, and for whoever asks what came of its own.

A presentation takes its nonce for good before anything else happens, and is ``pending`` until its end is known. Where
we keep the log, its end is an entry too, together with the use that it spent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.chain.reader import ChainReader
from ledger.domain.canonical import canonical, digest
from ledger.domain.entries import presentation_entry, use_entry
from ledger.errors import Conflict, NotFound
from ledger.index import tables as index
from ledger.index.follower import Follower
from ledger.proof.bundle import Bundle, Position
from ledger.service.positions import positions
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Certificate, Presentation

PENDING = "pending"
VALID = "valid"
LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Use:
    """A use that the chain counted: the how-manieth, the transaction, and the gas of counting it."""

    ordinal: int
    tx_hash: str
    gas: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a verification ended: the verifier's word, the fields disclosed, where the certificate stands if genuine."""

    result: str
    fields: tuple[str, ...] = ()
    place: Position | None = None


@dataclass(frozen=True, slots=True)
class UsedElsewhere:
    """A use that the chain counted and no verification here explains; ``by`` is a party id, ``at`` seconds UTC."""

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
        clock: Callable[[], int],
        *,
        keeps_log: bool,
    ) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower
        self._clock = clock
        self._keeps_log = keeps_log

    def begin(self, bundle: Bundle, number: str, consumer: str, nonce: str) -> Presentation:
        """Take the nonce for this presentation, or go on with the same one that has not ended.

        Raises ``Conflict`` ``NONCE_REPLAYED``, with what came of it if it was this very presentation.
        """
        fresh = Presentation(
            id=str(ULID()),
            certificate_no=number,
            consumer=consumer,
            nonce_digest=digest(nonce.encode()),
            presented=digest(canonical([bundle.certificate, bundle.position.to_dict()])),
            fields=[],
            result=PENDING,
            created_at=self._clock(),
        )
        try:
            with self._database.write() as session:
                session.add(fresh)
        except IntegrityError:
            return self._begun(fresh)
        return fresh

    def _begun(self, again: Presentation) -> Presentation:
        with self._database.read() as session:
            known = session.scalars(select(Presentation).where(Presentation.nonce_digest == again.nonce_digest)).one()
        same = (known.consumer, known.presented) == (again.consumer, again.presented)
        if not same or known.result != PENDING:
            raise _replayed(known if same else None)
        return known

    def announce(self, row: Presentation, tried: Ended, ordinal: int, tx_hash: str) -> None:
        """Record the use that is about to be tried.

        Raises ``Conflict`` ``PRESENTATION_PENDING`` if another process went on with the presentation meanwhile, and
        ``NONCE_REPLAYED`` if it has ended.
        """
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if known.result != PENDING:
                raise _replayed(known)
            if known.tx_hash != row.tx_hash:
                raise under_way()
            known.ordinal, known.tx_hash = ordinal, tx_hash
            _describe(known, tried)
        row.tx_hash = tx_hash

    def end(self, row: Presentation, ended: Ended, use: Use | None = None) -> None:
        """Record how a presentation ended, unless another process found out the same; raises as ``announce``."""
        with self._database.write() as session:
            known = session.get_one(Presentation, row.id)
            if use is not None and (known.result, known.tx_hash) == (VALID, use.tx_hash):
                return
            if known.result != PENDING:
                raise _replayed(known)
            if use is not None:
                known.ordinal, known.tx_hash = use.ordinal, use.tx_hash
            elif known.tx_hash != row.tx_hash:
                raise under_way()
            self._ended(session, known, ended, use)

    def add(self, number: str, consumer: str, ended: Ended) -> None:
        """Record that a certificate was looked at, without a use."""
        row = Presentation(id=str(ULID()), certificate_no=number, consumer=consumer, created_at=self._clock())
        with self._database.write() as session:
            self._ended(session, row, ended, None)
            session.add(row)

    def _ended(self, session: Session, row: Presentation, ended: Ended, use: Use | None) -> None:
        row.result = ended.result
        _describe(row, ended)
        known = session.get(Certificate, row.certificate_no) if self._keeps_log else None
        if known is None:
            return
        now = self._clock()
        entries = [_presentation(row, known.leaf, now), *([_use(row, known.leaf, use, now)] if use else ())]
        log_store.append(session, [log_store.NewEntry(entry["type"], canonical(entry)) for entry in entries], now)

    def pending(self) -> list[Presentation]:
        """Presentations whose end is not known, the oldest first."""
        with self._database.read() as session:
            query = select(Presentation).where(Presentation.result == PENDING)
            return list(session.scalars(query.order_by(Presentation.created_at, Presentation.id)))

    def page(self, number: str, after: str | None, limit: int) -> list[Presentation]:
        """Verifications of a certificate by id; raises ``NotFound`` if nothing is known of it here."""
        query = select(Presentation).where(Presentation.certificate_no == number)
        if after:
            query = query.where(Presentation.id > after)
        with self._database.read() as session:
            found = list(session.scalars(query.order_by(Presentation.id).limit(limit)))
            if not found and after is None and session.get(Certificate, number) is None:
                raise _unknown()
        return found

    def elsewhere(self, number: str) -> list[UsedElsewhere]:
        """Uses of a certificate that were recorded by others than this installation; raises ``NotFound``."""
        with self._database.read() as session:
            place = place_of(session, number)
            query = select(Presentation.ordinal).where(
                Presentation.certificate_no == number, Presentation.result == VALID
            )
            ours: Sequence[int | None] = session.scalars(query).all()
        if place is None:
            return []
        self._follower.sync()
        uses = (
            select(index.USES.c.ordinal, index.USES.c.by, index.USES.c.at)
            .where(index.USES.c.batch == place.batch, index.USES.c.index == place.index)
            .order_by(index.USES.c.ordinal)
        )
        with self._database.engine.connect() as connection:
            counted = connection.execute(uses).all()
        return [
            UsedElsewhere(use.ordinal, self._reader.party_id(use.by), use.at)
            for use in counted
            if use.ordinal not in ours
        ]


def place_of(session: Session, number: str) -> Position | None:
    """Where a certificate stands, issued here or verified here, once it is anchored; raises ``NotFound``."""
    known = session.get(Certificate, number)
    if known is not None:
        return positions(session, [known.leaf]).get(known.leaf)
    seen = session.scalars(
        select(Presentation)
        .where(Presentation.certificate_no == number)
        .order_by(Presentation.batch.is_(None))
        .limit(1)
    ).first()
    if seen is None:
        raise _unknown()
    return None if seen.batch is None or seen.index is None else Position(seen.batch, seen.index)


def under_way() -> Conflict:
    """The presentation is being worked on."""
    return Conflict(
        "PRESENTATION_PENDING",
        "This presentation is being verified, or its use waits for its block.",
        hint="Send the same presentation again in a moment: it is used once at most.",
    )


def _describe(row: Presentation, ended: Ended) -> None:
    row.fields = list(ended.fields)
    if ended.place is not None:
        row.batch, row.index = ended.place.batch, ended.place.index


def _presentation(row: Presentation, leaf: str, now: int) -> dict[str, Any]:
    return presentation_entry(
        id=row.id,
        certificate=f"sha-256:{leaf}",
        consumer=row.consumer,
        fields=row.fields,
        nonce_digest=row.nonce_digest,
        result=row.result,
        iat=now,
    )


def _use(row: Presentation, leaf: str, use: Use, now: int) -> dict[str, Any]:
    return use_entry(
        id=str(ULID()),
        certificate=f"sha-256:{leaf}",
        consumer=row.consumer,
        ordinal=use.ordinal,
        result=row.result,
        iat=now,
    )


def _replayed(known: Presentation | None) -> Conflict:
    told: dict[str, Any] = {}
    if known is not None:
        told = {"result": known.result, "ordinal": known.ordinal, "at": known.created_at}
    return Conflict(
        "NONCE_REPLAYED",
        "This nonce was used before.",
        hint="Ask the holder to present again with a fresh nonce.",
        **told,
    )


def _unknown() -> NotFound:
    return NotFound(
        "CERTIFICATE_UNKNOWN",
        "No certificate of that number was issued or verified here.",
        hint="Check every digit of the number.",
    )
