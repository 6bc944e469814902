"""Closing batches and anchoring them: at a size or an age, one transaction each, resumable at any point."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import update

from ledger.chain.calls import anchor
from ledger.chain.client import ChainClient
from ledger.chain.reader import ChainReader
from ledger.errors import ChainRejected, Conflict
from ledger.service.pausing import is_pause, paused
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Batch

log = structlog.get_logger()


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


class Anchoring:
    """The one writer of anchors of an issuer's log. Safe to call again after a crash: the chain says what it holds.

    ``issuer`` is the number of the party that ``client`` sends for.
    """

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        issuer: int,
        rule: BatchRule,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._issuer = issuer
        self._rule = rule
        self._clock = clock
        self._turn = threading.Lock()
        self._paused_until = 0

    def tick(self) -> Anchored:
        """Close what is due and anchor what is closed. During a pause closed batches wait for its end."""
        with self._turn:
            self._close(force=False)
            return self._anchor_closed()

    def flush(self) -> Anchored:
        """Like ``tick``, but what waits is due now: for a caller that must not wait for the age.

        Raises ``Conflict`` ``PARTY_PAUSED`` if a pause keeps something from being anchored.
        """
        with self._turn:
            self._close(force=True)
            done = self._anchor_closed()
        if done.paused_until:
            raise paused(done.paused_until)
        return done

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
        gas = 0
        if batch.number >= self._reader.batch_count(self._issuer):
            try:
                gas = self._client.send(anchor(batch.first_seq, batch.size, batch.root)).gas_used
            except (ChainRejected, Conflict) as refusal:
                # A transaction sent before a crash may have been mined since we looked.
                if refusal.code != "LOG_NOT_CONTIGUOUS":
                    raise
        anchored = self._reader.anchored(self._issuer, batch.number)
        if anchored is None or (anchored.root, anchored.first_seq, anchored.size) != (
            batch.root,
            batch.first_seq,
            batch.size,
        ):
            raise Conflict(
                "LOG_FORKED",
                f"The issuer's log on the chain has another batch {batch.number} than this ledger.",
                where=f"batch {batch.number}",
                hint="Another installation writes to the same log, or this database is not its own. "
                "Stop issuing and compare with the chain.",
            )
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
