"""Verifying for a caller: facts from the chain, the pure verifier's report, and a record for the subject.

The chain's counter is the arbiter of uses, between threads, processes and installations: a use is counted only if it
is the next one, so whoever comes second is refused and verifies again. Within a process the presentations of one
certificate take turns, so that those that cannot win spend no transaction.

A presentation is answered once. Its nonce is taken first, then the certificate is verified, then the use is announced
in the database, sent, and recorded. If that breaks off, the presentation stays pending: sent again, it goes on where
it was; and ``settle`` finds out from the chain how it ended, by the hash that was announced.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from ledger.chain.calls import record_use
from ledger.chain.client import ChainClient
from ledger.chain.facts import collect_facts
from ledger.chain.reader import ChainReader
from ledger.domain.codes import check_certificate_no
from ledger.errors import BadBundle, Conflict, InvalidInput
from ledger.proof.bundle import Bundle, Position, parse_bundle
from ledger.proof.facts import Facts
from ledger.proof.report import Report
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation, verify
from ledger.service.presentations import LAPSED, VALID, Ended, Presentations, Use, under_way
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import certificate
from ledger.store.tables import Presentation

LAPSE_SECONDS: Final = 300

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verified:
    """A report with the facts it was made from, so that it can be made again offline."""

    report: Report
    facts: Facts | None
    use: Use | None = None


class Verification:
    """What a consumer calls when it does not embed the verifier itself."""

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        presentations: Presentations,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._presentations = presentations
        self._clock = clock
        self._guard = threading.Lock()
        self._turns: WeakValueDictionary[Position, threading.Lock] = WeakValueDictionary()
        self._at_work: set[str] = set()

    def verify(self, raw: bytes, expect: Expectation, at: int | None = None) -> Verified:
        """Check a bundle against the chain, now or at a past time; never raises on a hostile bundle."""
        try:
            return self._judge(parse_bundle(raw), expect, at)
        except BadBundle:
            return Verified(verify(raw, Facts.nothing(), self._clock() if at is None else at, expect), None)

    def check(self, raw: bytes, consumer: str, nonce: str | None, at: int | None = None) -> Verified:
        """Verify for a party without using the certificate up; a usage certificate's subject is told."""
        verified = self.verify(raw, Expectation(consumer=consumer, nonce=nonce), at)
        if (presented := _usage(raw)) is not None:
            bundle, number = presented
            self._presentations.add(number, consumer, _ended(verified.report, bundle))
        return verified

    def accept(self, raw: bytes, consumer: str, nonce: str) -> Verified:
        """Verify a presentation and, if it is valid, use it: the chain's counter decides who was first.

        The verification is recorded to the subject whatever its result. A presentation that was not answered, because
        the chain was out of reach or the process ended, goes on when it is sent again. Raises ``Conflict``
        ``NONCE_REPLAYED`` for any other use of a nonce, ``PRESENTATION_PENDING`` while another thread is at it.
        """
        expect = Expectation(consumer=consumer, nonce=nonce)
        presented = _usage(raw)
        if presented is None:
            return self.verify(raw, expect)
        bundle, number = presented
        row = self._presentations.begin(bundle, number, consumer, nonce)
        with self._working_on(row) as free:
            if not free:
                raise under_way()
            if (use := self._counted(row)) is not None:
                verified, ended = self._as_it_was(bundle, expect, use), _announced(row)
            elif row.tx_hash is not None and self._client.waits(row.tx_hash):
                raise under_way()
            else:
                verified = self._use_up(row, bundle, expect)
                ended = _ended(verified.report, bundle)
            self._presentations.end(row, ended, verified.use)
        return verified

    def settle(self) -> int:
        """Find out how pending presentations ended that nobody is working on; returns how many that were.

        One whose use the chain counted is ``valid``. One that spent none lapses after a while, until which it may be
        sent again. Raises ``ChainUnavailable``.
        """
        settled = 0
        for row in self._presentations.pending():
            with self._working_on(row) as free:
                if free and (ending := self._ending(row)) is not None:
                    try:
                        self._presentations.end(row, *ending)
                    except Conflict:
                        # Another process was at it; what it recorded stands.
                        continue
                    settled += 1
        if settled:
            log.info("presentations settled", count=settled)
        return settled

    def new_nonce(self) -> str:
        """A fresh nonce for a presentation: 128 random bits."""
        return secrets.token_urlsafe(16)

    def status(self, number: str) -> dict[str, Any]:
        """The public status of a certificate by its number: state, since when, why. No payload."""
        with self._database.read() as session:
            row = certificate(session, number)
            entry = log_store.entries_by_leaf(session, [row.leaf])[row.leaf]
            batch = None if entry.batch is None else log_store.batch(session, entry.batch)
        if batch is None or batch.state != "anchored":
            return {"certificate_no": number, "state": "building"}
        seen = self._reader.status_of(batch.number, entry.seq - batch.first_seq)
        state = "expired" if seen.state == "active" and self._clock() >= row.exp else seen.state
        return {
            "certificate_no": number,
            "state": state,
            "since": seen.since,
            "reason": seen.reason,
            "block": seen.block,
            "batch": batch.number,
            "index": entry.seq - batch.first_seq,
        }

    def _judge(self, bundle: Bundle, expect: Expectation, at: int | None = None) -> Verified:
        facts = collect_facts(self._reader, bundle)
        # Now is never before the newest block: else a use that the chain has just counted would be one to come.
        moment = max(self._clock(), facts.block_time) if at is None else at
        return Verified(verify(bundle, facts, moment, expect), facts)

    def _use_up(self, row: Presentation, bundle: Bundle, expect: Expectation) -> Verified:
        """Verify and spend one use on the chain; where another use was faster, verify again."""
        with self._turn(bundle.position):
            while True:
                verified = self._judge(bundle, expect)
                if not verified.report.valid or verified.facts is None:
                    return verified
                use = self._use(row, bundle, verified.report, verified.facts.uses_of(bundle.position) + 1)
                if use is not None:
                    return replace(verified, use=use)

    def _use(self, row: Presentation, bundle: Bundle, report: Report, ordinal: int) -> Use | None:
        tried = _ended(report, bundle)
        try:
            receipt = self._client.send(
                record_use(bundle.position.batch, bundle.position.index, ordinal),
                announce=lambda tx_hash: self._presentations.announce(row, tried, ordinal, tx_hash),
            )
        except Conflict as refusal:
            if refusal.code != "LOG_USE_OUT_OF_ORDER":
                raise
            return None
        return Use(ordinal, receipt.tx_hash, receipt.gas_used)

    def _counted(self, row: Presentation) -> Use | None:
        """The use that an earlier try announced, if the chain counted it."""
        receipt = self._client.receipt(row.tx_hash) if row.tx_hash is not None else None
        if receipt is None or row.ordinal is None or not receipt.named("Used"):
            return None
        return Use(row.ordinal, receipt.tx_hash, receipt.gas_used)

    def _as_it_was(self, bundle: Bundle, expect: Expectation, use: Use) -> Verified:
        """What should have been answered: judged at the time of the use, and before it."""
        facts = collect_facts(self._reader, bundle)
        history = facts.uses.get(bundle.position, ())
        if len(history) < use.ordinal:
            # The node that was asked has not seen the block yet.
            raise under_way()
        before = replace(facts, uses={**facts.uses, bundle.position: history[: use.ordinal - 1]})
        return Verified(verify(bundle, before, history[use.ordinal - 1].at, expect), before, use)

    def _ending(self, row: Presentation) -> tuple[Ended, Use | None] | None:
        if (use := self._counted(row)) is not None:
            return _announced(row), use
        waits = row.tx_hash is not None and self._client.waits(row.tx_hash)
        if waits or self._clock() < row.created_at + LAPSE_SECONDS:
            return None
        return Ended(LAPSED), None

    @contextmanager
    def _working_on(self, row: Presentation) -> Iterator[bool]:
        """Whether no other thread of this process is at it; none begins until this one is done."""
        with self._guard:
            free = row.id not in self._at_work
            self._at_work.add(row.id)
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self._at_work.discard(row.id)

    def _turn(self, place: Position) -> threading.Lock:
        """The lock of one certificate; it is gone when nobody holds or awaits it."""
        with self._guard:
            return self._turns.setdefault(place, threading.Lock())


def _usage(raw: bytes) -> tuple[Bundle, str] | None:
    """A usage certificate's bundle and number, genuine or not; None where there is no subject to tell."""
    try:
        bundle = parse_bundle(raw)
        claims = parse_certificate(bundle.certificate).claims
        number = claims.get("certificate_no")
        if claims.get("class") != "usage" or not isinstance(number, str):
            return None
        return bundle, check_certificate_no(number)
    except (BadBundle, InvalidInput):
        return None


def _ended(report: Report, bundle: Bundle) -> Ended:
    return Ended(report.result, tuple(sorted(report.disclosed)), bundle.position if report.genuine else None)


def _announced(row: Presentation) -> Ended:
    """What was found valid before the use was sent."""
    return Ended(VALID, tuple(row.fields))
