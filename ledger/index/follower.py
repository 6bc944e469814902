"""Follows the chain into the index, step by step, and goes back when the chain does.

One step reads a bounded range of blocks, then writes it in one transaction that moves the cursor by compare-and-set:
of two followers on one database only one writes a step. After each step the heads computed from the events read are
compared with the heads the contracts keep, so a node that leaves an event out is noticed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, Table, delete, insert, select, update

from ledger.chain.connection import Block
from ledger.chain.contracts import Event
from ledger.chain.reader import ChainReader
from ledger.errors import ChainUnavailable, Conflict
from ledger.index import tables
from ledger.index.audit import AssetAudit, audit_assets
from ledger.index.events import IndexedEvent
from ledger.index.heads import HeadBook, scope_of
from ledger.index.projections import project
from ledger.index.proposals import IndexedProposal, pending
from ledger.index.rows import event_of_row, row_of_event

STEP_BLOCKS: Final = 500
WINDOW_BLOCKS: Final = 128
_CURSOR_ID: Final = 1
_MOVING_CHAIN_ATTEMPTS: Final = 5
_ROWS_PER_INSERT: Final = 500


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one ``sync`` did. ``rewound`` counts blocks that the chain took back."""

    block_number: int
    block_hash: str
    blocks: int
    events: int
    rewound: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the index is behind the node: in blocks, and in seconds of block time."""

    blocks: int
    seconds: int


class _BlockLost(Exception):
    """A chain that takes nothing back no longer holds a block that was followed."""


class Follower:
    """Keeps the index in step with one deployment. ``confirmations`` blocks at the tip are left alone.

    The last ``window`` block headers are kept, and those of blocks with events; a reorganisation deeper than the
    window is found all the same, at a block with events or at the deployment. ``goes_back`` says that the chain may
    take blocks back; one of our own does not, so a block that it lost is no reorganisation: the index stays as it was.
    """

    def __init__(
        self,
        engine: Engine,
        reader: ChainReader,
        *,
        step: int = STEP_BLOCKS,
        window: int = WINDOW_BLOCKS,
        confirmations: int = 0,
        goes_back: bool = True,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._step = step
        self._window = window
        self._confirmations = confirmations
        self._goes_back = goes_back

    def sync(self, to_block: int | None = None) -> SyncReport:
        """Catch up with the node, or to ``to_block``.

        What another follower wrote meanwhile is taken as it is. Raises ChainUnavailable INDEX_HEAD_MISMATCH when the
        events given do not add up to a contract's head; the step is not written then.
        """
        tables.METADATA.create_all(self._engine)
        target = self._reader.latest().number - self._confirmations
        if to_block is not None:
            target = min(target, to_block)
        try:
            rewound = self._go_back(self._reader.latest().number)
        except _BlockLost:
            cursor = self._cursor()
            return SyncReport(cursor.number, cursor.hash, 0, 0, 0)
        events = 0
        cursor = self._cursor()
        first = cursor.number
        while cursor.number < target:
            cursor, written = self._advance(cursor, min(cursor.number + self._step, target))
            events += written
        return SyncReport(cursor.number, cursor.hash, cursor.number - first, events, rewound)

    def rebuild(self) -> SyncReport:
        """Drop the index and replay it from the deployment."""
        tables.METADATA.drop_all(self._engine)
        return self.sync()

    def lag(self) -> Lag:
        """How far behind the node the index is; zero where it is level."""
        tables.METADATA.create_all(self._engine)
        cursor, latest = self._cursor(), self._reader.latest()
        return Lag(max(latest.number - cursor.number, 0), max(latest.time - cursor.time, 0))

    def audit(self) -> AssetAudit:
        """Catch up, then compare every asset with the contract as of the block reached."""
        block = self.sync().block_number
        with self._engine.connect() as connection:
            return audit_assets(connection, self._reader, block)

    def pending_proposals(self, concerned: int | None = None, *, now: int | None = None) -> list[IndexedProposal]:
        """Proposals that have neither ended nor expired; with ``concerned`` those that concern a party.

        ``now`` (seconds UTC) is by default the time of the block that the index has reached.
        """
        with self._engine.connect() as connection:
            return pending(connection, self._reader.deployment, now or self._cursor().time, concerned)

    def snapshot_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, ordered by key: two indexes of one chain are equal exactly if these are."""
        tables.METADATA.create_all(self._engine)
        with self._engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in tables.METADATA.sorted_tables
            }

    def _advance(self, cursor: Block, last: int) -> tuple[Block, int]:
        for _ in range(_MOVING_CHAIN_ATTEMPTS):
            events = self._reader.events(cursor.number + 1, last)
            headers = self._headers(cursor, events, last)
            if _fits_together(cursor, events, headers) and self._still_there(cursor.number, cursor.hash):
                try:
                    return self._write(cursor, events, headers), len(events)
                except Conflict:
                    # Another follower of this index was first: on from where it stands.
                    cursor = self._cursor()
                    if cursor.number >= last:
                        return cursor, 0
                    continue
                except ChainUnavailable as error:
                    # Heads of another chain than the events: it went back in between, the node hides nothing.
                    if error.code != "INDEX_HEAD_MISMATCH" or self._still_there(last, headers[-1].hash):
                        raise
            self._go_back(self._reader.latest().number)
            cursor = self._cursor()
        raise ChainUnavailable(
            "CHAIN_UNSTEADY",
            "The chain kept changing while it was read.",
            where=f"block {last}",
            hint="Wait until the network has settled, or follow it with more confirmations.",
        )

    def _headers(self, cursor: Block, events: Sequence[Event], last: int) -> list[Block]:
        first_kept = max(last - self._window + 1, self._reader.deploy_block)
        numbers = {event.block_number for event in events} | set(range(first_kept, last + 1))
        # Headers after the cursor are always read: those stored meanwhile are another follower's.
        number = tables.BLOCKS.c.number
        with self._engine.connect() as connection:
            known = set(connection.scalars(select(number).where(number.between(first_kept, cursor.number))))
        return self._reader.blocks(sorted(numbers - known))

    def _write(self, cursor: Block, events: Sequence[Event], headers: Sequence[Block]) -> Block:
        last = headers[-1]
        with self._engine.begin() as connection:
            self._move_cursor(connection, cursor, last)
            _insert(connection, tables.BLOCKS, [_header_row(header) for header in headers])
            book = HeadBook(connection, self._reader)
            rows = [row_of_event(event, scope_of(event), book.fold(event)) for event in events]
            _insert(connection, tables.EVENTS, rows)
            for event in events:
                project(connection, _indexed(event))
            self._prune(connection, last.number)
            book.compare_with_chain(last.number)
        return last

    def _prune(self, connection: Connection, last: int) -> None:
        with_events = select(tables.EVENTS.c.block_number)
        number = tables.BLOCKS.c.number
        connection.execute(delete(tables.BLOCKS).where(number <= last - self._window, number.not_in(with_events)))

    def _go_back(self, latest: int) -> int:
        """Rewind to the newest block that the node still has; returns how many blocks were undone."""
        cursor = self._cursor()
        if cursor.number <= latest and self._still_there(cursor.number, cursor.hash):
            return 0
        if not self._goes_back:
            raise _BlockLost
        base = self._reader.deploy_block - 1
        with self._engine.connect() as connection:
            stored = connection.execute(
                select(tables.BLOCKS.c.number, tables.BLOCKS.c.hash)
                .where(tables.BLOCKS.c.number <= latest)
                .order_by(tables.BLOCKS.c.number.desc())
            ).all()
        common = next((number for number, digest in stored if self._still_there(number, digest)), base)
        try:
            self._rewind(cursor, common)
        except Conflict:
            # Another follower of this index went back first: on from where it stands.
            return 0
        return cursor.number - common

    def _still_there(self, number: int, digest: str) -> bool:
        header = self._reader.block(number)
        return header is not None and header.hash == digest

    def _rewind(self, cursor: Block, common: int) -> None:
        with self._engine.begin() as connection:
            self._move_cursor(connection, cursor, self._reader.blocks([common])[0])
            connection.execute(delete(tables.EVENTS).where(tables.EVENTS.c.block_number > common))
            connection.execute(delete(tables.BLOCKS).where(tables.BLOCKS.c.number > common))
            # Rows changed in place carry no history: they are computed again from the events that stay.
            for table in tables.PROJECTIONS:
                connection.execute(delete(table))
            order = (tables.EVENTS.c.block_number, tables.EVENTS.c.log_index)
            kept: Iterable[RowMapping] = connection.execute(select(tables.EVENTS).order_by(*order)).mappings().all()
            for row in kept:
                project(connection, event_of_row(row))

    def _cursor(self) -> Block:
        with self._engine.begin() as connection:
            row = connection.execute(select(tables.CURSOR).where(tables.CURSOR.c.id == _CURSOR_ID)).first()
            if row is not None:
                return Block(row.block_number, row.block_hash, "", row.block_time, None, 0)
            start = self._reader.blocks([self._reader.deploy_block - 1])[0]
            connection.execute(insert(tables.CURSOR).values(id=_CURSOR_ID, **_cursor_row(start)))
            return start

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
                "Another follower wrote to the index first.",
                where=f"block {old.number}",
                hint="Run one follower per database; this one wrote nothing.",
            )


def _fits_together(cursor: Block, events: Sequence[Event], headers: Sequence[Block]) -> bool:
    """Whether logs and headers are of one chain that continues the cursor."""
    by_number = {header.number: header for header in headers}
    linked = all(
        header.number - 1 not in by_number or by_number[header.number - 1].hash == header.parent for header in headers
    )
    first = by_number.get(cursor.number + 1)
    continues = first is None or first.parent == cursor.hash
    return linked and continues and all(event.block_hash == by_number[event.block_number].hash for event in events)


def _indexed(event: Event) -> IndexedEvent:
    return IndexedEvent(event.block_number, event.log_index, event.tx_hash, event.contract, event.name, event.args)


def _cursor_row(block: Block) -> dict[str, Any]:
    return {"block_number": block.number, "block_hash": block.hash, "block_time": block.time}


def _header_row(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": block.hash, "parent": block.parent, "time": block.time}


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_PER_INSERT):
        connection.execute(insert(table), rows[start : start + _ROWS_PER_INSERT])
