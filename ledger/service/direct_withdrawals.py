"""What subjects told the chain past us: their consents end here too, and the certificates built on them.

A verifier honours such a withdrawal at once and needs none of this; here it is the platform that catches up.
"""

from __future__ import annotations

from ledger.domain.lifecycle import AUTHORIZATION
from ledger.index.follower import Follower
from ledger.index.withdrawals import unheeded
from ledger.service.authorizations import cancel_request
from ledger.service.positions import Positions
from ledger.service.status import CertificateStatus
from ledger.store.database import Database
from ledger.store.records import authorization, certificates_of
from ledger.store.tables import Authorization


class DirectWithdrawals:
    """Follows withdrawals on the chain. Safe to call again after a crash at any point."""

    def __init__(self, database: Database, follower: Follower, positions: Positions, status: CertificateStatus) -> None:
        self._database = database
        self._follower = follower
        self._positions = positions
        self._status = status

    def follow(self) -> list[Authorization]:
        """End the consents that their subjects withdrew by themselves, with what rests on them; returns these."""
        self._follower.sync()
        with self._database.read() as session:
            found = list(session.scalars(unheeded()))
        return [self._end(identifier) for identifier in found]

    def _end(self, identifier: str) -> Authorization:
        with self._database.read() as session:
            row = authorization(session, identifier)
            built = [certificate.leaf for certificate in certificates_of(session, row.request_id)]
        # The certificates first: what is marked as withdrawn here is not looked at again.
        for leaf in built:
            self._status.revoke_position(self._positions.wait(leaf), "consent_withdrawn")
        with self._database.write() as session:
            row = authorization(session, identifier)
            if row.state == "active":
                row.state = AUTHORIZATION.next(row.state, "withdraw")
                cancel_request(session, row.request_id)
        return row
