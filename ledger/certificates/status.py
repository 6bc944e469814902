"""The issuer suspends, resumes, revokes and supersedes its own certificates.

Holds, which authorities and supervisors place, are in ``holds``.
"""

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

# The status numbers on the chain for "revoked" and "superseded" (protocol §3). Both states are permanent.
ENDED: Final = (2, 3)


class CertificateStatus:
    """Changes the status of certificates in this installation's log; ``client`` sends from the issuer's account."""

    def __init__(self, database: Database, client: ChainClient, positions: Positions) -> None:
        self._database = database
        self._client = client
        self._positions = positions

    def revoke(self, number: str, reason: str) -> None:
        """Revoke a certificate permanently; raises ``Conflict`` ``LOG_ALREADY_REVOKED``."""
        where = self.position(number)
        self._client.send(calls.revoke(where.batch, where.index, reason))

    def suspend(self, number: str, reason: str) -> None:
        """Suspend a certificate until it is resumed; raises ``Conflict`` if it is suspended or revoked."""
        where = self.position(number)
        self._client.send(calls.suspend(where.batch, where.index, reason))

    def resume(self, number: str, reason: str) -> None:
        """End the issuer's suspension. A hold by an authority or a supervisor stays."""
        where = self.position(number)
        self._client.send(calls.resume(where.batch, where.index, reason))

    def supersede(self, number: str, successor: str) -> None:
        """Replace a certificate permanently by another certificate of the same class. The successor of a usage
        certificate must also have the same subject.

        Nothing is sent if the certificate is revoked or superseded already. Raises ``Conflict`` ``SUCCESSOR_DIFFERS``,
        ``NotFound``.
        """
        with self._database.read() as session:
            rows = [certificate(session, each) for each in (number, successor)]
        # A registered asset can pass to another holder, so its new certificate may have another subject. A usage
        # certificate and its successor must have the same subject.
        same = {(row.cls, None if CERTIFICATE_CLASSES[row.cls].transferable else row.subject) for row in rows}
        if len(same) != 1 or number == successor:
            raise Conflict(
                "SUCCESSOR_DIFFERS",
                "The successor differs from the old certificate in subject or class, or both are the same certificate.",
                where=successor,
                hint="Name another certificate of the same class and subject.",
            )
        old, new = self.position(number), self.position(successor)
        self._once(lambda: self._client.send(calls.supersede(old.batch, old.index, new.batch, new.index)))

    def revoke_position(self, where: Position, reason: str) -> None:
        """Revoke the certificate at a position of the log. If the certificate is already revoked or superseded, nothing
        changes.
        """
        self._once(lambda: self._client.send(calls.revoke(where.batch, where.index, reason)))

    def position(self, number: str) -> Position:
        """Wait until the certificate is anchored, and return its position in the log; raises ``NotFound``."""
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
    """Return a query for the digests of revoked or superseded certificates.

    The caller must first bring the index up to date.
    """
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
