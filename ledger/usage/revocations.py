"""Revocation of many certificates in one call, for example after a source turned out to be compromised.

Positions and states are read for all certificates at once. One transaction changes one status word. On the chain, such
a word stores the states of 128 neighbouring leaves of a batch. The call returns an answer for each certificate. An
interrupted call can be repeated with the same numbers: certificates that are revoked already are skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ledger.certificates.status import ENDED
from ledger.certificates.tables import Certificate
from ledger.chain.contracts.names import code_of_reason
from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainRejected, Conflict, Forbidden, InvalidInput, PingzhengError
from ledger.index.follower import Follower
from ledger.index.tables import STATUSES
from ledger.log.anchoring import Anchoring
from ledger.log.paused import waiting_for_its_end
from ledger.log.positions import NOT_ANCHORED_YET
from ledger.store.database import Database
from ledger.store.tables import Batch, Entry
from ledger.usage.holdings import search

MAX_REVOCATIONS: Final = 10_000
_ALREADY: Final = "LOG_ALREADY_REVOKED"
# The maximum number of certificate numbers in one query; SQLite limits the number of parameters.
_CHUNK: Final = 5_000
# The maximum number of attempts for one status word (leaves that one transaction revokes together). If another call
# revoked one of the leaves meanwhile, the transaction fails, and the remaining leaves are sent again.
_TRIES: Final = 3
# These errors concern only one transaction, so the next transaction is still sent. After any other error nothing more
# is sent.
_REFUSALS: Final = (ChainRejected, Conflict, Forbidden, InvalidInput)


class Outcome(StrEnum):
    """The outcome for a certificate: this call revoked it, it was revoked or superseded before the call, or it was not
    revoked.
    """

    REVOKED = "revoked"
    ENDED_BEFORE = "ended_before"
    NOT_REVOKED = "not_revoked"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome for one certificate; ``code`` says why the certificate was not revoked, ``tx_hash`` names the
    transaction.
    """

    number: str
    outcome: Outcome
    code: str | None = None
    tx_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """The answers for the certificates of one transaction, and the transaction's gas. The first portion has the
    certificates that need no transaction.
    """

    answers: tuple[Answer, ...]
    gas: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    number: str
    batch: int | None
    index: int
    ended: bool


class Revocations:
    """Revokes certificates that this installation issued; ``client`` uses the issuer's account."""

    def __init__(self, database: Database, client: ChainClient, follower: Follower, anchoring: Anchoring) -> None:
        self._database = database
        self._client = client
        self._follower = follower
        self._anchoring = anchoring

    def unknown(self, numbers: Sequence[str]) -> set[str]:
        """Return the given numbers that belong to no certificate of this ledger."""
        with self._database.read() as session:
            known = {
                number
                for chunk in _chunks(numbers)
                for number in session.scalars(
                    select(Certificate.certificate_no).where(Certificate.certificate_no.in_(chunk))
                )
            }
        return set(numbers) - known

    def resting_on(self, provider: str, numbers: Sequence[str]) -> set[str]:
        """Return the numbers of the certificates that rest on data supplied by the provider."""
        with self._database.read() as session:
            return {
                number
                for chunk in _chunks(numbers)
                for number, supplier in session.execute(search.providers(list(chunk)))
                if supplier == provider
            }

    def revoke(self, numbers: Sequence[str], reason: str) -> Iterator[Portion]:
        """Revoke the certificates, one transaction after the other; a number that is given twice counts once.

        Raises ``InvalidInput`` ``REASON_UNKNOWN``, and any error before the first transaction is sent; later errors are
        in the answers.
        """
        code_of_reason(reason)
        wanted = list(dict.fromkeys(numbers))
        places = self._places(wanted)
        yield Portion(tuple(answer for number in wanted if (answer := _unsent(number, places.get(number)))))
        yield from self._send(_by_word(places.values()), reason)

    def _send(self, words: Sequence[Sequence[_Place]], reason: str) -> Iterator[Portion]:
        for turn, word in enumerate(words):
            try:
                portion = self._revoke_word(word, reason)
            except PingzhengError as failure:
                if isinstance(failure, _REFUSALS):
                    portion = _failed(word, failure.code)
                elif turn == 0:
                    raise
                else:
                    yield from (_failed(left, failure.code) for left in words[turn:])
                    return
            yield portion

    def _revoke_word(self, word: Sequence[_Place], reason: str) -> Portion:
        left, before = list(word), list[Answer]()
        for attempt in range(_TRIES):
            try:
                call = calls.revoke_many(word[0].batch or 0, [place.index for place in left], reason)
                receipt = self._client.send(call)
            except Conflict as refusal:
                if refusal.code != _ALREADY or attempt == _TRIES - 1:
                    raise
                now = self._places([place.number for place in left])
                before += [_before(place) for place in left if now[place.number].ended]
                left = [place for place in left if not now[place.number].ended]
                if not left:
                    return Portion(tuple(before))
                continue
            done = [Answer(place.number, Outcome.REVOKED, tx_hash=receipt.tx_hash) for place in left]
            return Portion((*before, *done), receipt.gas_used)
        raise AssertionError("the last attempt returns or raises")

    def _places(self, numbers: Sequence[str]) -> dict[str, _Place]:
        """Return positions and states of the certificates; certificates that are not anchored yet are
        anchored first.
        """
        self._follower.sync()
        found = self._read(numbers)
        if any(place.batch is None for place in found.values()):
            with waiting_for_its_end():
                self._anchoring.flush()
            self._follower.sync()
            found = self._read(numbers)
        return found

    def _read(self, numbers: Sequence[str]) -> dict[str, _Place]:
        found: dict[str, _Place] = {}
        with self._database.read() as session:
            for chunk in _chunks(numbers):
                found |= {place.number: place for place in _read(session, chunk)}
        return found


