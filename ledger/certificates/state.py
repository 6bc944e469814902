"""Find the present state of one certificate on the chain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ledger.certificates.lookups import NamedStatement, certificate, statements_of
from ledger.certificates.own_entry import require_own_entry
from ledger.certificates.tables import Certificate
from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import AssetRecord, LeafStatus
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block
from ledger.domain.days import Clock
from ledger.log.coherence import FORGETFUL, commitment_of, forked
from ledger.log.positions import positions
from ledger.proof.bundle import Position
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Batch


class CertificateStates:
    """Reads the states of certificates as of the chain's newest block, which ``newest`` returns."""

    def __init__(self, database: Database, reader: ChainReader, newest: Callable[[], Block], clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._newest = newest
        self._clock = clock

    def status(self, number: str) -> dict[str, Any]:
        """Return a certificate's state, since when it has this state, the reason, and its position in the log. Claims
        are not returned.

        The state is one of ``ledger.usage.holdings.filter.STATES``. A certificate is ``building`` until the chain has
        its batch, whatever the database says. In this state ``paused_until`` is the latest time at which a pause ends
        (seconds UTC), 0 without a pause. ``since`` and ``reason`` are None for states that no act on the chain caused,
        such as ``expired``. Raises ``NotFound``; ``Incoherent`` if the chain has a different batch with this number,
        or if the state would be ``active`` but the chain has lost blocks that may have contained a revocation.
        """
        with self._database.read() as session:
            row = certificate(session, number)
            stated = require_own_entry(row, log_store.entries_by_digest(session, [row.digest])[row.digest].body)
            place = positions(session, [row.digest]).get(row.digest)
            batch = None if place is None else session.get_one(Batch, place.batch)
            named = statements_of(row.digest, stated)
            recorded = {entry.about for entry in log_store.withdrawals_of(session, (each.digest for each in named))}
        if place is None or batch is None:
            return self._building(number)
        block = self._newest().number
        if not self._holds(batch, place, block):
            return self._building(number)
        judged = self._judged(row, named, self._reader.status_of(place, block=block), recorded)
        if judged.state == "active":
            self._require_no_loss()
        found = {"certificate_no": number, "state": judged.state, "since": judged.since, "reason": judged.reason}
        return found | {"block": block} | place.to_dict()

    def public_status(self, number: str) -> dict[str, Any]:
        """Return the public part of the status: the state, and since when the certificate has this state. Raises
        ``NotFound``.

        The reason is not public. The position is also left out, because anybody who has the position can read the
        reason on the chain.
        """
        found = self.status(number)
        return {name: found[name] for name in ("certificate_no", "state", "since") if name in found}

    def _building(self, number: str) -> dict[str, Any]:
        return {"certificate_no": number, "state": "building", "paused_until": self._reader.paused_until()}

    def _holds(self, batch: Batch, place: Position, block: int) -> bool:
        """Return whether the chain has the certificate's batch. Raises ``Incoherent`` ``LOG_FORKED`` if the chain has a
        different batch under the same number.
        """
        held = self._reader.commitment(place.issuer, place.batch, block=block)
        if held is not None and held != commitment_of(batch):
            raise forked(batch.number).refusal()
        return held is not None

    def _require_no_loss(self) -> None:
        """Raise if the chain has lost its newest blocks, because a revocation may have been in the lost blocks."""
        finding = self._database.standing
        if finding is not None and finding.code in FORGETFUL:
            raise finding.refusal()

    def _judged(
        self, row: Certificate, named: Sequence[NamedStatement], own: LeafStatus, recorded: Collection[str | None]
    ) -> LeafStatus:
        """Return the certificate's state. The reasons for a state are checked in a fixed order, and the first reason
        that applies decides. ``own`` is the status that the issuer set in its log.

        The verifier, and ``judged_state`` for the holdings, use the same rules. ``recorded`` has the digests of the
        statements for which a log entry records a withdrawal.
        """
        if own.state in ("revoked", "superseded"):
            return own
        block, reads = own.block, self._reader.batched(own.block)
        parties = dict.fromkeys(party for party in (row.consumer, *(each.party for each in named)) if party)
        numbers = {party: reads.party_no(party) for party in parties}
        holds = {each.digest: reads.hold(each.digest) for each in named}
        if withdrawn := _withdrawn(named, reads, numbers, recorded):
            return LeafStatus(block, "revoked", *withdrawn)
        asset = None if row.asset_id is None else self._reader.asset(row.asset_id, block=block)
        if asset is not None and (ended := _ended_with(asset, row.subject)):
            return LeafStatus(block, ended, None, None)
        if own.state == "suspended":
            return own
        if held := [statement for statement, hold in holds.items() if hold().offices]:
            changes = [self._reader.hold_history(statement, block=block)[-1] for statement in held]
            first = min(changes, key=lambda change: change.at)
            return LeafStatus(block, "suspended", first.at, first.reason)
        if asset is not None and asset.frozen:
            return LeafStatus(block, "suspended", None, None)
        if self._clock() >= row.exp:
            return LeafStatus(block, "expired", None, None)
        if row.consumer is None or row.max_uses is None:
            return own
        (request,) = (each.digest for each in named if each.type == "request")
        used = reads.uses(numbers[row.consumer](), request)()
        return LeafStatus(block, "used_up", None, None) if used >= row.max_uses else own


def _withdrawn(
    named: Sequence[NamedStatement],
    reads: BatchedReads,
    numbers: Mapping[str, Callable[[], int]],
    recorded: Collection[str | None],
) -> tuple[int | None, str] | None:
    """Return the time and the reason of the withdrawal that ended a certificate, or None if no statement was withdrawn.

    If the withdrawing key was reported lost, a subject's withdrawal still counts, but a provider's withdrawal does not
    count (protocol §9). The time is None if only a log entry has the withdrawal.
    """
    asked = [(each, reads.withdrawn_at(numbers[each.party](), each.digest)) for each in named if each.party]
    facts = [(each, answer()) for each, answer in asked]
    for kind, reason in (("authorization", "consent_withdrawn"), ("provision", "data_error")):
        own = [(each, fact.first if kind == "authorization" else fact.at) for each, fact in facts if each.type == kind]
        if any(at or each.digest in recorded for each, at in own):
            return min((at for _, at in own if at), default=None), reason
    return None


def _ended_with(asset: AssetRecord, holder: str) -> str | None:
    """Return how a registration certificate ended, or None if it has not ended. The certificate ends if its asset is
    annulled or cancelled, or if ``holder`` no longer has the asset.
    """
    if asset.state in ("annulled", "cancelled"):
        return asset.state
    return "superseded" if asset.holder != holder else None
