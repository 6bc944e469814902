"""Compare database, chain and clock with each other, because each may be older than the others.

A restored database may be older than its chain, a chain's journal may have lost its newest blocks, or a clock may have
gone back. Each of them looks correct on its own: only a comparison shows the loss. If a comparison fails (a finding),
nothing is written or sent until a later comparison succeeds. Reading continues, and answers follow the chain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.chain.reading.contract_state import AnchoredBatch
from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import Clock
from ledger.domain.findings import Finding
from ledger.errors import ChainUnavailable
from ledger.index.tables import CURSOR
from ledger.proof.bundle import Anchor
from ledger.proof.head import event_digest
from ledger.store.database import Database
from ledger.store.identity import known_ledger
from ledger.store.log import BATCH_NUMBER, ENTRY_SEQ
from ledger.store.row_damage import counter_differs
from ledger.store.tables import Batch, Counter, Entry

log = structlog.get_logger()

# How many seconds the clock may be behind the newest entry (network time may set a clock back by seconds), and behind
# the newest block (a local chain's clock may be ahead).
CLOCK_TOLERANCE: Final = 60
CHAIN_TOLERANCE: Final = 600
# How many of the newest batches each check compares; `pingzheng index check` compares all batches.
NEWEST: Final = 3
HEX_32: Final = re.compile(r"[0-9a-f]{64}")
PER_REQUEST: Final = 200
# Findings that mean that the chain lost blocks. A lost block may contain a revocation, so no status can be given.
FORGETFUL: Final = frozenset({"CHAIN_BEHIND_DATABASE", "LOG_FORKED", "LEDGER_DIFFERS"})


@dataclass(frozen=True, slots=True)
class _Known:
    """The state of the database: the number of batches, how many of them the chain must hold, the newest anchored and
    the oldest closed batches, the block that the index has reached, the time of the newest entry (seconds UTC), and
    each counter with its value and the value that the rows require."""

    ledger: str | None
    batches: int
    held: int
    anchored: list[Batch]
    closed: list[Batch]
    followed: tuple[int, str] | None
    newest_entry: int | None
    counters: dict[str, tuple[int, int]]


class Coherence:
    """Compares database, chain and clock, and makes the database read-only while they do not fit together (a finding).

    ``issuer`` is the number of the party whose log the database holds; None for an installation that has joined
    another operator's chain. ``local`` is true for the installation's own chain, which never replaces a block.
    """

    def __init__(
        self, database: Database, reader: ChainReader, issuer: int | None, clock: Clock, *, local: bool
    ) -> None:
        self._database = database
        self._reader = reader
        self._issuer = issuer
        self._clock = clock
        self._local = local

    def check(self) -> Finding | None:
        """Compare now, and return the worst finding, or None. While there is a finding, the database refuses writes.

        Raises ``ChainUnavailable``.
        """
        found = self.findings()
        before = self._database.standing
        if not found:
            self._database.allow()
            if before is not None:
                log.info("database, chain and clock fit together again", code=before.code)
            return None
        self._database.refuse(found[0])
        if before is None or before.code != found[0].code:
            log.error(
                "database, chain and clock do not fit together, nothing is written",
                code=found[0].code,
                where=found[0].where,
            )
        return found[0]

    def require(self) -> None:
        """Compare now; raises ``Incoherent`` with the code of the worst finding, and ``ChainUnavailable``."""
        self.check()
        self._database.require_writable()

    def findings(self) -> list[Finding]:
        """Return all findings (what does not fit together), the worst first; raises ``ChainUnavailable``."""
        with self._database.read() as session:
            known = self._known(session)
        found = list(self._ledger(known))
        # If the contracts belong to another ledger, no other comparison is useful.
        return found or [*self._blocks(known), *self._batches(known), *_numbers(known), *self._times(known)]

    def batches_differing(self) -> list[Finding]:
        """Return a finding for each anchored batch that the chain lacks, or that has other content on the chain.

        Raises ``ChainUnavailable``.
        """
        if self._issuer is None:
            return []
        with self._database.read() as session:
            batches = list(session.scalars(select(Batch).where(Batch.state == "anchored").order_by(Batch.number)))
        found: list[Finding] = []
        for start in range(0, len(batches), PER_REQUEST):
            asked = self._reader.batched("latest")
            chunk = batches[start : start + PER_REQUEST]
            answers = [(batch, asked.commitment(self._issuer, batch.number)) for batch in chunk]
            for batch, answer in answers:
                if (held := answer()) is None:
                    found.append(_chain_behind(batch.number, batch.number + 1))
                elif held != commitment_of(batch):
                    found.append(forked(batch.number))
        return found

    def _known(self, session: Session) -> _Known:
        batches = session.scalar(select(func.max(Batch.number)))
        held = session.scalar(select(func.max(Batch.number)).where(Batch.state != "closed"))
        newest = select(Batch).order_by(Batch.number.desc()).limit(NEWEST)
        last = select(Entry.created_at).order_by(Entry.seq.desc()).limit(1)
        return _Known(
            ledger=known_ledger(session),
            batches=0 if batches is None else batches + 1,
            held=0 if held is None else held + 1,
            anchored=list(session.scalars(newest.where(Batch.state == "anchored"))),
            closed=list(session.scalars(select(Batch).where(Batch.state == "closed").order_by(Batch.number).limit(1))),
            followed=_followed(session),
            newest_entry=session.scalar(last),
            counters=_counters(session),
        )

    def _ledger(self, known: _Known) -> Iterator[Finding]:
        ours = self._reader.deployment.ledger
        if known.ledger is not None and known.ledger != ours:
            yield Finding(
                "LEDGER_DIFFERS",
                "The database belongs to another ledger than the contracts on this chain.",
                f"ledger {ours}",
                "Restore database, deployment.json and chain from one backup of one ledger.",
                {"expected": known.ledger, "found": ours},
            )

    def _blocks(self, known: _Known) -> Iterator[Finding]:
        """Find a block that the index has read and the local chain no longer has."""
        if not self._local or known.followed is None:
            return
        number, digest = known.followed
        block = self._reader.block(number)
        if block is None or block.hash != digest:
            yield Finding(
                "CHAIN_BEHIND_DATABASE",
                f"The chain no longer holds block {number}, which this ledger has followed: newer blocks were lost.",
                f"block {number}",
                "Restore the folder chain from the newest backup. To give up the lost blocks: "
                "`pingzheng index rebuild --accept-loss`.",
                {"block": number, "chain": self._reader.block_number()},
            )

    def _batches(self, known: _Known) -> Iterator[Finding]:
        if self._issuer is None:
            return
        asked = self._reader.batched("latest")
        counted = asked.batch_count(self._issuer)
        answers = [(batch, asked.commitment(self._issuer, batch.number)) for batch in known.anchored]
        count = counted()
        if count > known.batches and count > (here := self._batches_now()):
            yield _database_behind(count, here)
        if count < known.held:
            yield _chain_behind(count, known.held)
        for batch, answer in answers:
            if batch.number < count and answer() != commitment_of(batch):
                yield forked(batch.number)
                return
        # The database still says "closed" for a batch that was anchored just before a crash; the chain must hold the
        # same batch.
        for batch in known.closed:
            if batch.number < count and self._differs(batch):
                yield forked(batch.number)

    def _batches_now(self) -> int:
        """Count the batches again after asking the chain: another process may have anchored a batch in between."""
        with self._database.read() as session:
            newest = session.scalar(select(func.max(Batch.number)))
        return 0 if newest is None else newest + 1

    def _differs(self, batch: Batch) -> bool:
        held = anchor_of(self._reader, self._issuer or 0, batch.number)
        return (held.root, held.first_seq, held.size) != (batch.root, batch.first_seq, batch.size)

    def _times(self, known: _Known) -> Iterator[Finding]:
        # A joined installation writes no entries, and takes the chain's time if its own clock is behind, so this clock
        # need not be compared.
        if self._issuer is None:
            return
        now = self._clock()
        head = self._reader.latest().time
        ahead = max((known.newest_entry or 0) - CLOCK_TOLERANCE, head - CHAIN_TOLERANCE) - now
        if ahead > 0:
            newest = max(known.newest_entry or 0, head)
            yield Finding(
                "CLOCK_WENT_BACK",
                f"The machine's clock is {newest - now} seconds behind the newest entry or block of this ledger.",
                "clock",
                f"Set the machine's clock. If it is right, raise `ahead` in chain/clock.json by {newest - now}."
                if self._local
                else "Set the machine's clock.",
                {"now": now, "newest": newest},
            )


def anchor_of(reader: ChainReader, issuer: int, number: int) -> AnchoredBatch:
    """Return the anchor of a batch that the contract counts as anchored.

    Raises ``ChainUnavailable`` ``NODE_ANSWER_INVALID`` if the node does not return the batch's event: that is a fault
    of the node, not a sign of a fork.
    """
    found = reader.anchored(issuer, number)
    if found is None:
        raise ChainUnavailable(
            "NODE_ANSWER_INVALID",
            f"The node says that this log has batch {number}, but does not return the batch's event.",
            where=reader.connection.where,
            hint="The node is not in sync, or it keeps no old events: wait, or use another node.",
        )
    return found


def require_held(reader: ChainReader, batches: Iterable[Batch]) -> None:
    """Raise ``Incoherent``: ``CHAIN_BEHIND_DATABASE`` if the chain lacks one of the batches, ``LOG_FORKED`` if one
    differs."""
    asked = reader.batched("latest")
    answers = [(batch, asked.commitment(batch.issuer or 0, batch.number)) for batch in batches]
    for batch, answer in answers:
        held = answer()
        if held is None:
            raise _chain_behind(batch.number, batch.number + 1).refusal()
        if held != commitment_of(batch):
            raise forked(batch.number).refusal()


def commitment_of(batch: Batch) -> str:
    """Return the commitment (64 hex digits) that the chain must hold for a batch; "" if the batch's root is damaged."""
    if not HEX_32.fullmatch(batch.root):
        return ""
    anchor = Anchor(
        issuer=batch.issuer or 0,
        batch=batch.number,
        first_seq=batch.first_seq,
        size=batch.size,
        root=bytes.fromhex(batch.root),
        at=batch.at or 0,
    )
    return event_digest("CertificateLog.Anchored", anchor.event_args()).hex()


