"""Withdrawals that reached the chain and were not carried out here: what a subject withdrew without the service, and
what broke off between the chain and the store, or before the last certificate was revoked.

A verifier honours a withdrawal at once and needs none of this.
"""

from __future__ import annotations

from ledger.domain.lifecycle import AUTHORIZATION
from ledger.index.follower import Follower
from ledger.index.withdrawals import unheeded
from ledger.service.positions import Positions
from ledger.service.status import CertificateStatus
from ledger.service.withdrawals import CONSENT_WITHDRAWN, cancel_request
from ledger.store.database import Database
from ledger.store.records import authorization, certificates_of
from ledger.store.tables import Authorization


class DirectWithdrawals:
    """Follows withdrawals on the chain by (party, statement). Safe to call again after a crash at any point."""

    def __init__(self, database: Database, follower: Follower, positions: Positions, status: CertificateStatus) -> None:
        self._database = database
        self._follower = follower
        self._positions = positions
        self._status = status

    def follow(self) -> list[Authorization]:
        """End here the consents that their subjects withdrew, and the certificates that rest on them; returns these
        consents."""
        self._follower.sync()
        with self._database.read() as session:
            found = list(session.scalars(unheeded()))
        return [self._end(identifier) for identifier in found]

    def _end(self, identifier: str) -> Authorization:
        with self._database.write() as session:
            row = authorization(session, identifier)
            if row.state == "active":
                # Marked first: from here on no certificate is built on it that would be missed below.
                row.state = AUTHORIZATION.next(row.state, "withdraw")
                cancel_request(session, row.request_id)
            built = [certificate.digest for certificate in certificates_of(session, row.request_id)]
        for digest in built:
            self._status.revoke_position(self._positions.wait(digest), CONSENT_WITHDRAWN)
        return row