def revoked_at_once(portions: Iterator[Portion], progress: Callable[[int], None] = lambda _: None) -> Portion:
    """Run the whole revocation, and return every answer and the total gas."""
    answers, gas = list[Answer](), 0
    for portion in portions:
        answers += portion.answers
        gas += portion.gas
        progress(len(portion.answers))
    return Portion(tuple(answers), gas)


def _read(session: Session, numbers: Sequence[str]) -> Iterator[_Place]:
    index = Entry.seq - Batch.first_seq
    ended = (
        exists()
        .where(
            STATUSES.c.issuer == Batch.issuer,
            STATUSES.c.batch == Batch.number,
            STATUSES.c.index == index,
            STATUSES.c.status.in_(ENDED),
        )
        .correlate(Batch, Entry)
    )
    query = (
        select(Certificate.certificate_no, Batch.number, index, Batch.issuer, ended)
        .join(Entry, Entry.digest == Certificate.digest)
        .outerjoin(Batch, Batch.number == Entry.batch)
        .where(Certificate.certificate_no.in_(numbers))
    )
    for number, batch, place, issuer, over in session.execute(query):
        yield _Place(number, None if issuer is None else batch, place or 0, bool(over))


def _by_word(places: Iterable[_Place]) -> list[list[_Place]]:
    """Return the certificates to revoke, sorted and grouped by batch and status word (the states of 128 neighbouring
    leaves of a batch).
    """
    words: dict[tuple[int, int], list[_Place]] = defaultdict(list)
    for place in places:
        if place.batch is not None and not place.ended:
            words[place.batch, place.index // LEAVES_PER_WORD].append(place)
    return [words[each] for each in sorted(words)]


def _unsent(number: str, place: _Place | None) -> Answer | None:
    """Return the answer for a certificate that needs no transaction, or None if the certificate needs a transaction."""
    if place is None:
        return Answer(number, Outcome.NOT_REVOKED, "CERTIFICATE_UNKNOWN")
    if place.ended:
        return _before(place)
    return Answer(number, Outcome.NOT_REVOKED, NOT_ANCHORED_YET) if place.batch is None else None


def _before(place: _Place) -> Answer:
    return Answer(place.number, Outcome.ENDED_BEFORE, _ALREADY)


def _failed(word: Sequence[_Place], code: str) -> Portion:
    return Portion(tuple(Answer(place.number, Outcome.NOT_REVOKED, code) for place in word))


def _chunks(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), _CHUNK):
        yield numbers[start : start + _CHUNK]