def _counters(session: Session) -> dict[str, tuple[int, int]]:
    """Return each counter of the log with its value and the value that the rows require."""
    entries = session.scalar(select(func.max(Entry.seq)))
    batched = session.scalar(select(func.max(Batch.first_seq + Batch.size)))
    batches = session.scalar(select(func.max(Batch.number)))
    expected = {
        ENTRY_SEQ: max(0 if entries is None else entries + 1, batched or 0),
        BATCH_NUMBER: 0 if batches is None else batches + 1,
    }
    rows = session.execute(select(Counter.name, Counter.value).where(Counter.name.in_(expected))).all()
    values = {row.name: row.value for row in rows}
    return {name: (values.get(name, 0), number) for name, number in expected.items()}


def _numbers(known: _Known) -> Iterator[Finding]:
    """Find wrong counters. An entry or a batch that got its number from a wrong counter could never be anchored."""
    for name, (value, expected) in known.counters.items():
        if value != expected:
            yield counter_differs(name, value, expected)


def _followed(session: Session) -> tuple[int, str] | None:
    """Return the number and hash of the newest block in the index; None if the index is empty."""
    try:
        row = session.execute(select(CURSOR.c.block_number, CURSOR.c.block_hash)).first()
    except DBAPIError:
        # The query failed because the index has no tables yet: they are created when the index begins to read the
        # chain.
        session.rollback()
        return None
    return None if row is None else (row.block_number, row.block_hash)


