"""What is said of a certificate's state: only what the chain holds now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.certificates.lookups import certificate, request_of
from ledger.certificates.own_entry import require_own_entry
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
    """Answers by the chain as of ``newest``, its newest block."""

    def __init__(self, database: Database, reader: ChainReader, newest: Callable[[], Block], clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._newest = newest
        self._clock = clock

    def status(self, number: str) -> dict[str, Any]:
        """The status of a certificate for those who have a part in it: state, since when, why, where. No payload.

        What an office holds, itself or its request, is ``suspended``. What waits for its anchor is ``building``, and
        ``paused_until`` is when a pause that keeps it waiting ends at the latest (0: no pause); so is what the chain
        does not hold, whatever the database says. Raises ``Incoherent`` for what would be ``active`` on a chain that
        holds another batch in that place, or has lost what may have ended the certificate.
        """
        with self._database.read() as session:
            row = certificate(session, number)
            require_own_entry(row, log_store.entries_by_digest(session, [row.digest])[row.digest].body)
            place = positions(session, [row.digest]).get(row.digest)
            batch = None if place is None else session.get_one(Batch, place.batch)
            request = request_of(session, row)
        if place is None or batch is None:
            return self._building(number)
        block = self._newest().number
        if not self._holds(batch, place, block):
            return self._building(number)
        seen = self._reader.status_of(place, block=block)
        state, since, reason = seen.state, seen.since, seen.reason
        if state == "active" and request is not None and (held := self._held([row.digest, request], seen.block)):
            state, (since, reason) = "suspended", held
        if state == "active" and self._clock() >= row.exp:
            state = "expired"
        if state == "active":
            self._require_no_loss()
        found = {"certificate_no": number, "state": state, "since": since, "reason": reason, "block": seen.block}
        return found | place.to_dict()

    def public_status(self, number: str) -> dict[str, Any]:
        """What anybody learns of a certificate by its number: state, and since when. Raises ``NotFound``.

        Neither where it stands nor why: reasons stay readable on the chain for those who know the position.
        """
        found = self.status(number)
        return {name: found[name] for name in ("certificate_no", "state", "since") if name in found}

    def _building(self, number: str) -> dict[str, Any]:
        return {"certificate_no": number, "state": "building", "paused_until": self._reader.paused_until()}

    def _holds(self, batch: Batch, place: Position, block: int) -> bool:
        """Whether the chain holds the certificate's batch; raises ``Incoherent`` ``LOG_FORKED`` for another one."""
        held = self._reader.commitment(place.issuer, place.batch, block=block)
        if held is not None and held != commitment_of(batch):
            raise forked(batch.number).refusal()
        return held is not None

    def _require_no_loss(self) -> None:
        """A chain that lost its end may have lost the revocation."""
        finding = self._database.standing
        if finding is not None and finding.code in FORGETFUL:
            raise finding.refusal()

    def _held(self, statements: list[str], block: int) -> tuple[int, str] | None:
        """Since when and why one of the statements is held, the earliest; None if none is."""
        histories = [self._reader.hold_history(statement, block=block) for statement in statements]
        holds = [history[-1] for history in histories if history and history[-1].offices]
        return min(((hold.at, hold.reason) for hold in holds), default=None)
