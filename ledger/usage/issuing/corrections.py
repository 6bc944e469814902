"""Correction of a usage certificate: if a provider corrects its data, a new version supersedes the old version.

The old version can be verified for any time before the correction, and the new version for any time after it. Both
versions share the uses of their request, so a correction does not restore uses.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.lookups import certificate
from ledger.certificates.status import CertificateStatus
from ledger.certificates.tables import Certificate
from ledger.chain.reading.reader import ChainReader
from ledger.domain.digests import reference
from ledger.errors import Conflict
from ledger.log.positions import Positions
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.bundle import Position
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.usage.issuing.answered_requests import AnsweredRequests
from ledger.usage.issuing.issuance import Issuance, Version
from ledger.usage.lookups import authorizations_of, certificates_of, provisions_of


@dataclass(eq=False, repr=False)
class Corrections:
    """Issues corrected versions. Each call can be repeated after a crash at any point."""

    _database: Database
    _sealer: Sealer
    _reader: ChainReader
    _issuance: Issuance
    _positions: Positions
    _status: CertificateStatus

    def correct(self, actor: Actor, number: str) -> IssuedCertificate:
        """Issue the corrected version of a certificate, supersede the old version on the chain, and return the new
        version.

        If an earlier call issued the corrected version, that version is returned. Raises ``Conflict``
        ``NOTHING_CORRECTED``, ``CERTIFICATE_STOPPED``; the errors of ``Issuance.issue``; ``NotFound`` for an unknown
        certificate.
        """
        require(actor, Action.ISSUE_CERTIFICATE)
        with self._database.read() as session:
            old = certificate(session, number)
        place = self._positions.wait(old.digest)
        with self._database.read() as session:
            made = self._made_before(session, old)
        if made is None:
            self._require_not_stopped(old, place)
            made = self._add(old)
        # First wait until the successor is anchored on the chain, and only then end the old version, so that at every
        # time one of the two versions is valid.
        self._positions.wait(made.digest)
        self._status.supersede(old.certificate_no, made.certificate_no)
        return made

    @staticmethod
    def _made_before(session: Session, old: Certificate) -> IssuedCertificate | None:
        """Return the next version if an earlier call issued that version, else None. Raises ``Conflict``
        ``NOT_A_USAGE_CERTIFICATE``.
        """
        following = [row for row in certificates_of(session, _request_of(old)) if row.version == old.version + 1]
        return IssuedCertificate.of(following[0]) if following else None

    def _add(self, old: Certificate) -> IssuedCertificate:
        with self._issuance.before_writing() as session:
            return self._made_before(session, old) or self._next_version(session, old)

    def _next_version(self, session: Session, old: Certificate) -> IssuedCertificate:
        identifier = _request_of(old)
        statement = log_store.statement(session, old.digest)
        answers = [provisions_of(session, consent.id)[-1] for consent in authorizations_of(session, identifier)]
        newest = {reference(answer.digest) for answer in answers if answer.result == "supplied"}
        if newest <= set(statement["provisions"]):
            raise Conflict(
                "NOTHING_CORRECTED",
                "No provider has corrected the data that this certificate rests on.",
                where=old.certificate_no,
                hint="Ask the provider to supply the data again, and to name the wrong provision in `corrects`.",
            )
        answered = AnsweredRequests(session, self._sealer, [identifier], {})
        (made,) = self._issuance.add(session, answered, [Version(answered.request(identifier), old)])
        return made

    def _require_not_stopped(self, old: Certificate, place: Position) -> None:
        """Raise ``Conflict`` if the certificate is suspended, revoked or held. Otherwise the new version would be valid
        although the old version was stopped.

        No error is raised if the certificate was suspended or revoked because its data is wrong: a correction is the
        remedy.
        """
        seen = self._reader.status_of(place)
        if seen.state in ("suspended", "revoked") and seen.reason != "data_error":
            raise _stopped(old, f"{seen.state}, because: {seen.reason}")
        if offices := self._reader.hold_of(old.digest).offices:
            raise _stopped(old, f"held by {', '.join(offices)}")


def _request_of(old: Certificate) -> str:
    """Return the id of the certificate's request. Raises ``Conflict`` ``NOT_A_USAGE_CERTIFICATE``."""
    if old.request_id is None:
        raise Conflict(
            "NOT_A_USAGE_CERTIFICATE", "Only a usage certificate can get a new version.", where=old.certificate_no
        )
    return old.request_id


def _stopped(old: Certificate, how: str) -> Conflict:
    return Conflict(
        "CERTIFICATE_STOPPED",
        f"The certificate is {how}.",
        where=old.certificate_no,
        hint="Resume the certificate or lift its hold first. A revoked certificate can be corrected only if it was "
        "revoked because its data is wrong.",
    )
