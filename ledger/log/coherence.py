"""Whether database, chain and clock belong together, compared in both directions.

A restored database may be older than its chain, a chain's journal may have lost its end, a clock may have gone back.
Each alone looks sound. As long as a finding stands nothing is written or sent; reading goes on, and answers say what
the chain holds.
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

# Clocks that are set by the network step by seconds, and a chain of one's own may be ahead of the machine.
CLOCK_TOLERANCE: Final = 60
CHAIN_TOLERANCE: Final = 600
# How many of the newest batches are compared each time; `pingzheng index check` compares all.
NEWEST: Final = 3
HEX_32: Final = re.compile(r"[0-9a-f]{64}")
PER_REQUEST: Final = 200
# What these say is that the chain has lost something: then "active" may be what it has forgotten to be otherwise.
FORGETFUL: Final = frozenset({"CHAIN_BEHIND_DATABASE", "LOG_FORKED", "LEDGER_DIFFERS"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says: the number of batches, how many of them the chain must hold, the newest of each kind,
    the block that the index followed, and when the newest entry was made."""

    ledger: str | None
    batches: int
    held: int
    anchored: list[Batch]
    closed: list[Batch]
    followed: tuple[int, str] | None
    newest_entry: int | None
    counters: dict[str, tuple[int, int]]