def _database_behind(chain: int, here: int) -> Finding:
    return Finding(
        "DATABASE_BEHIND_CHAIN",
        f"The chain holds {chain} batches of this log, the database only {here}: the database is an older copy.",
        f"batch {here}",
        "Use the newest database, or run `pingzheng restore` to bring back what the archive has.",
        {"batches_on_chain": chain, "batches_here": here},
    )


def contracts_lost() -> Finding:
    """Return the finding that the local chain has lost even the blocks with the contracts."""
    return Finding(
        "CHAIN_BEHIND_DATABASE",
        "The chain does not hold the contracts of this ledger: nearly all blocks were lost.",
        "chain",
        "Restore the folder chain from the newest backup. New contracts cannot replace the lost ones.",
    )


def _chain_behind(chain: int, here: int) -> Finding:
    return Finding(
        "CHAIN_BEHIND_DATABASE",
        f"The database has {here} anchored batches and the chain holds {chain}: the chain lost its newest blocks.",
        f"batch {chain}",
        "Restore the chain from the newest backup, or use a node that is in sync. To give up the lost blocks: "
        "`pingzheng index rebuild --accept-loss`.",
        {"batches_on_chain": chain, "batches_here": here},
    )


def forked(number: int) -> Finding:
    """Return the finding that the batch with this number differs between the chain and the database."""
    return Finding(
        "LOG_FORKED",
        f"Batch {number} of the issuer's log on the chain differs from batch {number} in this ledger.",
        f"batch {number}",
        "Another installation may write to the same log, or the database belongs to another ledger. Stop issuing and "
        "compare with the chain.",
        {"batch": number},
    )
