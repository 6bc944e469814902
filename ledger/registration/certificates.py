"""Registration certificates: each confirmed state of an asset has a certificate; a new certificate supersedes the
previous certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.recording import NewCertificate, add_certificates, next_numbers
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
from ledger.errors import InvalidInput
from ledger.log.paused import waiting_for_its_end
from ledger.parties.lookups import unknown_party
from ledger.parties.tables import Party
from ledger.registration.descriptions import Descriptions, applications, describing, documents
from ledger.registration.lookups import unknown_asset
from ledger.registration.tables import Registration
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.sets import matching, portions

OWN_RIGHTS = ("hold", "process", "operate")
# A new certificate is issued if one of these members has changed since the asset's last certificate.
STATE = ("sub", "exp", "resource", "application", "rights")
# One transaction of the database records the certificates of at most this many assets, so that no other writer waits
# long.
SETTLED_TOGETHER = 250


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
        issued = []
        for some in portions(asset_ids, SETTLED_TOGETHER):
            self._descriptions.refresh(some)
            issued += self._issue_all(some)
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
                return self._issue(session, dict(zip(confirmed, rights, strict=True)))

    def _issue(
        self, session: Session, confirmed: Mapping[AssetRecord, Sequence[RightRecord]]
    ) -> list[IssuedCertificate]:
        now, known = self._clock(), _Known(session, confirmed)
        issued: dict[str, IssuedCertificate] = {}
        changed: dict[AssetRecord, dict[str, Any]] = {}
        for asset, rights in confirmed.items():
            earlier, state = known.earlier.get(asset.id), known.state(asset, rights, now)
            if earlier is not None and all(known.stated[earlier.digest][name] == state[name] for name in STATE):
                issued[asset.id] = IssuedCertificate.of(earlier)
            else:
                changed[asset] = state
        series = [(known.regions[asset.holder], REGISTRATION_SCENARIO) for asset in changed]
        numbers = next_numbers(session, series, now)
        scenario = self._scenarios.get(REGISTRATION_SCENARIO)
        new = []
        for number, (asset, state) in zip(numbers, changed.items(), strict=True):
            earlier = known.earlier.get(asset.id)
            members = state | {
                "ledger": self._ledger,
                "certificate_no": number,
                "iss": self._issuer,
                "scenario": scenario.code,
                "scenario_version": scenario.version,
                "scenario_digest": scenario.digest,
                "purpose": scenario.purpose.zh,
                "iat": now,
                "nbf": now,
                "rights_duties": scenario.rights_duties,
                "grade": "important" if asset.grade == "important" else state["resource"].get("grade", scenario.grade),
                "asset": asset.id,
                "notice": known.notice(asset),
                "reg_no": known.reg_nos[asset.id],
                "supersedes": None if earlier is None else reference(earlier.digest),
            }
            replaced = None if earlier is None else earlier.certificate_no
            new.append(NewCertificate(_numbered(members), asset_id=asset.id, supersedes=replaced))
        added = add_certificates(session, new, now)
        issued |= zip((asset.id for asset in changed), added, strict=True)
        return [issued[asset.id] for asset in confirmed]


class _Known:
    """What the database contains about confirmed assets, read with a few queries.

    ``earlier`` maps an asset id to the asset's newest certificate, and ``stated`` maps the digest of this certificate
    to its payload. ``reg_nos`` maps an asset id to the registration number, and ``regions`` a holder's party id to the
    holder's region.
    """

    def __init__(self, session: Session, confirmed: Iterable[AssetRecord]) -> None:
        """Raises ``NotFound`` ``ASSET_UNKNOWN`` or ``PARTY_UNKNOWN`` if an asset or its holder is not registered
        here.
        """
        holders = {asset.id: asset.holder for asset in confirmed}
        registered = matching(
            session, select(Registration.asset_id, Registration.reg_no), Registration.asset_id, holders
        )
        self.reg_nos: dict[str, str] = {row.asset_id: row.reg_no for row in registered}
        if holders.keys() != self.reg_nos.keys():
            raise unknown_asset()
        parties = matching(session, select(Party.id, Party.region), Party.id, holders.values())
        self.regions: dict[str, str] = {row.id: row.region for row in parties}
        if not self.regions.keys() >= set(holders.values()):
            raise unknown_party()
        self.earlier = latest_certificates(session, list(holders))
        self.stated = log_store.statements(session, (row.digest for row in self.earlier.values()))
        self._applications = describing(session, applications(session, list(holders)))
        self._documents = documents(session, self._applications.values())

    def state(self, asset: AssetRecord, rights: Sequence[RightRecord], now: int) -> dict[str, Any]:
        """Return those members of the asset's certificate that describe the state of the asset."""
        application = self._applications[asset.id]
        return {
            "sub": asset.holder,
            "exp": asset.valid_to,
            "resource": summary(self._documents[asset.id]),
            "application": {"kind": application.kind, "number": application.number},
            "rights": _rights(asset, rights, now),
        }

    def notice(self, asset: AssetRecord) -> dict[str, int] | None:
        """Return the times at which the public notice of the asset's description began and ended; None without a public
        notice.
        """
        application = self._applications[asset.id]
        if application.notice_from is None:
            return None
        return {"from": application.notice_from, "to": application.notice_to}


def _numbered(members: Mapping[str, Any]) -> Callable[[int], Mapping[str, Any]]:
    return lambda seq: registration_certificate_payload(seq=seq, **members)


def require_certifiable(code: str, document: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` ``SD_NAME_NESTED`` if the description of the resource with this code has a text that
    verifiers refuse in a certificate (protocol §5).

    The names of fields are not examined, because a certificate contains only their digest.
    """
    for name, value in document.items():
        if name != "fields" and holds_sd_name(value):
            raise InvalidInput(
                "SD_NAME_NESTED",
                "A text of the description is a name that SD-JWT libraries use to hide claims.",
                where=f"resource {code}: {name}",
                hint=f"Write it in other words; no text may be just one of these: {', '.join(sorted(SD_NAMES))}.",
            )


def latest_certificates(session: Session, assets: Sequence[str]) -> dict[str, Certificate]:
    """Return a map from asset id to the asset's newest registration certificate; assets without such a certificate are
    left out.
    """
    successor = aliased(Certificate)
    superseded = exists().where(successor.supersedes == Certificate.certificate_no)
    query = select(Certificate).where(~superseded)
    return {str(row[0].asset_id): row[0] for row in matching(session, query, Certificate.asset_id, assets)}


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
