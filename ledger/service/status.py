"""Suspending, resuming, revoking and superseding certificates: the chain decides who may."""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain import calls
from ledger.chain.client import ChainClient
from ledger.errors import Conflict
from ledger.proof.bundle import Position
from ledger.service.positions import Positions
from ledger.store.database import Database
from ledger.store.records import certificate


class CertificateStatus:
    """Changes the status of a certificate, or of any leaf, by its position."""

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
        """Let a suspended certificate stand again."""
        where = self.position(number)
        self._client.send(calls.resume(where.batch, where.index, reason))

    def supersede(self, number: str, successor: str) -> None:
        """End a certificate in favour of another; done before with the same end: nothing is sent."""
        old, new = self.position(number), self.position(successor)
        self._once(lambda: self._client.send(calls.supersede(old.batch, old.index, new.batch, new.index)))

    def revoke_position(self, where: Position, reason: str) -> None:
        """Revoke a leaf, for instance an authorization; revoked before: nothing is sent."""
        self._once(lambda: self._client.send(calls.revoke(where.batch, where.index, reason)))

    def position(self, number: str) -> Position:
        """Where the certificate stands; raises ``NotFound``."""
        with self._database.read() as session:
            leaf = certificate(session, number).leaf
        return self._positions.wait(leaf)

    @staticmethod
    def _once(send: Callable[[], object]) -> None:
        try:
            send()
        except Conflict as refusal:
            if refusal.code != "LOG_ALREADY_REVOKED":
                raise
