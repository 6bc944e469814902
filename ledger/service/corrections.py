"""Correcting a usage certificate: what a provider supplied anew makes a new version that supersedes the old one.

Both verify: the old one for any time before, the new one from now on. A correction gives no use back.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.chain.reader import ChainReader
from ledger.errors import Conflict
from ledger.proof.bundle import Position
from ledger.service.issuance import Issuance
from ledger.service.positions import Positions
from ledger.service.status import CertificateStatus
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import access_request, authorizations_of, certificate, certificates_of, provisions_of
from ledger.store.tables import Certificate


class Corrections:
    """Issues corrected versions. Safe to call again after a crash at any point."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        issuance: Issuance,
        positions: Positions,
        status: CertificateStatus,
    ) -> None:
        self._database = database
        self._reader = reader
        self._issuance = issuance
        self._positions = positions
        self._status = status

    def correct(self, number: str) -> Certificate:
        """The corrected version of a certificate, superseding it on the chain; made before: that one.

        Raises ``Conflict`` ``NOTHING_CORRECTED``, ``USED_UP``, ``AUTHORIZATION_NOT_ACTIVE``, ``CERTIFICATE_STOPPED``;
        ``NotFound``.
        """
        with self._database.read() as session:
            old = certificate(session, number)
        place = self._positions.wait(old.leaf)
        used = self._reader.uses_of(place.batch, place.index)
        with self._database.write() as session:
            new = self._next_version(session, old, place, used)
        # The old one ends only once its successor stands on the chain.
        where = self._positions.wait(new.leaf)
        self._status.supersede(old.certificate_no, new.certificate_no)
        # Until then it could be used: what was given to both is taken back.
        if self._reader.uses_of(place.batch, place.index) + (new.max_uses or 0) > (old.max_uses or 0):
            self._status.revoke_position(where, "expired_basis")
            raise _used_up(old)
        return new

    def _next_version(self, session: Session, old: Certificate, place: Position, used: int) -> Certificate:
        if old.request_id is None:
            raise Conflict("NOT_A_USAGE_CERTIFICATE", "Only what rests on a request is corrected so.", where=old.leaf)
        following = [row for row in certificates_of(session, old.request_id) if row.version == old.version + 1]
        if following:
            return following[0]
        statement = log_store.statement(session, old.leaf)
        answers = [provisions_of(session, consent.id)[-1] for consent in authorizations_of(session, old.request_id)]
        newest = {f"sha-256:{answer.leaf}" for answer in answers if answer.result == "supplied"}
        if newest <= set(statement["provisions"]):
            raise Conflict(
                "NOTHING_CORRECTED",
                "No provider has corrected what this certificate rests on.",
                where=old.certificate_no,
                hint="The provider supplies again, naming in `corrects` what was wrong.",
            )
        left = statement["max_uses"] - used
        if left < 1:
            raise _used_up(old)
        self._require_not_stopped(old, place)
        request = access_request(session, old.request_id)
        return self._issuance.add(session, request, version=old.version + 1, supersedes=old, uses=left)

    def _require_not_stopped(self, old: Certificate, place: Position) -> None:
        """Who stopped a certificate, for an investigation or for good, stopped what it says: no version goes round it.

        One that was ended because its data is wrong is the very one to correct.
        """
        seen = self._reader.status_of(place.batch, place.index)
        if seen.state != "active" and seen.reason != "data_error":
            raise Conflict(
                "CERTIFICATE_STOPPED",
                f"The certificate is {seen.state}, because: {seen.reason}.",
                where=old.certificate_no,
                hint="It can be corrected after it was resumed; ended, it stays so.",
            )


def _used_up(old: Certificate) -> Conflict:
    return Conflict(
        "USED_UP",
        "The certificate is used up; a correction gives no use back.",
        where=old.certificate_no,
        hint="Ask the subject for a new authorization.",
    )
