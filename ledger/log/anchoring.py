"""Closing batches and anchoring them: at a size or an age, one transaction each, resumable at any point."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import update

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import anchor
from ledger.chain.sending.client import ChainClient
from ledger.domain.days import Clock
from ledger.errors import ChainRejected, Conflict, PingzhengError
from ledger.log.coherence import Coherence, anchor_of, forked
from ledger.log.paused import is_pause, paused
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Batch
from ledger.wallet.private_file import write_private

log = structlog.get_logger()

FAILURE: Final = "anchoring.json"
COMPARE_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class BatchRule:
    """A batch closes at ``size`` entries or when its first has waited ``age`` seconds, whichever comes first."""

    size: int
    age: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """What one turn anchored, and the gas it used; ``paused_until`` is the end of the pause that stopped it, else 0."""

    batches: int = 0
    gas: int = 0
    paused_until: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why batches are not anchored: the error's code, and since when (seconds UTC)."""

    code: str
    since: int


class FailureNote:
    """The failure that lasts, kept in a file: another process is asked for it, and a restart does not end it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: Failure | None = None
        self._asked = False

    def read(self) -> Failure | None:
        """What was noted last; None if anchoring works."""
        try:
            self._known = Failure(**json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            self._known = None
        except (ValueError, TypeError):
            self._path.unlink()
            self._known = None
        self._asked = True
        return self._known

    def failed(self, code: str, now: int) -> None:
        """Anchoring fails by this; what has the same cause goes on since then."""
        before = self._known if self._asked else self.read()
        if before is not None and before.code == code:
            return
        self._known = Failure(code, now)
        # On a full disk the note is kept for as long as the process lives.
        with suppress(PingzhengError):
            write_private(self._path, json.dumps(asdict(self._known)))

    def works(self) -> None:
        """Anchoring works."""
        if (self._known if self._asked else self.read()) is not None:
            self._path.unlink(missing_ok=True)
            self._known = None


class Anchoring:
    """The one writer of anchors of an issuer's log. Safe to call again after a crash: the chain says what it holds.

    ``issuer`` is the number of the party that ``client`` sends for. ``archive`` gets each batch first; if it raises,
    the batch waits. In each turn it is called without a batch too, for what the chain alone has. Before a batch is
    sent, and from time to time, database and chain are compared.
    """

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        coherence: Coherence,
        issuer: int,
        rule: BatchRule,
        clock: Clock,
        note: FailureNote,
        archive: Callable[[Batch | None], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._coherence = coherence
        self._issuer = issuer
        self._rule = rule
        self._clock = clock
        self._note = note
        self._archive = archive
        self._turn = threading.Lock()
        self._paused_until = 0
        self._compared_at = float("-inf")

    def tick(self) -> Anchored:
        """Close what is due and anchor what is closed. During a pause closed batches wait for its end."""
        return self._take_turn(force=False)

    def flush(self) -> Anchored:
        """Like ``tick``, but what waits is due now: for a caller that must not wait for the age.

        Raises ``Conflict`` ``PARTY_PAUSED`` if a pause keeps something from being anchored.
        """
        done = self._take_turn(force=True)
        if done.paused_until:
            raise paused(done.paused_until)
        return done

    def failure(self) -> Failure | None:
        """Why batches are not anchored, and since when; None if they are."""
        return self._note.read()

    def _take_turn(self, *, force: bool) -> Anchored:
        with self._turn:
            try:
                self._compare_now_and_then()
                self._close(force=force)
                done = self._anchor_closed()
                self._archive(None)
            except Exception as error:
                self._note.failed(error.code if isinstance(error, PingzhengError) else "INTERNAL", self._clock())
                raise
            self._note.works()
            return done

    def _compare_now_and_then(self) -> None:
        """Also where nothing is to be anchored, and in each turn while a finding stands. Raises ``Incoherent``."""
        due = time.monotonic() - self._compared_at >= COMPARE_SECONDS
        if due or self._database.standing is not None:
            self._coherence.require()
            self._compared_at = time.monotonic()

    def _close(self, *, force: bool) -> None:
        while True:
            now = self._clock()
            with self._database.read() as session:
                waiting = log_store.pending(session)
            if waiting.oldest is None:
                return
            due = waiting.count >= self._rule.size or now - waiting.oldest >= self._rule.age
            if not (due or force):
                return
            with self._database.write() as session:
                log_store.close_batch(session, self._rule.size, now)

    def _anchor_closed(self) -> Anchored:
        with self._database.read() as session:
            closed = log_store.unanchored(session)
        if closed:
            self._coherence.require()
        batches = gas = 0
        for batch in closed:
            try:
                gas += self._anchor(batch)
            except Conflict as refusal:
                if not is_pause(refusal):
                    raise
                return Anchored(batches, gas, self._waiting(len(closed) - batches, refusal.details["until"]))
            batches += 1
        return Anchored(batches, gas)

    def _waiting(self, batches: int, until: int) -> int:
        """The end of the pause, logged once: a pause lasts for days, and a turn comes several times a second."""
        if until != self._paused_until:
            log.warning("the ledger is paused, closed batches wait", batches=batches, until=until)
            self._paused_until = until
        return until

    def _anchor(self, batch: Batch) -> int:
        self._archive(batch)
        gas = 0
        if batch.number >= self._reader.batch_count(self._issuer):
            try:
                gas = self._client.send(anchor(batch.first_seq, batch.size, batch.root)).gas_used
            except (ChainRejected, Conflict) as refusal:
                # A transaction sent before a crash may have been mined since we looked.
                if refusal.code != "LOG_NOT_CONTIGUOUS":
                    raise
        anchored = anchor_of(self._reader, self._issuer, batch.number)
        if (anchored.root, anchored.first_seq, anchored.size) != (batch.root, batch.first_seq, batch.size):
            finding = forked(batch.number)
            self._database.refuse(finding)
            raise finding.refusal()
        with self._database.write() as session:
            session.execute(
                update(Batch)
                .where(Batch.number == batch.number)
                .values(
                    state="anchored",
                    issuer=anchored.issuer,
                    at=anchored.at,
                    tx_hash=anchored.tx_hash,
                    block_number=anchored.block_number,
                    gas_used=gas,
                )
            )
        log.info("batch anchored", batch=batch.number, size=batch.size, gas=gas)
        return gas
