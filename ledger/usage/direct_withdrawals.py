"""Carries out in the database the withdrawals that so far are only on the chain.

There are two causes: a subject withdrew on the chain without the service; or a withdrawal through the service was
interrupted after the act on the chain, before all certificates were revoked. Verifiers read withdrawals from the chain,
so they do not wait for this module.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, exists, select

from ledger.certificates.status import CertificateStatus, ended_certificates
from ledger.certificates.tables import Certificate
from ledger.domain.days import Clock
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.index.follower import Follower
from ledger.log.positions import Positions
from ledger.store.database import Database
from ledger.usage.ended_statements import withdrawn_but_active
from ledger.usage.lookups import authorization, certificates_of
from ledger.usage.recorded import RecordedAuthorization
from ledger.usage.tables import Authorization
from ledger.usage.withdrawals import CONSENT_WITHDRAWN, cancel_request, revoke_anchored


@dataclass(eq=False, repr=False)
class DirectWithdrawals:
    """Carries out in the database the withdrawals that the chain recorded. Each call can be repeated after a crash at
    any point.
    """

    _database: Database
    _follower: Follower
    _positions: Positions
    _status: CertificateStatus
    _clock: Clock

    def follow(self) -> list[RecordedAuthorization]:
        """End the authorizations that subjects withdrew on the chain, revoke the certificates that rest on them, and
        return the ended authorizations.

        A certificate that is not anchored yet cannot be anchored during a pause, and only an anchored certificate can
        be revoked. A call after the pause anchors and revokes it.
        """
        self._follower.sync()
        with self._database.read() as session:
            found = [*session.scalars(withdrawn_but_active()), *session.scalars(_half_ended())]
        return [self._end(identifier) for identifier in found]

    def _end(self, identifier: str) -> RecordedAuthorization:
        with self._database.write() as session:
            row = authorization(session, identifier)
            if row.state == "active":
                # Mark the authorization as withdrawn first. Otherwise a certificate could be issued after the
                # certificates to revoke are read, and that certificate would stay active.
                row.state = AUTHORIZATION.next(row.state, "withdraw")
                cancel_request(session, row.request_id)
            built = [certificate.digest for certificate in certificates_of(session, row.request_id)]
            (ended,) = RecordedAuthorization.all_of(session, [row], self._clock())
        revoke_anchored(self._status, self._positions, built, CONSENT_WITHDRAWN)
        return ended


def _half_ended() -> Select[str]:
    """Return the ids of withdrawn authorizations that have a certificate which is still active."""
    not_ended = exists().where(
        Certificate.request_id == Authorization.request_id, Certificate.digest.not_in(ended_certificates())
    )
    return select(Authorization.id).where(Authorization.state == "withdrawn", not_ended).order_by(Authorization.id)
