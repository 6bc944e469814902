"""Batches: many statements in one call. The call stores the statements, and ``runner`` handles them after the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Update, bindparam, delete, func, select, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.tables import Operation, OperationItem
from ledger.domain.days import Clock
from ledger.errors import InvalidInput, PingzhengError
from ledger.parties.roles import Actor
from ledger.parties.tables import Party
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.sets import add_rows, matching
from ledger.store.tables import Sealed
from ledger.usage.batches.kinds import Item, Kind

MAX_ITEMS: Final = 10_000
# The maximum number of items in one write transaction. It is small so that no other writer waits long.
PART: Final = 100
ALL_OR_NONE: Final = "all_or_none"
PER_ITEM: Final = "per_item"
Outcome = list[str] | PingzhengError
"""The ids of an item's records, or the error that refused the item."""


@dataclass(eq=False, repr=False)
class Batches:
    """Stores batches, the contents of items and the outcomes of items. Each part of a batch is stored in a transaction
    of its own.
    """

    _database: Database
    _sealer: Sealer
    kinds: Mapping[str, Kind]
    _clock: Clock

    def take_in(self, actor: Actor, kind: str, mode: str, items: Sequence[Item]) -> str:
        """Store a batch, and return the id of its operation. ``mode`` is ``ALL_OR_NONE`` or ``PER_ITEM``.

        Raises ``InvalidInput`` ``BATCH_SIZE`` or ``BATCH_MODE``, and ``Forbidden`` if the actor may not record one of
        the items.
        """
        if not 1 <= len(items) <= MAX_ITEMS:
            raise InvalidInput(
                "BATCH_SIZE", f"A batch has 1 to {MAX_ITEMS} items.", where="items", hint="Send several batches."
            )
        if mode == ALL_OR_NONE and not self.kinds[kind].at_once:
            raise InvalidInput("BATCH_MODE", "Items of this kind can only be handled one by one.", where="mode")
        self.kinds[kind].permit(actor, items)
        identifier = str(ULID())
        row = {"id": identifier, "party_id": actor.party, "kind": kind, "last_seq": -1, "result": {}}
        counts = {"total": len(items), "handled": 0, "refused": 0}
        with self._database.write() as session:
            stage = {"created_at": self._clock(), "mode": mode, "stage": "arriving"}
            add_rows(session, Operation, [row | counts | stage])
        for first in range(0, len(items), PART):
            with self._database.write() as session:
                self._store(session, identifier, self.kinds[kind], first + 1, items[first : first + PART])
        self.change(identifier, stage="working")
        return identifier

    def _store(self, session: Session, identifier: str, kind: Kind, first: int, items: Sequence[Item]) -> None:
        subjects = [each if isinstance(each, str) else None for each in kind.subjects(session, items)]
        known = {row.id for row in matching(session, select(Party.id), Party.id, filter(None, subjects))}
        sealed = self._sealer.seal_all(session, items)
        rows = [
            {
                "operation_id": identifier,
                "number": number,
                "party_id": subject if subject in known else None,
                "sealed_id": sealed_id,
            }
            for number, (subject, sealed_id) in enumerate(zip(subjects, sealed, strict=True), start=first)
        ]
        add_rows(session, OperationItem, rows)

    def in_stage(self, stage: str, before: int | None = None) -> list[Operation]:
        """Return the operations in this stage, the oldest first; if the time ``before`` is given, only operations that
        were stored before this time.
        """
        query = select(Operation).where(Operation.stage == stage).order_by(Operation.id)
        if before is not None:
            query = query.where(Operation.created_at < before)
        with self._database.read() as session:
            return list(session.scalars(query))

    def change(self, identifier: str, **values: Any) -> None:
        """Change columns of an operation."""
        with self._database.write() as session:
            session.execute(_change(identifier).values(values))

    def left(self, identifier: str, most: int) -> dict[int, Item | None]:
        """Return the next items without an outcome (at most ``most``), by item number. An item is None if its content
        was erased.
        """
        query = select(OperationItem.number, OperationItem.sealed_id).where(
            OperationItem.operation_id == identifier, OperationItem.outcome.is_(None)
        )
        with self._database.read() as session:
            found = session.execute(query.order_by(OperationItem.number).limit(most)).all()
            sealed = {number: sealed_id for number, sealed_id in found if sealed_id is not None}
            opened = self._sealer.open_all(session, self._kept(session, sealed.values()))
        return {number: opened.get(sealed.get(number, "")) for number, _ in found}

    @staticmethod
    def _kept(session: Session, sealed_ids: Iterable[str]) -> list[str]:
        query = select(Sealed.id).where(Sealed.wrapped_key.is_not(None))
        return [row.id for row in matching(session, query, Sealed.id, sealed_ids)]

    def mark(self, identifier: str, outcomes: Mapping[int, Outcome]) -> None:
        """Store the outcomes of items, and delete the contents of these items."""
        numbers = list(outcomes)
        for first in range(0, len(numbers), PART):
            part = numbers[first : first + PART]
            with self._database.write() as session:
                self._drop(session, identifier, part)
                session.connection().execute(_OUTCOMES, [_row(identifier, each, outcomes[each]) for each in part])
                of = select(func.count()).where(OperationItem.operation_id == identifier)
                handled = of.where(OperationItem.outcome.is_not(None)).scalar_subquery()
                refused = of.where(OperationItem.outcome == "refused").scalar_subquery()
                session.execute(_change(identifier).values(handled=handled, refused=refused))

    def drop_contents(self, identifier: str) -> None:
        """Delete the contents of all items that have no outcome."""
        query = select(OperationItem.number).where(
            OperationItem.operation_id == identifier, OperationItem.sealed_id.is_not(None)
        )
        while True:
            with self._database.write() as session:
                numbers = list(session.scalars(query.order_by(OperationItem.number).limit(PART)))
                if not numbers:
                    return
                self._drop(session, identifier, numbers)

    def _drop(self, session: Session, identifier: str, numbers: Sequence[int]) -> None:
        of = OperationItem.operation_id == identifier, OperationItem.number.in_(numbers)
        sealed = [each for each in session.scalars(select(OperationItem.sealed_id).where(*of)) if each is not None]
        session.connection().execute(update(OperationItem).where(*of).values(party_id=None, sealed_id=None))
        session.connection().execute(delete(Sealed).where(Sealed.id.in_(sealed)))


def stored(refusal: PingzhengError) -> dict[str, Any]:
    """Return the JSON object in which a refusal is stored."""
    return {"code": refusal.code, "message": refusal.message, "where": refusal.where, "hint": refusal.hint}


def _change(identifier: str) -> Update:
    return update(Operation).where(Operation.id == identifier)


_OUTCOMES: Final = (
    update(OperationItem)
    .where(OperationItem.operation_id == bindparam("of"), OperationItem.number == bindparam("place"))
    .values(outcome=bindparam("was"), records=bindparam("ids"), refusal=bindparam("why"))
)


def _row(identifier: str, number: int, outcome: Outcome) -> dict[str, Any]:
    refused = isinstance(outcome, PingzhengError)
    return {
        "of": identifier,
        "place": number,
        "was": "refused" if refused else "recorded",
        "ids": None if refused else outcome,
        "why": stored(outcome) if isinstance(outcome, PingzhengError) else None,
    }
