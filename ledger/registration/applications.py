"""Applications for registration: resources handed in, put on the chain, changed, corrected, renewed, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.catalogue.data_list import listed_kinds, matched
from ledger.catalogue.important_rules import matched_grade
from ledger.chain.reading.contract_state import AssetRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.asset_calls import NOTHING, AssetRegistration, file_application, register_assets
from ledger.chain.sending.relay import SignedRequest
from ledger.chain.sending.sender import Receipt
from ledger.domain.assets.identity import asset_id, document_digest
from ledger.domain.days import DAY, Clock, shanghai_day
from ledger.domain.definitions.ruleset import Ruleset
from ledger.domain.digests import hex_of
from ledger.domain.grades import asset_grade
from ledger.domain.reasons import checked_grounds
from ledger.domain.resource import DataResource, check_registrable
from ledger.errors import Conflict, PingzhengError
from ledger.log.paused import PAUSED, saying_until_when
from ledger.parties.lookups import party
from ledger.parties.relayed_acts import RelayedActs
from ledger.registration.act_documents import REFUSALS, ActDocuments
from ledger.registration.certificates import latest_certificate, require_certifiable
from ledger.registration.descriptions import Descriptions, application_document, applications
from ledger.registration.lookups import registration
from ledger.registration.tables import Application, Registration, Resource
from ledger.registration.views import application_view, asset_view
from ledger.store.counters import take
from ledger.store.database import Database

CHAIN_CHUNK = 100
LIVE = ("applied", "confirmed")
# What is handed in waits for a signature, or for the end of a pause: it is registered by a later call.
WAITING = ("SIGNATURE_REQUIRED", "SIGNED_CALL_DIFFERS", PAUSED)


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
    """What applicants do; each step looks at the chain first, so a crash only delays it."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        acting: RelayedActs,
        documents: ActDocuments,
        descriptions: Descriptions,
        rules: Ruleset,
        clock: Clock,
    ) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._documents = documents
        self._descriptions = descriptions
        self._rules = rules
        self._clock = clock

    def submit(self, applicant: str, resources: Sequence[DataResource], agent: str | None = None) -> Intake:
        """Record resources with their applications for first registration.

        Refused are core data (``GRADE_CORE``) and content that is registered already (``DUPLICATE_REGISTRATION``,
        naming the earlier one), unless that registration has ended. Raises ``InvalidInput`` ``SD_NAME_NESTED`` for a
        description that no certificate can carry.
        """
        accepted: list[str] = []
        refused: list[Refusal] = []
        with self._database.write() as session:
            for resource in resources:
                try:
                    accepted.append(self._submit(session, applicant, resource, agent))
                except Conflict as error:
                    refused.append(Refusal(resource, error))
        return Intake(tuple(accepted), tuple(refused))

    def _submit(self, session: Session, applicant: str, resource: DataResource, agent: str | None) -> str:
        self._check(session, resource)
        standing, attempts = self._earlier(session, applicant, resource)
        if standing is not None:
            return standing
        now = self._clock()
        if session.get(Resource, resource.code) is None:
            session.add(_resource_row(applicant, resource, now))
            session.flush()
        serial = take(session, f"registration/{shanghai_day(now).year}", 1) + 1
        row = Registration(
            asset_id=asset_id(applicant, resource.code, attempts + 1),
            resource_code=resource.code,
            applicant=applicant,
            reg_no=f"REG-{shanghai_day(now).year}-{serial:08d}",
            created_at=now,
        )
        session.add(row)
        session.flush()
        self._add(session, row.asset_id, "first", applicant, resource, agent)
        return row.asset_id

    def _check(self, session: Session, resource: DataResource) -> None:
        require_certifiable(resource)
        # Important data is reviewed while its application is; core data, and what is listed as such, is not taken.
        check_registrable(replace(resource, grade=matched(session, resource)[0]), reviewed=True)

    def _earlier(self, session: Session, applicant: str, resource: DataResource) -> tuple[str | None, int]:
        """The applicant's own registration of this resource if it stands, and how many there were."""
        same = (Application.fingerprint == resource.fingerprint) | (Registration.resource_code == resource.code)
        rows = session.execute(
            select(Registration, Application.fingerprint)
            .join(Application, Application.asset_id == Registration.asset_id)
            .where(same)
            .order_by(Registration.created_at, Registration.asset_id)
        ).all()
        earlier = {row.asset_id: row for row, _ in rows}
        if not earlier:
            return None, 0
        for identifier, asset in zip(earlier, self._reader.assets(list(earlier)), strict=True):
            row = earlier[identifier]
            if asset is not None and asset.state not in LIVE:
                continue
            if row.applicant == applicant and row.resource_code == resource.code:
                return identifier, 0
            raise _duplicate(resource, row)
        return None, sum(row.applicant == applicant and row.resource_code == resource.code for row in earlier.values())

    def _add(
        self,
        session: Session,
        asset: str,
        kind: str,
        applicant: str,
        resource: DataResource,
        agent: str | None = None,
        content: str | None = None,
    ) -> Application:
        before = session.scalar(select(func.count()).where(Application.asset_id == asset))
        document = resource.to_dict()
        row = Application(
            id=str(ULID()),
            asset_id=asset,
            number=(before or 0) + 1,
            kind=kind,
            applicant=applicant,
            agent=agent,
            document=None if kind == "first" and _is_first_version(session, resource) else document,
            content=content or hex_of(document_digest(document)),
            fingerprint=resource.fingerprint,
            near_fingerprint=resource.near_fingerprint,
            ruleset=f"{self._rules.code}/{self._rules.version}/{hex_of(self._rules.digest)[:16]}",
            created_at=self._clock(),
        )
        session.add(row)
        session.flush()
        return row

    def register(
        self,
        asset_ids: Sequence[str],
        progress: Callable[[int], None] = lambda _: None,
        signed: SignedRequest | None = None,
    ) -> int:
        """Put applications on the chain in the applicant's name; those there already are passed over.

        Returns the gas used. Raises ``Conflict`` ``PARTY_PAUSED`` during a pause: what was handed in stays, and can be
        registered after it.
        """
        gas = 0
        for chunk in chunks(asset_ids):
            for account, rows in self._by_account(self._missing(chunk)).items():
                gas += self._register(account, rows, signed)
            progress(len(chunk))
        return gas

    def _register(self, account: str, rows: Sequence[AssetRegistration], signed: SignedRequest | None) -> int:
        try:
            with saying_until_when():
                return self._acting.act(account, register_assets(rows), signed).gas_used
        except REFUSALS as refusal:
            # What the contract refuses must not stand in another's way.
            missing = self._missing([row.id for row in rows])
            if not missing:
                # The same was handed in twice at once, and the other was first.
                return 0
            if refusal.code not in WAITING:
                self._discard(missing)
            raise

    def _missing(self, asset_ids: Sequence[str]) -> list[str]:
        """Those that the chain does not have."""
        known = self._reader.assets(asset_ids)
        return [identifier for identifier, asset in zip(asset_ids, known, strict=True) if asset is None]

    def _discard(self, asset_ids: Sequence[str]) -> None:
        with self._database.write() as session:
            for table in (Application, Registration):
                session.execute(delete(table).where(table.asset_id.in_(asset_ids)))

    def _by_account(self, asset_ids: Sequence[str]) -> dict[str, list[AssetRegistration]]:
        grouped: dict[str, list[AssetRegistration]] = {}
        with self._database.read() as session:
            kinds = listed_kinds(session)
            for identifier in asset_ids:
                row, _ = registration(session, identifier)
                first = applications(session, identifier)[0]
                resource = DataResource.from_dict(application_document(session, first))
                grade = asset_grade(matched_grade(resource, kinds)[0])
                entry = AssetRegistration(identifier, first.content, first.fingerprint, grade)
                grouped.setdefault(party(session, row.applicant).account, []).append(entry)
        return grouped

    def change(
        self, asset: str, by: str, kind: str, resource: DataResource, signed: SignedRequest | None = None
    ) -> Receipt:
        """Apply for ``change`` or ``correct`` with a new description, or hand in a returned application again.

        Nothing is overwritten: every version keeps its own document. Raises ``Conflict`` ``GRADE_CORE``,
        ``RESOURCE_CODE_DIFFERS``, ``InvalidInput`` ``SD_NAME_NESTED``, and what the contract refuses.
        """
        with self._database.read() as session:
            self._check(session, resource)
            row, _ = registration(session, asset)
        if resource.code != row.resource_code:
            raise Conflict(
                "RESOURCE_CODE_DIFFERS",
                f"The asset is of resource {row.resource_code}.",
                where=f"resource {resource.code}",
                hint="Another resource is registered as an asset of its own, with its lineage.",
            )
        content = hex_of(document_digest(resource.to_dict()))
        return self._file(asset, by, kind, resource, content, signed)

    def renew(self, asset: str, by: str, reason: str, signed: SignedRequest | None = None) -> Receipt:
        """Apply for renewal; raises ``Conflict`` ``RENEWAL_TOO_EARLY`` before the ruleset's days before expiry."""
        record = self._on_chain(asset)
        earliest = record.valid_to - self._rules.renew_before_days * DAY
        if record.stage is None and self._clock() < earliest:
            raise Conflict(
                "RENEWAL_TOO_EARLY",
                f"Renewal can be applied for from {self._rules.renew_before_days} days before expiry.",
                where=asset,
                hint=f"Apply from {shanghai_day(earliest).isoformat()} on.",
            )
        return self._reasoned(asset, by, "renew", reason, signed)

    def cancel(self, asset: str, by: str, reason: str, signed: SignedRequest | None = None) -> Receipt:
        """Apply for cancellation; confirmed, it is final."""
        return self._reasoned(asset, by, "cancel", reason, signed)

    def _reasoned(self, asset: str, by: str, kind: str, reason: str, signed: SignedRequest | None) -> Receipt:
        resource = DataResource.from_dict(self._descriptions.in_force(asset))
        with self._documents.kept(asset, kind, by, {"reason": checked_grounds(reason)}) as content:
            return self._file(asset, by, kind, resource, content, signed)

    def _file(
        self, asset: str, by: str, kind: str, resource: DataResource, content: str, signed: SignedRequest | None
    ) -> Receipt:
        with self._database.write() as session:
            rows = applications(session, asset)
            filed = rows[-1].kind == kind and rows[-1].content == content
            fresh = None if filed else self._add(session, asset, kind, by, resource, content=content).id
            grade = asset_grade(matched(session, resource)[0])
        fingerprint = NOTHING if resource.fingerprint == rows[0].fingerprint else resource.fingerprint
        call = file_application(asset, kind, content, fingerprint, grade)
        try:
            return self._acting.act_as(by, call, signed)
        except REFUSALS:
            if fresh is not None:
                with self._database.write() as session:
                    session.execute(delete(Application).where(Application.id == fresh))
            raise

    def _on_chain(self, asset: str) -> AssetRecord:
        found = self._reader.asset(asset)
        if found is None:
            raise Conflict("ASSET_NOT_ON_CHAIN", "The asset is not on the chain yet.", where=asset)
        return found

    def get(self, identifier: str) -> dict[str, Any]:
        """An asset: its resource and registration from the store, its state and holder from the chain."""
        with self._database.read() as session:
            row, _ = registration(session, identifier)
            rows = applications(session, identifier)
            near = near_duplicates(session, rows[-1])
            issued = latest_certificate(session, identifier)
        asset = self._reader.asset(identifier)
        return {
            "asset": identifier,
            "reg_no": row.reg_no,
            "applicant": row.applicant,
            "resource": self._descriptions.in_force(identifier),
            "certificate_no": None if issued is None else issued.certificate_no,
            "applications": [application_view(item) for item in rows],
            "near_duplicates": near,
            "annulled_ancestor": None if asset is None else self._reader.annulled_ancestor(identifier),
            **asset_view(asset),
        }

    def page(self, after: str | None, limit: int) -> list[Registration]:
        """Registrations by asset id."""
        query = select(Registration).order_by(Registration.asset_id).limit(limit)
        if after:
            query = query.where(Registration.asset_id > after)
        with self._database.read() as session:
            return list(session.scalars(query))


