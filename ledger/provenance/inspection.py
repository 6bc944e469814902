"""Inspect the whole log (head, batches, proofs), and whether the installation is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ledger.chain.contracts.deployment import check_deployment, origin_of
from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import Clock
from ledger.domain.findings import Finding
from ledger.errors import NotFound, PingzhengError
from ledger.index.follower import Follower
from ledger.index.tables import ANCHORS
from ledger.log.adopted import adopted_proof
from ledger.log.anchoring import Anchoring
from ledger.log.coherence import Coherence
from ledger.log.positions import position
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.merkle import Tree
from ledger.provenance.histories import Provenances
from ledger.provenance.record_audit import audit_records
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.entry_audit import audit
from ledger.store.identity import require_ledger
from ledger.store.tables import Batch, Entry

MAX_PENDING_SECONDS = 300
MAX_FAILING_SECONDS = 60


@dataclass(eq=False, repr=False)
class Inspection:
    """Returns counts and hashes of the log, never content.

    An installation that has joined another operator's chain has no ``anchoring``; its ``own_account`` checks the
    account that sends uses. ``oldest`` is how many seconds old the newest block may be; 0 allows any age.
    """

    _database: Database
    _reader: ChainReader
    _follower: Follower
    _provenances: Provenances
    _coherence: Coherence
    _clock: Clock
    _own_account: Callable[[], dict[str, Any]] | None = None
    _anchoring: Anchoring | None = None
    _oldest: int = 0

    def head(self) -> dict[str, Any]:
        """Return the head on the chain, whether hashing the indexed events gives this head, and the length of each
        issuer's log.

        ``paused_until`` is the latest end of a pause that stops anchoring (seconds UTC), 0 without a pause. ``failure``
        is the reason why entries are not anchored, and since when. ``finding`` is the reason why this ledger refuses
        writes.
        """
        completeness = self._provenances.log()
        with self._database.read() as session:
            waiting = _waiting(session)
        logs, finding = self._logs(), self._coherence.check()
        return asdict(completeness) | {
            "ledger": self._reader.chain.ledger,
            "batches": sum(each["batches"] for each in logs),
            "entries_anchored": sum(each["entries"] for each in logs),
            "entries_waiting": waiting.count,
            "batches_waiting": waiting.batches,
            "paused_until": self._reader.paused_until(),
            "failure": self._failure(),
            "finding": None if finding is None else {"code": finding.code, "where": finding.where},
            "logs": logs,
        }

    def entries(self) -> list[Finding]:
        """Compare each entry with its leaf, each batch with its root and with the chain, and each row with its entry.

        This takes long for a long log. Raises ``ChainUnavailable``.
        """
        with self._database.read() as session:
            # Rows repeat parts of their log entries. If an entry is damaged, even a correct row differs from it, so
            # rows are compared only if no entry is damaged.
            found = list(audit(session)) or list(audit_records(session))
        return found + self._coherence.batches_differing()

    def _failure(self) -> dict[str, Any] | None:
        failure = None if self._anchoring is None else self._anchoring.failure()
        return None if failure is None else asdict(failure)

    def _logs(self) -> list[dict[str, Any]]:
        """Return for each issuer (party number) how many batches and entries are anchored, from the index."""
        query = (
            select(ANCHORS.c.issuer, func.count(), func.sum(ANCHORS.c.size))
            .group_by(ANCHORS.c.issuer)
            .order_by(ANCHORS.c.issuer)
        )
        with self._database.engine.connect() as connection:
            found = connection.execute(query).all()
        return [{"issuer": issuer, "batches": batches, "entries": int(entries)} for issuer, batches, entries in found]

    def batch(self, number: int) -> dict[str, Any]:
        """Return a batch with its anchor; raises ``NotFound`` ``BATCH_UNKNOWN``."""
        with self._database.read() as session:
            return _described(log_store.batch(session, number))

    def proof(self, actor: Actor, seq: int) -> dict[str, Any]:
        """Return the inclusion proof of an entry.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``NotFound`` ``ENTRY_UNKNOWN``, ``Conflict`` ``NOT_ANCHORED_YET``.
        """
        require(actor, Action.VERIFY, owns=True)
        with self._database.read() as session:
            entry = session.scalar(select(Entry).where(Entry.seq == seq))
            if entry is None:
                raise NotFound("ENTRY_UNKNOWN", f"The log has no entry {seq}.")
            where = position(session, entry.digest)
            batch = log_store.batch(session, where.batch)
            lost = batch.state == "lost"
            tree = None if lost else Tree(log_store.leaves(session, batch))
            nodes = tree.inclusion_proof(where.index) if tree else adopted_proof(session, batch, where.index)
        return {
            "seq": seq,
            "type": entry.type,
            "leaf": entry.leaf,
            "digest": entry.digest,
            "position": where.to_dict(),
            "proof": [node.hex() for node in nodes],
            "anchor": _described(batch),
        }

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Check each part of the installation, and return for each part the result and whether it is in order (``ok``).

        The parts are the database, the chain (with this ledger's contracts), the ledger (whether database, deployment
        file and chain belong together), anchoring and the index. An installation that has joined another operator's
        chain also checks whether its account may send uses.
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
        newest = self._reader.latest()
        age = max(self._clock() - newest.time, 0)
        answer = {"block": newest.number, "head_age": age}
        return answer | ({"ok": False, "code": "CHAIN_HEAD_OLD"} if self._oldest and age > self._oldest else {})

    def _check_ledger(self) -> dict[str, Any]:
        deployment = self._reader.deployment
        with self._database.read() as session:
            require_ledger(session, deployment.ledger)
        if origin_of(self._reader.connection, deployment.forwarder) != deployment.origin:
            return {"digest": deployment.ledger, "ok": False, "code": "LEDGER_DIFFERS"}
        finding = self._coherence.check()
        problem = {} if finding is None else {"ok": False, "code": finding.code, "where": finding.where}
        return {"digest": deployment.ledger} | problem

    def _check_anchoring(self) -> dict[str, Any]:
        if self._own_account is not None:
            return {"ours": False}
        with self._database.read() as session:
            waiting = _waiting(session)
        seconds = 0 if waiting.oldest is None else max(self._clock() - waiting.oldest, 0)
        until = self._reader.paused_until()
        failure = self._failure()
        # During a pause, late entries do not make the service unready: a pause stops only anchoring, registering and
        # binding keys.
        late = not until and seconds > MAX_PENDING_SECONDS
        failing = failure is not None and self._clock() - failure["since"] > MAX_FAILING_SECONDS
        answer: dict[str, Any] = {
            "waiting": waiting.count,
            "batches": waiting.batches,
            "seconds": seconds,
            "paused_until": until,
        }
        answer |= {} if failure is None else {"failure": failure["code"], "since": failure["since"]}
        if late or failing:
            answer |= {"ok": False, "code": "ANCHORING_LATE" if failure is None else "ANCHORING_FAILS"}
        return answer

    def _check_index(self) -> dict[str, Any]:
        lag = self._follower.lag()
        return {"lag_blocks": lag.blocks, "lag_seconds": lag.seconds}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The entries that are not recorded as anchored: how many entries they are, how many closed batches contain them,
    and the time of the oldest entry (seconds UTC).
    """

    count: int
    batches: int
    oldest: int | None


def _waiting(session: Session) -> _Waiting:
    closed = select(Batch.number).where(Batch.state == "closed")
    query = select(func.count(), func.min(Entry.created_at)).where(Entry.batch.is_(None) | Entry.batch.in_(closed))
    count, oldest = session.execute(query).one()
    batches = session.scalar(select(func.count()).select_from(closed.subquery()))
    return _Waiting(count, batches or 0, oldest)


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
