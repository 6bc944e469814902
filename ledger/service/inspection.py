"""Looking at the log as a whole: head, batches, proofs, and whether everything is in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ledger.chain.deployment import check_deployment, origin_of
from ledger.chain.reader import ChainReader
from ledger.errors import NotFound, PingzhengError
from ledger.index.follower import Follower
from ledger.index.tables import ANCHORS
from ledger.proof.merkle import Tree
from ledger.service.positions import position
from ledger.service.provenance import Provenances
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.identity import require_ledger
from ledger.store.tables import Batch, Entry

MAX_PENDING_SECONDS = 300


class Inspection:
    """What anyone may know of the log: counts and hashes, never content.

    ``own_account`` checks the account that uses are recorded from, where we have joined another operator's chain and
    anchor nothing.
    """

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        follower: Follower,
        provenances: Provenances,
        clock: Callable[[], int],
        own_account: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower
        self._provenances = provenances
        self._clock = clock
        self._own_account = own_account

    def head(self) -> dict[str, Any]:
        """The head on the chain, whether the indexed history folds to it, and how far the log of each issuer goes.

        ``paused_until`` is when the pause that stops anchoring ends at the latest; 0 without a pause.
        """
        completeness = self._provenances.log()
        with self._database.read() as session:
            waiting = _waiting(session).count
        logs = self._logs()
        return completeness.to_dict() | {
            "ledger": self._reader.chain.ledger,
            "batches": sum(each["batches"] for each in logs),
            "entries_anchored": sum(each["entries"] for each in logs),
            "entries_waiting": waiting,
            "paused_until": self._reader.paused_until(),
            "logs": logs,
        }

    def _logs(self) -> list[dict[str, Any]]:
        """Of each issuer, by its party number: its batches and entries on the chain, by the index."""
        query = (
            select(ANCHORS.c.issuer, func.count(), func.sum(ANCHORS.c.size))
            .group_by(ANCHORS.c.issuer)
            .order_by(ANCHORS.c.issuer)
        )
        with self._database.engine.connect() as connection:
            found = connection.execute(query).all()
        return [{"issuer": issuer, "batches": batches, "entries": int(entries)} for issuer, batches, entries in found]

    def batch(self, number: int) -> dict[str, Any]:
        """A batch with its anchor; raises ``NotFound`` ``BATCH_UNKNOWN``."""
        with self._database.read() as session:
            return _described(log_store.batch(session, number))

    def proof(self, seq: int) -> dict[str, Any]:
        """The inclusion proof of an entry; raises ``NotFound`` ``ENTRY_UNKNOWN``, ``Conflict`` while it waits."""
        with self._database.read() as session:
            entry = session.scalar(select(Entry).where(Entry.seq == seq))
            if entry is None:
                raise NotFound("ENTRY_UNKNOWN", f"The log has no entry {seq}.")
            where = position(session, entry.digest)
            batch = log_store.batch(session, where.batch)
            tree = Tree(log_store.leaves(session, batch))
        return {
            "seq": seq,
            "type": entry.type,
            "leaf": entry.leaf,
            "digest": entry.digest,
            "position": where.to_dict(),
            "proof": [node.hex() for node in tree.inclusion_proof(where.index)],
            "anchor": _described(batch),
        }

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Each part with ``ok``: database, chain (the right one, with our contracts), ledger (that of database,
        deployment and chain is one), anchoring, index; and where we have joined another's chain, whether our account
        may record uses there.
        """
        checks = {
            "database": self._tried(self._check_database),
            "chain": self._tried(self._check_chain),
            "ledger": self._tried(self._check_ledger),
            "anchoring": self._tried(self._check_anchoring),
            "index": self._tried(self._check_index),
        }
        return checks if self._own_account is None else checks | {"account": self._tried(self._own_account)}

    def _tried(self, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return {"ok": True} | check()
        except PingzhengError as error:
            return {"ok": False, "code": error.code}
        except SQLAlchemyError:
            return {"ok": False, "code": "DATABASE_UNREACHABLE"}

    def _check_database(self) -> dict[str, Any]:
        with self._database.read() as session:
            session.execute(text("SELECT 1"))
        return {}

    def _check_chain(self) -> dict[str, Any]:
        check_deployment(self._reader.connection, self._reader.deployment)
        return {"block": self._reader.block_number()}

    def _check_ledger(self) -> dict[str, Any]:
        deployment = self._reader.deployment
        with self._database.read() as session:
            require_ledger(session, deployment.ledger)
        same = origin_of(self._reader.connection, deployment.forwarder) == deployment.origin
        return {"digest": deployment.ledger} | ({} if same else {"ok": False, "code": "LEDGER_DIFFERS"})

    def _check_anchoring(self) -> dict[str, Any]:
        if self._own_account is not None:
            return {"ours": False}
        with self._database.read() as session:
            waiting = _waiting(session)
        seconds = 0 if waiting.oldest is None else max(self._clock() - waiting.oldest, 0)
        until = self._reader.paused_until()
        # During a pause everything but anchoring, registering and binding goes on: the service stays ready.
        on_time = bool(until) or seconds <= MAX_PENDING_SECONDS
        return {"ok": on_time, "waiting": waiting.count, "seconds": seconds, "paused_until": until}

    def _check_index(self) -> dict[str, Any]:
        lag = self._follower.lag()
        return {"lag_blocks": lag.blocks, "lag_seconds": lag.seconds}


def _waiting(session: Session) -> log_store.Pending:
    """How many entries the chain is not known to hold, in closed batches or in none, and since when."""
    query = select(func.count(), func.min(Entry.created_at)).where(Entry.seq > log_store.last_seq_anchored(session))
    count, oldest = session.execute(query).one()
    return log_store.Pending(count, oldest)


def _described(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.number,
        "first_seq": batch.first_seq,
        "size": batch.size,
        "root": batch.root,
        "state": batch.state,
        "issuer": batch.issuer,
        "at": batch.at,
        "tx": batch.tx_hash,
        "block": batch.block_number,
    }