def near_duplicates(session: Session, row: Application) -> list[str]:
    """Assets of the same applicant whose resource has the same fields and other content: for the reviewer's eyes."""
    query = (
        select(Application.asset_id)
        .where(
            Application.near_fingerprint == row.near_fingerprint,
            Application.applicant == row.applicant,
            Application.fingerprint != row.fingerprint,
            Application.asset_id != row.asset_id,
        )
        .distinct()
        .order_by(Application.asset_id)
        .limit(20)
    )
    return list(session.scalars(query))


def chunks(asset_ids: Sequence[str]) -> list[Sequence[str]]:
    """Asset ids in the portions that one transaction takes."""
    return [asset_ids[start : start + CHAIN_CHUNK] for start in range(0, len(asset_ids), CHAIN_CHUNK)]


def _resource_row(applicant: str, resource: DataResource, now: int) -> Resource:
    return Resource(
        code=resource.code,
        provider=applicant,
        title=resource.title,
        document=resource.to_dict(),
        content_digest=resource.content_digest,
        fingerprint=resource.fingerprint,
        created_at=now,
    )


def _is_first_version(session: Session, resource: DataResource) -> bool:
    row = session.get_one(Resource, resource.code)
    return row.document == resource.to_dict()


def _duplicate(resource: DataResource, row: Registration) -> Conflict:
    return Conflict(
        "DUPLICATE_REGISTRATION",
        f"Identical content is registered already: {row.reg_no} ({row.resource_code}).",
        where=f"resource {resource.code}",
        hint="Ask its holder for a licence, or object to that registration.",
        earlier=row.asset_id,
        reg_no=row.reg_no,
    )
