"""Copy the chain into the index step by step, and undo blocks that the chain replaces.

A step reads a limited range of blocks, then writes their events in one transaction. The transaction moves the cursor
(the block that the index has reached) only if no other follower has moved it, so that only one of two followers on a
database writes the step. Before that, the heads computed from the events are compared with the heads in the contracts:
if the node omits or invents an event, the heads differ and the step is not written. No call is sent to the node while a
transaction is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.chain.contracts.abi import Event
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block
from ledger.errors import ChainUnavailable, Conflict
from ledger.index import tables
from ledger.index.audit import AssetAudit, asset_heads, audit_assets
from ledger.index.comparison import PATIENCE_SECONDS, Comparison, Standing, Stored, fits_together
from ledger.index.event_rows import event_of_row, row_of_event
from ledger.index.events import IndexedEvent
from ledger.index.heads import ChainHeads, HeadBook, heads_of, scope_of
from ledger.index.projections import project
from ledger.index.proposals import IndexedProposal, pending

STEP_BLOCKS: Final = 500
WINDOW_BLOCKS: Final = 128
_CURSOR_ID: Final = 1
_MOVING_CHAIN_ATTEMPTS: Final = 5
# If the events that were read do not give the contract's heads, the step is read again, up to this many times. Several
# nodes may answer at one address, and the node that answered may lack the newest blocks.
_REREADS: Final = 2
_ROWS_PER_INSERT: Final = 500
# The errors of a node that does not have a block yet, although another node at its address returned the block.
_NOT_YET: Final = frozenset({"BLOCK_MISSING", "NODE_REFUSED"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The result of one ``sync``.

    ``rewound`` is the number of blocks that were undone. ``ahead`` is the number of blocks that the index has and the
    node does not have yet.
    """

    block_number: int
    block_hash: str
    blocks: int
    events: int
    rewound: int
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """The block that the index has reached; ``hash`` is 64 hex digits, ``time`` is seconds UTC."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the index is behind the node: in blocks, and in seconds between the times of their newest blocks."""

    blocks: int
    seconds: int


class _Waits(Exception):
    """Raised if the node does not have the newest block of the index yet, or if a local chain has lost this block."""

    def __init__(self, ahead: int) -> None:
        super().__init__(ahead)
        self.ahead = ahead


