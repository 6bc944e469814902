"""Suspending, resuming, revoking and superseding certificates: the chain decides who may."""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain import calls
from ledger.chain.calls import Call
from ledger.chain.client import ChainClient
from ledger.chain.relay import SignedRequest
from ledger.errors import Conflict
from ledger.proof.bundle import Position
from ledger.service.acting import Acting
from ledger.service.positions import Positions
from ledger.store.database import Database
from ledger.store.records import certificate


class CertificateStatus:
    """Changes the status of a certificate, or of any leaf, by its position.

    ``by`` is the party in whose name the chain is told; it signs the call. Without it the operator sends it.
    """

    def __init__(
        self, database: Database, client: ChainClient, acting: Acting, positions: Positions, operator: str
    ) -> None:
        self._database = database
        self._client = client
        self._acting = acting
        self._positions = positions
        self._operator = operator

    def revoke(self, number: str, reason: str, by: str | None = None, signed: SignedRequest | None = None) -> None:
        """End a certificate for good; raises ``Conflict`` ``LOG_ALREADY_REVOKED``."""
        where = self.position(number)
        self._send(calls.revoke(where.batch, where.index, reason), by, signed)

    def suspend(self, number: str, reason: str, by: str | None = None, signed: SignedRequest | None = None) -> None:
        """Stop a certificate for a time; raises ``Conflict`` if it is suspended or revoked."""
        where = self.position(number)
        self._send(calls.suspend(where.batch, where.index, reason), by, signed)

    def resume(self, number: str, reason: str, by: str | None = None, signed: SignedRequest | None = None) -> None:
        """Let a suspended certificate stand again."""
        where = self.position(number)
        self._send(calls.resume(where.batch, where.index, reason), by, signed)

    def supersede(self, number: str, successor: str) -> None:
        """End a certificate in favour of another of its class and subject; done before: nothing is sent.

        Raises ``Conflict`` ``SUCCESSOR_DIFFERS``, ``NotFound``.
        """
        with self._database.read() as session:
            rows = [certificate(session, each) for each in (number, successor)]
        # A registration moves on to another holder; what is said of one subject never becomes another's.
        same = {(row.cls, row.subject if row.cls == "usage" else None) for row in rows}
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
        """Revoke a leaf, for instance an authorization; revoked before: nothing is sent."""
        self._once(lambda: self._client.send(calls.revoke(where.batch, where.index, reason)))

    def position(self, number: str) -> Position:
        """Where the certificate stands; raises ``NotFound``."""
        with self._database.read() as session:
            leaf = certificate(session, number).leaf
        return self._positions.wait(leaf)

    def _send(self, call: Call, by: str | None, signed: SignedRequest | None) -> None:
        if by is None or by == self._operator:
            self._client.send(call)
        else:
            self._acting.act_as(by, call, signed)

    @staticmethod
    def _once(send: Callable[[], object]) -> None:
        try:
            send()
        except Conflict as refusal:
            if refusal.code != "LOG_ALREADY_REVOKED":
                raise
