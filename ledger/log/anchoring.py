"""Close a batch when it is full or old enough, and anchor each batch in one transaction.

The chain says which batches are anchored, so the work continues correctly after a crash.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
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
    """A batch is closed at ``size`` entries, or when its first entry has waited ``age`` seconds."""

    size: int
    age: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """The number of batches that one call of ``tick`` or ``flush`` anchored, and the gas used.

    ``paused_until`` is the end of a pause that stopped the call (seconds UTC), else 0.
    """

    batches: int = 0
    gas: int = 0
    paused_until: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why batches are not anchored: an error code, and since when (seconds UTC)."""

    code: str
    since: int


class FailureNote:
    """Keeps the present failure of anchoring in a file, so that other processes and a restarted process can read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: Failure | None = None
        self._asked = False

    def read(self) -> Failure | None:
        """Return the present failure; None if anchoring works. A damaged file is deleted."""
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
        """Record that anchoring fails with this code.

        If anchoring already failed with the same code, the time of the first failure is kept.
        """
        before = self._known if self._asked else self.read()
        if before is not None and before.code == code:
            return
        self._known = Failure(code, now)
        # If the disk is full, the failure cannot be written, and other processes do not learn of it.
        with suppress(PingzhengError):
            write_private(self._path, json.dumps(asdict(self._known)))

    def works(self) -> None:
        """Record that anchoring works again: delete the failure."""
        if (self._known if self._asked else self.read()) is not None:
            self._path.unlink(missing_ok=True)
            self._known = None


@dataclass(eq=False, repr=False)
class Anchoring:
    """Anchors the batches of one issuer's log; no other code may do this. The methods ask the chain which batches are
    anchored, so they can be called again after a crash.

    ``issuer`` is the number of the party for which ``client`` sends transactions. ``archive`` receives each batch
    before the batch is sent; if ``archive`` raises, the batch waits. ``archive`` is also called without a batch, to
    archive acts that only the chain has. Before a batch is sent, and every ``COMPARE_SECONDS``, the database is
    compared with the chain.
    """

    _database: Database
    _client: ChainClient
    _reader: ChainReader
    _coherence: Coherence
    _issuer: int
    _rule: BatchRule
    _clock: Clock
    _note: FailureNote
    _archive: Callable[[Batch | None], None] = lambda _: None
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _paused_until: int = field(default=0, init=False)
    _compared_at: float = field(default=float("-inf"), init=False)

    def tick(self) -> Anchored:
        """Close the batches that are full or old enough, and anchor all closed batches.

        During a pause closed batches wait.
        """
        return self._take_turn(force=False)

    def flush(self) -> Anchored:
        """Close the open batch now, whatever its size and age, and anchor all closed batches.

        Raises ``Conflict`` ``PARTY_PAUSED`` if a pause stops the anchoring.
        """
        done = self._take_turn(force=True)
        if done.paused_until:
            raise paused(done.paused_until)
        return done

    def failure(self) -> Failure | None:
        """Return the reason why batches are not anchored, and since when; None if anchoring works."""
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
        """Compare the database with the chain if ``COMPARE_SECONDS`` have passed, or while an earlier finding stops
        writing.

        Raises ``Incoherent``.
        """
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
        """Return the end of the pause.

        The time is written to the program's log only once, because ``tick`` runs several times a second.
        """
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
                # After LOG_NOT_CONTIGUOUS the batch may be anchored all the same: a transaction that was sent before a
                # crash may have entered a block only now.
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
