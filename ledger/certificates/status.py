"""Suspending, resuming, revoking and superseding certificates: their issuer's alone. Offices hold, see ``holds``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Select, select

from ledger.certificates.lookups import certificate
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import Conflict
from ledger.index.tables import STATUSES
from ledger.log.positions import Positions
from ledger.proof.bundle import Position
from ledger.proof.checks.classes import CERTIFICATE_CLASSES
from ledger.store.database import Database
from ledger.store.tables import Batch, Entry

# Revoked and superseded, by their numbers on the chain (protocol §3): for good, both.
ENDED: Final = (2, 3)


class CertificateStatus:
    """Changes the status of what this installation anchored in its own log; ``client`` is of the issuer's account."""

    def __init__(self, database: Database, client: ChainClient, positions: Positions) -> None:
        self._database = database
        self._client = client
        self._positions = positions

    def revoke(self, number: str, reason: str) -> None:
        """End a certificate for good; raises ``Conflict`` ``LOG_ALREADY_REVOKED``."""
        where = self.position(number)
        self._client.send(calls.revoke(where.batch, where.index, reason))

    def suspend(self, number: str, reason: str) -> None:
        """Stop a certificate for a time; raises ``Conflict`` if it is suspended or revoked."""
        where = self.position(number)
        self._client.send(calls.suspend(where.batch, where.index, reason))

    def resume(self, number: str, reason: str) -> None:
        """Let a suspended certificate stand again; an office's hold is not lifted by it."""
        where = self.position(number)
        self._client.send(calls.resume(where.batch, where.index, reason))

    def supersede(self, number: str, successor: str) -> None:
        """End a certificate in favour of another of its class and subject; done before: nothing is sent.

        Raises ``Conflict`` ``SUCCESSOR_DIFFERS``, ``NotFound``.
        """
        with self._database.read() as session:
            rows = [certificate(session, each) for each in (number, successor)]
        # A registration moves on to another holder; what is said of one subject never becomes another's.
        same = {(row.cls, None if CERTIFICATE_CLASSES[row.cls].transferable else row.subject) for row in rows}
        if len(same) != 1 or number == successor:
            raise Conflict(
                "SUCCESSOR_DIFFERS",
                "The successor is of another subject or class, or it is the same certificate.",
                where=successor,
                hint="Only a certificate for the same subject takes the place of this one.",
            )
        old, new = self.position(number), self.position(successor)
        self._once(lambda: self._client.send(calls.supersede(old.batch, old.index, new.batch, new.index)))

    def revoke_position(self, where: Position, reason: str) -> None:
        """Revoke a certificate by its position; revoked before: nothing is sent."""
        self._once(lambda: self._client.send(calls.revoke(where.batch, where.index, reason)))

    def position(self, number: str) -> Position:
        """Where the certificate stands; raises ``NotFound``."""
        with self._database.read() as session:
            digest = certificate(session, number).digest
        return self._positions.wait(digest)

    @staticmethod
    def _once(send: Callable[[], object]) -> None:
        try:
            send()
        except Conflict as refusal:
            if refusal.code != "LOG_ALREADY_REVOKED":
                raise


def ended_certificates() -> Select[str]:
    """Digests of what is revoked or superseded on the chain, by the index; the caller brings it up to date first."""
    return (
        select(Entry.digest)
        .join(Batch, Batch.number == Entry.batch)
        .join(
            STATUSES,
            (STATUSES.c.issuer == Batch.issuer)
            & (STATUSES.c.batch == Batch.number)
            & (STATUSES.c.index == Entry.seq - Batch.first_seq),
        )
        .where(STATUSES.c.status.in_(ENDED))
    )
