"""Handles the items of batches in the background, part by part.

If the service is killed, it continues the batches after its next start. If a part was recorded but the outcomes of the
part were not stored, the part is handled again; statements that are recorded already are not recorded twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ledger.certificates.tables import Certificate, Operation, OperationItem
from ledger.chain.locking import one_at_a_time
from ledger.domain.days import Clock
from ledger.errors import BadBundle, ChainRejected, Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.parties.roles import Actor
from ledger.store.database import Database
from ledger.store.sets import matching
from ledger.store.tables import Entry
from ledger.usage.batches.batches import ALL_OR_NONE, MAX_ITEMS, PART, Batches, Outcome, stored
from ledger.usage.batches.kinds import Item, Kind

# If a call was cut off before all items were stored, its caller got no answer and does not know the operation. After
# this time, the stored items are deleted, and the batch counts as refused.
CUT_OFF_SECONDS: Final = 3_600
STEPS_OF_TICK: Final = 20
# The errors that refuse statements. After any other error, such as a full disk, the step is repeated.
REFUSALS: Final = (BadBundle, ChainRejected, Conflict, Forbidden, InvalidInput, NotFound)
_STATEMENT: Final = re.compile(r"(?:request|authorization|provision) (\d+)(.*)", re.DOTALL)

log = structlog.get_logger()


@dataclass(eq=False, repr=False)
class BatchRunner:
    """Handles batches. ``actor_of`` returns a party with its present roles.

    ``lock`` is a lock file. If several services share a database, only the service that holds this lock handles
    batches. Otherwise two services could handle the same batch, and one could refuse what the other has just recorded.
    """

    _database: Database
    _batches: Batches
    _actor_of: Callable[[str], Actor]
    _clock: Clock
    _lock: Path

    def tick(self) -> None:
        """Do some steps, until no batch is left or ``STEPS_OF_TICK`` steps are done."""
        for _ in range(STEPS_OF_TICK):
            if not self.step():
                return

    def step(self) -> bool:
        """Handle the next part of every batch. Return whether there was a batch to handle.

        If an error interrupts a batch, the next parts of the remaining batches are handled first. Then the error is
        raised, and the next step handles the same part of the interrupted batch again.
        """
        with one_at_a_time(self._lock):
            return self._step()

    def _step(self) -> bool:
        working = self._batches.in_stage("working")
        failure: Exception | None = None
        for row in working:
            try:
                self._handle(row)
            except Exception as error:
                failure = error
        for row in self._batches.in_stage("arriving", self._clock() - CUT_OFF_SECONDS):
            self._batches.drop_contents(row.id)
            self._batches.change(row.id, stage="refused")
        if failure is not None:
            raise failure
        return bool(working)

    def _handle(self, row: Operation) -> None:
        if row.refusal is not None:
            self._batches.drop_contents(row.id)
            self._batches.change(row.id, stage="refused")
            return
        whole = row.mode == ALL_OR_NONE
        items = self._batches.left(row.id, MAX_ITEMS if whole else PART)
        if not items:
            self._batches.change(row.id, stage="handled", last_seq=self._last_seq(row))
            return
        outcomes = self._outcomes(row, {number: item for number, item in items.items() if item is not None})
        outcomes |= {number: _erased(number) for number, item in items.items() if item is None}
        refusal = next((each for each in outcomes.values() if isinstance(each, PingzhengError)), None)
        if whole and refusal is not None and not row.handled:
            self._batches.change(row.id, refusal=stored(refusal), refused=row.total, handled=row.total)
        else:
            self._batches.mark(row.id, outcomes)

    def _outcomes(self, row: Operation, items: Mapping[int, Item]) -> dict[int, Outcome]:
        """Record the items, and return their outcomes. In the mode ``ALL_OR_NONE``, no item is recorded if the content
        of one item was erased or one item is refused.
        """
        kind = self._batches.kinds[row.kind]
        try:
            actor = self._actor_of(row.party_id)
        except (Conflict, Forbidden, NotFound) as refusal:
            # The party that sent the batch is no longer allowed to act, so its items are refused, except those that
            # were recorded before the service was killed.
            before = self.before(kind, list(items.values()))
            return {number: records or refusal for number, records in zip(items, before, strict=True)}
        if row.mode != ALL_OR_NONE:
            return self.each(actor, kind, items)
        if not row.handled and len(items) < (row.total or 0):
            return {}
        return self._all(actor, kind, items)

    def each(self, actor: Actor, kind: Kind, items: Mapping[int, Item]) -> dict[int, Outcome]:
        """Record every item that is not refused. First, all items are recorded together. If one of them is refused,
        none is recorded, and each half of the items is tried separately, and so on. So one refused item among many
        causes only a few more tries.
        """
        numbers = list(items)
        found = self._tried(actor, kind, items)
        if not isinstance(found, PingzhengError):
            return found
        if len(numbers) == 1:
            (before,) = self.before(kind, list(items.values()))
            return {numbers[0]: _placed(found, kind, items) if before is None else before}
        middle = len(numbers) // 2
        halves = ({number: items[number] for number in part} for part in (numbers[:middle], numbers[middle:]))
        return {number: outcome for half in halves for number, outcome in self.each(actor, kind, half).items()}

    def _all(self, actor: Actor, kind: Kind, items: Mapping[int, Item]) -> dict[int, Outcome]:
        """Record all items in one transaction; if one is refused, none is recorded."""
        found = self._tried(actor, kind, items)
        if not isinstance(found, PingzhengError):
            return found
        # Items that are recorded already are left out: if the service was killed after it recorded them, the checks
        # might refuse them now.
        before = self.before(kind, list(items.values()))
        refusal = _placed(found, kind, items)
        return {number: records or refusal for number, records in zip(items, before, strict=True)}

    def _tried(self, actor: Actor, kind: Kind, items: Mapping[int, Item]) -> dict[int, Outcome] | PingzhengError:
        if not items:
            return {}
        try:
            return dict(zip(items, kind.record(actor, list(items.values())), strict=True))
        except Exception as error:
            if (refusal := _refusal_of(error)) is None:
                raise
            return refusal

    def before(self, kind: Kind, items: Sequence[Item]) -> list[list[str] | None]:
        """Return, for each item, the ids of the item's records if the item is recorded already, and None if it
        is not.
        """
        with self._database.read() as session:
            return kind.recorded(session, items)

    def _last_seq(self, row: Operation) -> int:
        """Return the sequence number of the last log entry of the batch's certificates; -1 if the batch issued no
        certificate.
        """
        if row.kind != "certificates":
            return -1
        with self._database.read() as session:
            query = select(OperationItem.records).where(OperationItem.operation_id == row.id)
            numbers = [each for records in session.scalars(query) for each in records or ()]
            entries = select(Entry.seq).join(Certificate, Certificate.digest == Entry.digest)
            found = matching(session, entries, Certificate.certificate_no, numbers)
            return max((seq for (seq,) in found), default=-1)


def _refusal_of(error: Exception) -> PingzhengError | None:
    """Return the error that refuses the statements, or None if the step must be repeated."""
    if isinstance(error, REFUSALS):
        return error
    if isinstance(error, PingzhengError):
        # If the suite of a key is not installed here, repeating the step would not help, so the statements are refused.
        return error if error.code == "SUITE_NOT_INSTALLED" else None
    if isinstance(error, SQLAlchemyError | OSError):
        return None
    log.error("unexpected error", work="batches", error=type(error).__name__)
    return InvalidInput("INTERNAL", "An internal error occurred and was logged.")


def _placed(refusal: PingzhengError, kind: Kind, items: Mapping[int, Item]) -> PingzhengError:
    """If the refusal names a statement by the statement's place in the set, return a refusal that names the item of the
    batch.
    """
    found = _STATEMENT.fullmatch(refusal.where or "")
    if found is not None:
        place, sizes = int(found[1]), [kind.size(item) for item in items.values()]
        index, within = _within(place, sizes)
        part = f", statement {within}" if sizes[index] > 1 else ""
        refusal.where = f"item {list(items)[index]}{part}{found[2]}"
    return refusal


def _within(place: int, sizes: Sequence[int]) -> tuple[int, int]:
    """Return the index of the item that contains the statement at ``place`` (from 1), and the statement's place in this
    item.
    """
    ends = list(accumulate(sizes))
    index = next((index for index, end in enumerate(ends) if place <= end), len(ends) - 1)
    return index, place - (ends[index] - sizes[index])


def _erased(number: int) -> NotFound:
    return NotFound(
        "SEALED_ERASED",
        "The item's text was erased before it was recorded.",
        where=f"item {number}",
        hint="此处已依法删除。 The subject's data was erased, so nothing can be recorded about it.",
    )
