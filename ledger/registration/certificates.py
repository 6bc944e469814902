"""Registration certificates: each confirmed state of an asset has a certificate; a new certificate supersedes the
previous certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.recording import add_certificate, next_number
from ledger.certificates.status import CertificateStatus
from ledger.certificates.tables import Certificate
from ledger.chain.locking import one_at_a_time
from ledger.chain.reading.contract_state import AssetRecord, RightRecord
from ledger.chain.reading.reader import ChainReader
from ledger.domain.assets.identity import summary
from ledger.domain.days import Clock
from ledger.domain.digests import reference
from ledger.domain.entries import SD_NAMES, holds_sd_name, registration_certificate_payload
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.resource import DataResource
from ledger.errors import InvalidInput
from ledger.log.paused import waiting_for_its_end
from ledger.parties.lookups import party
from ledger.registration.descriptions import Descriptions, application_document
from ledger.registration.lookups import registration
from ledger.registration.tables import Application
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.database import Database

OWN_RIGHTS = ("hold", "process", "operate")
# A new certificate is issued if one of these members has changed since the asset's last certificate.
STATE = ("sub", "exp", "resource", "application", "rights")


@dataclass(eq=False, repr=False)
class RegistrationCertificates:
    """Issues certificates for states that the chain has confirmed. Calls can be repeated after a crash.

    ``ledger`` is the ledger digest. ``lock`` is a lock file: it lets only one call at a time read the chain and issue
    certificates.
    """

    _database: Database
    _reader: ChainReader
    _status: CertificateStatus
    _scenarios: ScenarioBook
    _descriptions: Descriptions
    _issuer: str
    _ledger: str
    _clock: Clock
    _lock: Path

    def settle(self, asset_ids: Sequence[str]) -> list[IssuedCertificate]:
        """Return a certificate for each confirmed asset; if the asset's state has changed, issue a new certificate
        first.

        During a pause, a new certificate cannot be anchored and the old certificate cannot be superseded.
        ``Transfers.follow`` does both after the pause.
        """
        self._descriptions.refresh(asset_ids)
        issued = self._issue_all(asset_ids)
        for row in issued:
            if row.supersedes is not None:
                with waiting_for_its_end():
                    self._status.supersede(row.supersedes, row.certificate_no)
        return issued

    def _issue_all(self, asset_ids: Sequence[str]) -> list[IssuedCertificate]:
        # Without the lock, a call that read an older state could issue a certificate after a call that read a newer
        # state.
        with one_at_a_time(self._lock):
            assets = [asset for asset in self._reader.assets(asset_ids) if asset is not None]
            confirmed = [asset for asset in assets if asset.state == "confirmed"]
            rights = self._reader.rights_of([asset.id for asset in confirmed])
            with self._database.write() as session:
                return [self._issue(session, *each) for each in zip(confirmed, rights, strict=True)]

    def _issue(self, session: Session, asset: AssetRecord, rights: Sequence[RightRecord]) -> IssuedCertificate:
        now = self._clock()
        earlier = latest_certificate(session, asset.id)
        application = self._descriptions.application(session, asset.id)
        document = application_document(session, application)
        state: dict[str, Any] = {
            "sub": asset.holder,
            "exp": asset.valid_to,
            "resource": summary(document),
            "application": {"kind": application.kind, "number": application.number},
            "rights": _rights(asset, rights, now),
        }
        if earlier is not None:
            body = log_store.statement(session, earlier.digest)
            if all(body[name] == state[name] for name in STATE):
                return IssuedCertificate.of(earlier)
        members = self._members(session, asset, application, state, earlier, now)
        return add_certificate(
            session,
            lambda seq: registration_certificate_payload(seq=seq, **members),
            now,
            asset_id=asset.id,
            supersedes=None if earlier is None else earlier.certificate_no,
        )

    def _members(
        self,
        session: Session,
        asset: AssetRecord,
        application: Application,
        state: dict[str, Any],
        earlier: Certificate | None,
        now: int,
    ) -> dict[str, Any]:
        scenario = self._scenarios.get(REGISTRATION_SCENARIO)
        row, _ = registration(session, asset.id)
        noticed = application.notice_from is not None
        return dict(
            ledger=self._ledger,
            certificate_no=next_number(session, party(session, asset.holder).region, REGISTRATION_SCENARIO, now),
            iss=self._issuer,
            scenario=scenario.code,
            scenario_version=scenario.version,
            scenario_digest=scenario.digest,
            purpose=scenario.purpose.zh,
            iat=now,
            nbf=now,
            rights_duties=scenario.rights_duties,
            grade="important" if asset.grade == "important" else state["resource"].get("grade", scenario.grade),
            asset=asset.id,
            notice={"from": application.notice_from, "to": application.notice_to} if noticed else None,
            reg_no=row.reg_no,
            supersedes=None if earlier is None else reference(earlier.digest),
            **state,
        )


def require_certifiable(resource: DataResource) -> None:
    """Raise ``InvalidInput`` ``SD_NAME_NESTED`` if the description has a text that verifiers refuse in a certificate
    (protocol §5).
    """
    for name, value in summary(resource.to_dict()).items():
        if holds_sd_name(value):
            raise InvalidInput(
                "SD_NAME_NESTED",
                "A text of the description is a name that SD-JWT libraries use to hide claims.",
                where=f"resource {resource.code}: {name}",
                hint=f"Write it in other words; none of these may stand alone: {', '.join(sorted(SD_NAMES))}.",
            )


def latest_certificates(session: Session, assets: Sequence[str]) -> dict[str, Certificate]:
    """Return a map from asset id to the asset's newest registration certificate; assets without such a certificate are
    left out.
    """
    own = Certificate.asset_id.in_(assets)
    superseded = select(Certificate.supersedes).where(own, Certificate.supersedes.is_not(None))
    query = select(Certificate).where(own, Certificate.certificate_no.not_in(superseded))
    return {str(row.asset_id): row for row in session.scalars(query)}


def latest_certificate(session: Session, asset: str) -> Certificate | None:
    """Return the newest registration certificate of an asset, or None."""
    return latest_certificates(session, [asset]).get(asset)


def _rights(asset: AssetRecord, granted: Sequence[RightRecord], now: int) -> list[dict[str, Any]]:
    """Return the holder's own three rights, and the granted rights that have not ended."""
    own = [_right(kind, asset.holder, 0, False, 0, asset.valid_to) for kind in OWN_RIGHTS]
    return own + [
        _right(right.kind, right.grantee, right.no, right.exclusive, right.start, right.end)
        for right in granted
        if right.end > now
    ]


def _right(kind: str, holder: str, grant: int, exclusive: bool, start: int, end: int) -> dict[str, Any]:
    return {"kind": kind, "holder": holder, "grant": grant, "exclusive": exclusive, "from": start, "to": end}