class Coherence:
    """Compares, and lets the database refuse to be written as long as something does not fit.

    ``issuer`` is the party number whose log the database is; None where we have joined another operator's chain.
    ``local`` says that the chain is one of our own, which never takes a block back.
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
        """Compare now; the database refuses to be written from the first finding on, until there is none.

        Raises ``ChainUnavailable``.
        """
        found = self.findings()
        before = self._database.standing
        if not found:
            self._database.allow()
            if before is not None:
                log.info("the parts belong together again", code=before.code)
            return None
        self._database.refuse(found[0])
        if before is None or before.code != found[0].code:
            log.error("the parts do not belong together, nothing is written", code=found[0].code, where=found[0].where)
        return found[0]

    def require(self) -> None:
        """Compare now; raises ``Incoherent`` by the code of the first finding, and ``ChainUnavailable``."""
        self.check()
        self._database.require_writable()

    def findings(self) -> list[Finding]:
        """Everything that does not fit, the worst first; raises ``ChainUnavailable``."""
        with self._database.read() as session:
            known = self._known(session)
        found = list(self._ledger(known))
        # On another ledger's contracts every further comparison would only say so again.
        return found or [*self._blocks(known), *self._batches(known), *_numbers(known), *self._times(known)]

    def batches_differing(self) -> list[Finding]:
        """Every anchored batch whose commitment on the chain is not the one of the database.

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
                "The database belongs to another ledger than the contracts in front of us.",
                f"ledger {ours}",
                "Put database, deployment.json and chain of one ledger together again, from one backup.",
                {"expected": known.ledger, "found": ours},
            )

    def _blocks(self, known: _Known) -> Iterator[Finding]:
        """A chain of our own never takes back a block that was followed, also one that only revoked something."""
        if not self._local or known.followed is None:
            return
        number, digest = known.followed
        block = self._reader.block(number)
        if block is None or block.hash != digest:
            yield Finding(
                "CHAIN_BEHIND_DATABASE",
                f"The chain no longer holds block {number}, which this ledger has followed: its end was lost.",
                f"block {number}",
                "Restore the folder chain from the newest backup. If what was lost is given up, let the index and the "
                "log follow the chain as it is: `pingzheng index rebuild --accept-loss`.",
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
        # Anchored before a crash, and not recorded: what the chain has must be what was closed here.
        for batch in known.closed:
            if batch.number < count and self._differs(batch):
                yield forked(batch.number)

    def _batches_now(self) -> int:
        """Asked again after the chain: another process may have closed a batch and anchored it in between."""
        with self._database.read() as session:
            newest = session.scalar(select(func.max(Batch.number)))
        return 0 if newest is None else newest + 1

    def _differs(self, batch: Batch) -> bool:
        held = anchor_of(self._reader, self._issuer or 0, batch.number)
        return (held.root, held.first_seq, held.size) != (batch.root, batch.first_seq, batch.size)

    def _times(self, known: _Known) -> Iterator[Finding]:
        # Who joined has written no entries, and judges as of the chain's time where that is the later one.
        if self._issuer is None:
            return
        now = self._clock()
        head = self._reader.latest().time
        ahead = max((known.newest_entry or 0) - CLOCK_TOLERANCE, head - CHAIN_TOLERANCE) - now
        if ahead > 0:
            newest = max(known.newest_entry or 0, head)
            yield Finding(
                "CLOCK_WENT_BACK",
                f"The clock is {newest - now} seconds behind what this ledger has written already.",
                "clock",
                f"Set the machine's clock. If it is right: raise `ahead` in chain/clock.json by {newest - now}."
                if self._local
                else "Set the machine's clock.",
                {"now": now, "newest": newest},
            )


def anchor_of(reader: ChainReader, issuer: int, number: int) -> AnchoredBatch:
    """The anchor of a batch that the chain holds by its own count.

    Raises ``ChainUnavailable`` ``NODE_ANSWER_INVALID`` where the node does not give the event: that is no fork.
    """
    found = reader.anchored(issuer, number)
    if found is None:
        raise ChainUnavailable(
            "NODE_ANSWER_INVALID",
            f"The node counts batch {number} of this log and does not give its event.",
            where=reader.connection.where,
            hint="The node is still catching up, or it keeps no old events: wait, or use another node.",
        )
    return found


def require_held(reader: ChainReader, batches: Iterable[Batch]) -> None:
    """Raise ``Incoherent`` ``CHAIN_BEHIND_DATABASE`` or ``LOG_FORKED`` unless the chain holds these batches."""
    asked = reader.batched("latest")
    answers = [(batch, asked.commitment(batch.issuer or 0, batch.number)) for batch in batches]
    for batch, answer in answers:
        held = answer()
        if held is None:
            raise _chain_behind(batch.number, batch.number + 1).refusal()
        if held != commitment_of(batch):
            raise forked(batch.number).refusal()


def commitment_of(batch: Batch) -> str:
    """What the chain keeps of an anchored batch (64 hex digits), by the database; "" for a root that is none."""
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
    """The log's counters: each where it stands, and where it must stand by the rows."""
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
    """What is numbered from a wrong counter is never anchored, or refused for ever."""
    for name, (value, expected) in known.counters.items():
        if value != expected:
            yield counter_differs(name, value, expected)


def _followed(session: Session) -> tuple[int, str] | None:
    """The block that the index has reached; None before it followed anything."""
    try:
        row = session.execute(select(CURSOR.c.block_number, CURSOR.c.block_hash)).first()
    except DBAPIError:
        # The index makes its tables when it follows for the first time.
        session.rollback()
        return None
    return None if row is None else (row.block_number, row.block_hash)


def _database_behind(chain: int, here: int) -> Finding:
    return Finding(
        "DATABASE_BEHIND_CHAIN",
        f"The chain holds {chain} batches of this log and the database knows {here}: the database is an older one.",
        f"batch {here}",
        "Use the newest database, or run `pingzheng restore`: it brings back what the archive has, and lists the rest.",
        {"batches_on_chain": chain, "batches_here": here},
    )


def contracts_lost() -> Finding:
    """A chain of our own does not even hold the contracts: its journal lost nearly all."""
    return Finding(
        "CHAIN_BEHIND_DATABASE",
        "The chain does not hold the contracts of this ledger: nearly all of it was lost.",
        "chain",
        "Restore the folder chain from the newest backup. Nothing is deployed in its place.",
    )


def _chain_behind(chain: int, here: int) -> Finding:
    return Finding(
        "CHAIN_BEHIND_DATABASE",
        f"The database says that the chain holds {here} batches of this log, and it holds {chain}: its end was lost.",
        f"batch {chain}",
        "Restore the chain from the newest backup, or use a node that is in sync. If what was lost is given up: "
        "`pingzheng index rebuild --accept-loss`.",
        {"batches_on_chain": chain, "batches_here": here},
    )


def forked(number: int) -> Finding:
    """The chain has something else in the place of a batch of ours."""
    return Finding(
        "LOG_FORKED",
        f"The issuer's log on the chain has another batch {number} than this ledger.",
        f"batch {number}",
        "Another installation writes to the same log, or this database is not its own. Stop issuing and compare with "
        "the chain.",
        {"batch": number},
    )
