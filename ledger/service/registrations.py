"""Rights registration: resources in, confirmed assets and registration certificates out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.chain.calls import confirm_assets, register_assets
from ledger.chain.reader import ChainReader
from ledger.chain.relay import SignedRequest
from ledger.domain.asset import asset_id, document_digest, summary
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.entries import registration_certificate_payload
from ledger.domain.resource import DataResource
from ledger.errors import Conflict, NotFound, PingzhengError
from ledger.service.acting import Acting
from ledger.service.issuance import add_certificate, next_number
from ledger.service.scenarios import ScenarioBook
from ledger.store.counters import take
from ledger.store.database import Database
from ledger.store.records import party, registration
from ledger.store.sealing import Sealer
from ledger.store.tables import Certificate, Registration, Resource

CHAIN_CHUNK = 100
VALID_YEARS = 3
REGISTRATION_SCENARIO = "S00"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource that was not taken, and why."""

    resource: DataResource
    error: PingzhengError


@dataclass(frozen=True, slots=True)
class Intake:
    """The outcome of handing in resources."""

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...]


class Registrations:
    """First registration, step by step; each step looks at the chain first, so a crash only delays it."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        reader: ChainReader,
        acting: Acting,
        scenarios: ScenarioBook,
        issuer: str,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._reader = reader
        self._acting = acting
        self._scenarios = scenarios
        self._issuer = issuer
        self._clock = clock

    def submit(self, applicant: str, resources: Sequence[DataResource]) -> Intake:
        """Record resources and their applications; identical content is refused, naming the earlier one."""
        accepted: list[str] = []
        refused: list[Refusal] = []
        with self._database.write() as session:
            for resource in resources:
                try:
                    accepted.append(self._submit(session, applicant, resource))
                except Conflict as error:
                    refused.append(Refusal(resource, error))
        return Intake(tuple(accepted), tuple(refused))

    def _submit(self, session: Session, applicant: str, resource: DataResource) -> str:
        identifier = asset_id(applicant, resource.code)
        earlier = session.execute(
            select(Registration.asset_id, Registration.reg_no, Resource.code)
            .join(Resource, Resource.code == Registration.resource_code)
            .where((Resource.fingerprint == resource.fingerprint) | (Resource.code == resource.code))
        ).first()
        if earlier is not None:
            if earlier.asset_id == identifier:
                return identifier
            raise Conflict(
                "DUPLICATE_REGISTRATION",
                f"Identical content is registered already: {earlier.reg_no} ({earlier.code}).",
                where=f"resource {resource.code}",
                hint="Ask its holder for a licence, or object to that registration.",
                earlier=earlier.asset_id,
                reg_no=earlier.reg_no,
            )
        now = self._clock()
        session.add(
            Resource(
                code=resource.code,
                provider=applicant,
                title=resource.title,
                document=resource.to_dict(),
                content_digest=resource.content_digest,
                fingerprint=resource.fingerprint,
                created_at=now,
            )
        )
        session.flush()
        serial = take(session, f"registration/{shanghai_day(now).year}", 1) + 1
        session.add(
            Registration(
                asset_id=identifier,
                resource_code=resource.code,
                applicant=applicant,
                reg_no=f"REG-{shanghai_day(now).year}-{serial:08d}",
                created_at=now,
            )
        )
        session.flush()
        return identifier

    def register(
        self,
        asset_ids: Sequence[str],
        progress: Callable[[int], None] = lambda _: None,
        signed: SignedRequest | None = None,
    ) -> int:
        """Put applications on the chain in the applicant's name; those there already are passed over.

        Returns the gas used.
        """
        gas = 0
        for chunk in _chunks(asset_ids):
            known = self._reader.assets(chunk)
            missing = [identifier for identifier, asset in zip(chunk, known, strict=True) if asset is None]
            for applicant, rows in self._by_applicant(missing).items():
                gas += self._acting.act(applicant, register_assets(rows), signed).gas_used
            progress(len(chunk))
        return gas

    def _by_applicant(self, asset_ids: Sequence[str]) -> dict[str, list[tuple[str, str, str]]]:
        grouped: dict[str, list[tuple[str, str, str]]] = {}
        with self._database.read() as session:
            for identifier in asset_ids:
                row, resource = registration(session, identifier)
                account = party(session, row.applicant).account
                content = document_digest(resource.document).removeprefix("sha-256:")
                grouped.setdefault(account, []).append((identifier, content, resource.fingerprint))
        return grouped

    def confirm(
        self,
        registrar: str,
        asset_ids: Sequence[str],
        progress: Callable[[int], None] = lambda _: None,
        signed: SignedRequest | None = None,
    ) -> int:
        """Confirm applications as ``registrar``, who is not the applicant, for three years; returns the gas used."""
        gas = 0
        today = shanghai_day(self._clock())
        last_day = today.replace(year=today.year + VALID_YEARS, day=min(today.day, 28))
        valid_to = end_of_validity(last_day)
        with self._database.read() as session:
            account = party(session, registrar).account
        for chunk in _chunks(asset_ids):
            waiting = [
                identifier
                for identifier, asset in zip(chunk, self._reader.assets(chunk), strict=True)
                if asset is not None and asset.state == "registered"
            ]
            if waiting:
                gas += self._acting.act(account, confirm_assets(waiting, valid_to), signed).gas_used
            self._issue_missing(chunk)
            progress(len(chunk))
        return gas

    def _issue_missing(self, asset_ids: Sequence[str]) -> None:
        with self._database.read() as session:
            held = set(session.scalars(select(Certificate.asset_id).where(Certificate.asset_id.in_(asset_ids))))
        missing = [identifier for identifier in asset_ids if identifier not in held]
        if missing:
            self._issue_all(missing)

    def issue_certificate(self, identifier: str) -> Certificate:
        """The registration certificate of the asset's present holder; the one before it is named as superseded."""
        try:
            return self._issue_all([identifier])[0]
        except IntegrityError:
            # Another process issued it first.
            with self._database.read() as session:
                return current_certificate(session, identifier)

    def _issue_all(self, asset_ids: Sequence[str]) -> list[Certificate]:
        assets = self._reader.assets(asset_ids)
        for identifier, asset in zip(asset_ids, assets, strict=True):
            if asset is None or asset.state != "confirmed":
                raise Conflict(
                    "ASSET_NOT_CONFIRMED", "Only a confirmed registration gets a certificate.", where=identifier
                )
        with self._database.write() as session:
            return [self._issue(session, asset.id, asset.holder, asset.valid_to) for asset in assets if asset]

    def _issue(self, session: Session, identifier: str, holder: str, valid_to: int) -> Certificate:
        row, resource = registration(session, identifier)
        earlier = latest_certificate(session, identifier)
        if earlier is not None and earlier.subject == holder:
            return earlier
        now = self._clock()
        scenario = self._scenarios.get(REGISTRATION_SCENARIO)
        session.execute(update(Registration).where(Registration.asset_id == identifier).values(valid_to=valid_to))
        payload = registration_certificate_payload(
            certificate_no=next_number(session, party(session, holder).region, REGISTRATION_SCENARIO, now),
            iss=self._issuer,
            sub=holder,
            scenario=scenario.code,
            scenario_version=scenario.version,
            scenario_digest=scenario.digest,
            purpose=scenario.purpose.zh,
            iat=now,
            nbf=now,
            exp=valid_to,
            rights_duties=scenario.rights_duties,
            grade=scenario.grade,
            asset=identifier,
            resource=summary(resource.document),
            rights=[{"kind": kind, "holder": holder} for kind in ("hold", "process", "operate")],
            reg_no=row.reg_no,
            supersedes=None if earlier is None else f"sha-256:{earlier.leaf}",
        )
        return add_certificate(
            session,
            self._sealer,
            payload,
            now,
            asset_id=identifier,
            supersedes=None if earlier is None else earlier.certificate_no,
        )

    def get(self, identifier: str) -> dict[str, Any]:
        """An asset: its resource and registration from the store, its state and holder from the chain."""
        with self._database.read() as session:
            row, resource = registration(session, identifier)
            issued = latest_certificate(session, identifier)
        asset = self._reader.asset(identifier)
        return {
            "asset": identifier,
            "reg_no": row.reg_no,
            "applicant": row.applicant,
            "resource": resource.document,
            "certificate_no": None if issued is None else issued.certificate_no,
            "state": "submitted" if asset is None else asset.state,
            "holder": None if asset is None else asset.holder,
            "frozen": False if asset is None else asset.frozen,
            "valid_to": None if asset is None else asset.valid_to,
            "offer": None
            if asset is None or asset.offered_to is None
            else {"to": asset.offered_to, "deadline": asset.offer_deadline},
        }

    def page(self, after: str | None, limit: int) -> list[Registration]:
        """Registrations by asset id."""
        query = select(Registration).order_by(Registration.asset_id).limit(limit)
        if after:
            query = query.where(Registration.asset_id > after)
        with self._database.read() as session:
            return list(session.scalars(query))


def latest_certificate(session: Session, identifier: str) -> Certificate | None:
    """The newest registration certificate of an asset."""
    superseded = select(Certificate.supersedes).where(
        Certificate.asset_id == identifier, Certificate.supersedes.is_not(None)
    )
    return session.scalar(
        select(Certificate).where(Certificate.asset_id == identifier, Certificate.certificate_no.not_in(superseded))
    )


def current_certificate(session: Session, identifier: str) -> Certificate:
    """The newest registration certificate; raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
    found = latest_certificate(session, identifier)
    if found is None:
        raise NotFound("CERTIFICATE_UNKNOWN", "The asset has no registration certificate yet.", where=identifier)
    return found


def _chunks(asset_ids: Sequence[str]) -> list[Sequence[str]]:
    return [asset_ids[start : start + CHAIN_CHUNK] for start in range(0, len(asset_ids), CHAIN_CHUNK)]