@dataclass(eq=False, repr=False)
class Follower:
    """Updates the index of one deployment. The newest ``confirmations`` blocks are not read.

    The index keeps the headers of the last ``window`` blocks and of all blocks with events. If the chain replaces more
    than ``window`` blocks, this is noticed at a block with events or at the deployment. ``goes_back`` says whether the
    chain may replace blocks. A local chain never does; if it has lost a block, the index stays unchanged. If a node is
    behind the index, the index waits; after ``patience`` seconds it assumes that the chain became shorter.
    """

    _engine: Engine
    _reader: ChainReader
    _: KW_ONLY
    step: int = STEP_BLOCKS
    window: int = WINDOW_BLOCKS
    confirmations: int = 0
    goes_back: bool = True
    patience: InitVar[float] = PATIENCE_SECONDS

    def __post_init__(self, patience: float) -> None:
        self._comparison = Comparison(self._reader, patience)
        self._prepared = False

    def sync(self, to_block: int | None = None) -> SyncReport:
        """Read all new blocks of the node, but none after ``to_block``.

        Another follower may write at the same time. Raises ChainUnavailable INDEX_HEAD_MISMATCH if the head computed
        from the node's events differs from the contract's head. Nothing of that step is written.
        """
        self._prepare()
        # If the node were read first, another follower could write a newer block, and the node would seem behind the
        # index.
        reached, latest = self._cursor(), self._reader.latest()
        target = latest.number - self.confirmations
        if to_block is not None:
            target = min(target, to_block)
        rewound = events = ahead = 0
        first: int | None = None
        try:
            rewound = self._go_back(reached, latest)
            cursor = self._cursor()
            first = cursor.number
            while cursor.number < target:
                cursor, written = self._advance(cursor, min(cursor.number + self.step, target))
                events += written
        except _Waits as waits:
            cursor, ahead = self._cursor(), waits.ahead
        blocks = 0 if first is None else cursor.number - first
        return SyncReport(cursor.number, cursor.hash, blocks, events, rewound, ahead)

    def cursor(self) -> Cursor | None:
        """Return the block that the index has reached, or None before the first ``sync``; sends no call to the node."""
        self._prepare()
        found = self._stored_cursor()
        return None if found is None else Cursor(found.number, found.hash, found.time)

    def rebuild(self) -> SyncReport:
        """Delete the index and build it again from the deployment."""
        tables.METADATA.drop_all(self._engine)
        self._prepared = False
        return self.sync()

    def lag(self) -> Lag:
        """Return how far the index is behind the node."""
        self._prepare()
        cursor, latest = self._reached(), self._reader.latest()
        return Lag(max(latest.number - cursor.number, 0), max(latest.time - cursor.time, 0))

    def audit(self) -> AssetAudit:
        """Update the index, then compare every asset with the contract as of the block that was reached."""
        block = self.sync().block_number
        with self._engine.connect() as connection:
            heads = asset_heads(connection)
        return audit_assets(heads, self._reader, block)

    def pending_proposals(self, concerned: int | None = None, *, now: int | None = None) -> list[IndexedProposal]:
        """Return the proposals pending at ``now`` (default: the reached block's time), all or about ``concerned``."""
        now = now or self._reached().time
        with self._engine.connect() as connection:
            return pending(connection, self._reader.deployment, now, concerned)

    def snapshot_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table, ordered by key. Two equal indexes have equal rows."""
        self._prepare()
        with self._engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in tables.METADATA.sorted_tables
            }

    def _prepare(self) -> None:
        """Create the missing tables. A process does this only once, because it takes a query for each table."""
        if not self._prepared:
            tables.METADATA.create_all(self._engine)
            self._prepared = True

    def _advance(self, cursor: Block, last: int) -> tuple[Block, int]:
        failure: ChainUnavailable | None = None
        mismatched = 0
        for _ in range(_MOVING_CHAIN_ATTEMPTS):
            try:
                events = self._reader.events(cursor.number + 1, last)
                headers = self._headers(cursor, events, last)
                if fits_together(cursor, events, headers) and self._still_there(cursor.number, cursor.hash):
                    found = heads_of(self._reader, events, last)
                    return self._write(cursor, events, headers, found), len(events)
            except Conflict:
                # Another follower wrote this step first: continue after the step.
                cursor = self._cursor()
                if cursor.number >= last:
                    return cursor, 0
                continue
            except ChainUnavailable as error:
                failure = error
                if error.code in _NOT_YET:
                    continue
                if error.code != "INDEX_HEAD_MISMATCH":
                    raise
                # If the last block is still there, the node's answers disagree: read the step again. Otherwise the
                # chain replaced the block, and heads and events come from different branches: go back.
                if self._still_there(last, headers[-1].hash):
                    mismatched += 1
                    if mismatched > _REREADS:
                        raise
                    continue
            self._go_back(self._cursor(), self._reader.latest())
            cursor = self._cursor()
        raise failure if failure is not None and failure.code in _NOT_YET else _unsteady(last)

    def _headers(self, cursor: Block, events: Sequence[Event], last: int) -> list[Block]:
        first_kept = max(last - self.window + 1, self._reader.deploy_block)
        numbers = {event.block_number for event in events} | set(range(first_kept, last + 1))
        # Only the stored headers up to the cursor are reused; another follower wrote the later headers, perhaps from
        # another branch of the chain.
        number = tables.BLOCKS.c.number
        with self._engine.connect() as connection:
            known = set(connection.scalars(select(number).where(number.between(first_kept, cursor.number))))
        return self._reader.blocks(sorted(numbers - known))

    def _write(self, cursor: Block, events: Sequence[Event], headers: Sequence[Block], found: ChainHeads) -> Block:
        last = headers[-1]
        with self._engine.begin() as connection:
            self._move_cursor(connection, cursor, last)
            book = HeadBook(connection, self._reader.deployment)
            rows = [row_of_event(event, scope_of(event), book.fold(event)) for event in events]
            book.compare(found, last.number)
            _insert(connection, tables.BLOCKS, [_header_row(header) for header in headers])
            _insert(connection, tables.EVENTS, rows)
            project(connection, [_indexed(event) for event in events])
            self._prune(connection, last.number)
        return last

    def _prune(self, connection: Connection, last: int) -> None:
        with_events = select(tables.EVENTS.c.block_number)
        number = tables.BLOCKS.c.number
        connection.execute(delete(tables.BLOCKS).where(number <= last - self.window, number.not_in(with_events)))

    def _go_back(self, cursor: Block, latest: Block) -> int:
        """Rewind to the newest block that the node still has, and return the number of undone blocks."""
        standing = self._comparison.standing((cursor.number, cursor.hash), latest, self._stored)
        if standing is Standing.THERE:
            return 0
        if standing is Standing.AHEAD or not self.goes_back:
            raise _Waits(max(cursor.number - latest.number, 1))
        base = self._reader.blocks([self._comparison.common(self._stored(), latest)])[0]
        try:
            self._rewind(cursor, base)
        except Conflict:
            # Another follower has rewound the index already.
            return 0
        where = self._reader.connection.where
        log.warning("index_went_back", index_block=cursor.number, to_block=base.number, node=where)
        return cursor.number - base.number

    def _stored(self) -> list[Stored]:
        """Return number and hash of every block that the index keeps, ordered by number."""
        columns = select(tables.BLOCKS.c.number, tables.BLOCKS.c.hash).order_by(tables.BLOCKS.c.number)
        with self._engine.connect() as connection:
            return [(row.number, row.hash) for row in connection.execute(columns)]

    def _still_there(self, number: int, digest: str) -> bool:
        return self._comparison.holds((number, digest))

    def _rewind(self, cursor: Block, base: Block) -> None:
        common = base.number
        with self._engine.begin() as connection:
            self._move_cursor(connection, cursor, base)
            connection.execute(delete(tables.EVENTS).where(tables.EVENTS.c.block_number > common))
            connection.execute(delete(tables.BLOCKS).where(tables.BLOCKS.c.number > common))
            # The computed tables have only the present state, so they are computed again from the remaining events.
            for table in tables.PROJECTIONS:
                connection.execute(delete(table))
            order = (tables.EVENTS.c.block_number, tables.EVENTS.c.log_index)
            kept = connection.execute(select(tables.EVENTS).order_by(*order)).mappings()
            project(connection, [event_of_row(row) for row in kept])

    def _cursor(self) -> Block:
        """Return the block that the index has reached. A new index records the block before the deployment."""
        found = self._stored_cursor()
        if found is not None:
            return found
        start = self._reached()
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(tables.CURSOR).values(id=_CURSOR_ID, **_cursor_row(start)))
        except IntegrityError:
            # Another follower has begun the index already.
            return self._stored_cursor() or start
        return start

    def _reached(self) -> Block:
        """Return the block that the index has reached, or the block before the deployment. Writes nothing."""
        return self._stored_cursor() or self._reader.blocks([self._reader.deploy_block - 1])[0]

    def _stored_cursor(self) -> Block | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.CURSOR).where(tables.CURSOR.c.id == _CURSOR_ID)).first()
        return None if row is None else Block(row.block_number, row.block_hash, "", row.block_time, None, 0)

    @staticmethod
    def _move_cursor(connection: Connection, old: Block, new: Block) -> None:
        moved = connection.execute(
            update(tables.CURSOR)
            .where(
                tables.CURSOR.c.id == _CURSOR_ID,
                tables.CURSOR.c.block_number == old.number,
                tables.CURSOR.c.block_hash == old.hash,
            )
            .values(**_cursor_row(new))
        )
        if moved.rowcount != 1:
            raise Conflict(
                "INDEX_CURSOR_MOVED",
                "Another program that follows the chain wrote to the index first.",
                where=f"block {old.number}",
                hint="Let only one program follow the chain into a database; this program wrote nothing.",
            )


def _unsteady(last: int) -> ChainUnavailable:
    return ChainUnavailable(
        "CHAIN_UNSTEADY",
        "The chain kept changing while it was read.",
        where=f"block {last}",
        hint="Wait until the network is stable, or follow it with more confirmations.",
    )


def _indexed(event: Event) -> IndexedEvent:
    return IndexedEvent(event.block_number, event.log_index, event.tx_hash, event.contract, event.name, event.args)


def _cursor_row(block: Block) -> dict[str, Any]:
    return {"block_number": block.number, "block_hash": block.hash, "block_time": block.time}


def _header_row(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": block.hash, "parent": block.parent, "time": block.time}


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_PER_INSERT):
        connection.execute(insert(table), rows[start : start + _ROWS_PER_INSERT])
