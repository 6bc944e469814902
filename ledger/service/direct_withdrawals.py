"""Withdrawals that were told to one side only: to the chain past us, or to us and then not to the chain.

What subjects told the chain past us ends here too, with the certificates built on it; a verifier honours it at once and
needs none of this. What we recorded and then failed to tell the chain, a verifier cannot know: it is told now.
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
        """End the consents that their subjects withdrew by themselves, with what rests on them, and withdrawals that
        broke off; returns these."""
        self._follower.sync()
        with self._database.read() as session:
            found = list(session.scalars(unheeded()))
        return [self._end(identifier) for identifier in found]

    def _end(self, identifier: str) -> Authorization:
        with self._database.write() as session:
            row = authorization(session, identifier)
            ending = [certificate.leaf for certificate in certificates_of(session, row.request_id)]
            if row.state == "active":
                # Marked first: from here on no certificate is built on it that would be missed below.
                row.state = AUTHORIZATION.next(row.state, "withdraw")
                cancel_request(session, row.request_id)
            else:
                ending = [row.leaf, *ending]
        for leaf in ending:
            self._status.revoke_position(self._positions.wait(leaf), "consent_withdrawn")
        return row
