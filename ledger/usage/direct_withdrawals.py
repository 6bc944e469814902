"""Withdrawals that reached the chain and were not carried out here: what a subject withdrew without the service, and
what broke off between the chain and the store, or before the last certificate was revoked.

A verifier honours a withdrawal at once and needs none of this.
"""

from __future__ import annotations

from sqlalchemy import Select, exists, select

from ledger.certificates.status import CertificateStatus, ended_certificates
from ledger.certificates.tables import Certificate
from ledger.domain.days import Clock
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.index.follower import Follower
from ledger.log.paused import waiting_for_its_end
from ledger.log.positions import Positions
from ledger.store.database import Database
from ledger.usage.ended_statements import unheeded
from ledger.usage.lookups import authorization, certificates_of
from ledger.usage.recorded import RecordedAuthorization
from ledger.usage.tables import Authorization
from ledger.usage.withdrawals import CONSENT_WITHDRAWN, cancel_request


class DirectWithdrawals:
    """Follows withdrawals on the chain by (party, statement). Safe to call again after a crash at any point."""

    def __init__(
        self, database: Database, follower: Follower, positions: Positions, status: CertificateStatus, clock: Clock
    ) -> None:
        self._database = database
        self._follower = follower
        self._positions = positions
        self._status = status
        self._clock = clock

    def follow(self) -> list[RecordedAuthorization]:
        """End here the consents that their subjects withdrew, and the certificates that rest on them; returns these
        consents.

        A certificate that a pause keeps from being anchored is revoked by a later call, after the pause.
        """
        self._follower.sync()
        with self._database.read() as session:
            found = [*session.scalars(unheeded()), *session.scalars(_half_ended())]
        return [self._end(identifier) for identifier in found]

    def _end(self, identifier: str) -> RecordedAuthorization:
        with self._database.write() as session:
            row = authorization(session, identifier)
            if row.state == "active":
                # Marked first: from here on no certificate is built on it that would be missed below.
                row.state = AUTHORIZATION.next(row.state, "withdraw")
                cancel_request(session, row.request_id)
            built = [certificate.digest for certificate in certificates_of(session, row.request_id)]
            (ended,) = RecordedAuthorization.all_of(session, [row], self._clock())
        for digest in built:
            with waiting_for_its_end():
                self._status.revoke_position(self._positions.wait(digest), CONSENT_WITHDRAWN)
        return ended


def _half_ended() -> Select[str]:
    """Ids of withdrawn authorizations of whose request a certificate still stands."""
    standing = exists().where(
        Certificate.request_id == Authorization.request_id, Certificate.digest.not_in(ended_certificates())
    )
    return select(Authorization.id).where(Authorization.state == "withdrawn", standing).order_by(Authorization.id)
