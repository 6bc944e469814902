"""Registrations: resources handed in, put on the chain, and shown as they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.important_rules import matched_grade
from ledger.catalogue.lookups import listed_kinds
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.asset_calls import AssetRegistration, register_assets
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.assets.identity import asset_id
from ledger.domain.days import Clock, shanghai_day
from ledger.domain.definitions.ruleset import Ruleset
from ledger.domain.grades import asset_grade
from ledger.domain.resource import DataResource
from ledger.errors import Conflict, PingzhengError
from ledger.log.paused import PAUSED, saying_until_when
from ledger.parties.lookups import party
from ledger.parties.mandates import Mandates
from ledger.parties.permissions import Action
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import REFUSED
from ledger.registration.applications import (
    near_duplicates,
    record_application,
    require_describable,
    require_registrable,
)
from ledger.registration.certificates import latest_certificate
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
T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as the list shows it."""

    asset_id: str
    reg_no: str
    resource_code: str


class Registrations:
    """First registrations, and what stands of any; each step looks at the chain first, so a crash only delays it."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        acting: RelayedActs,
        descriptions: Descriptions,
        catalogue: Catalogue,
        mandates: Mandates,
        rules: Ruleset,
        clock: Clock,
    ) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._descriptions = descriptions
        self._catalogue = catalogue
        self._mandates = mandates
        self._rules = rules
        self._clock = clock

    def apply(
        self,
        actor: Actor,
        resources: Sequence[DataResource],
        codes: Sequence[str] = (),
        applicant: str | None = None,
        progress: Callable[[int], None] = lambda _: None,
        signed: SignedRequest | None = None,
    ) -> Intake:
        """Apply for first registration of ``resources``, and of the published ones of these ``codes``; see ``submit``
        and ``register``.
        """
        require(actor, Action.APPLY_REGISTRATION, owns=True)
        published = [self._catalogue.registrable(code) for code in codes]
        intake = self.submit(actor, [*published, *resources], applicant)
        self.register(intake.accepted, progress, signed)
        return intake

    def submit(self, actor: Actor, resources: Sequence[DataResource], applicant: str | None = None) -> Intake:
        """Record resources with their applications for first registration, by a broker for its principal ``applicant``.

        Refused are core data (``GRADE_CORE``) and content that is registered already (``DUPLICATE_REGISTRATION``,
        naming the earlier one), unless that registration has ended. Raises ``InvalidInput`` ``SD_NAME_NESTED`` for a
        description that no certificate can carry, ``Forbidden`` ``MANDATE_MISSING``.
        """
        require(actor, Action.APPLY_REGISTRATION, owns=True)
        principal = applicant or actor.party
        agent = None if principal == actor.party else actor.party
        if agent is not None:
            self._mandates.require(principal, agent)
        for resource in resources:
            require_describable(resource)
        accepted: list[str] = []
        refused: list[Refusal] = []
        ended = self._ended(resources)
        with self._database.write() as session:
            for resource in resources:
                try:
                    accepted.append(self._submit(session, principal, resource, agent, ended))
                except Conflict as error:
                    refused.append(Refusal(resource, error))
        return Intake(tuple(accepted), tuple(refused))

    def _ended(self, resources: Sequence[DataResource]) -> set[str]:
        """Earlier registrations of these resources, or of their content, that have ended.

        The chain is asked before the write lock is taken: an end is final.
        """
        found: set[str] = set()
        for some in chunks(resources):
            codes, contents = [each.code for each in some], [each.fingerprint for each in some]
            same = Application.fingerprint.in_(contents) | Registration.resource_code.in_(codes)
            query = select(Registration.asset_id).join(Application, Application.asset_id == Registration.asset_id)
            with self._database.read() as session:
                earlier = sorted(set(session.scalars(query.where(same))))
            known = (asset for asset in self._reader.assets(earlier) if asset is not None)
            found.update(asset.id for asset in known if asset.state not in LIVE)
        return found

    def _submit(
        self, session: Session, applicant: str, resource: DataResource, agent: str | None, ended: Collection[str]
    ) -> str:
        require_registrable(session, resource)
        present, attempts = _earlier(session, applicant, resource, ended)
        if present is not None:
            return present
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
        record_application(session, row.asset_id, "first", applicant, resource, self._rules, now, agent=agent)
        return row.asset_id

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
        except REFUSED as refusal:
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

    def page(self, after: str | None, limit: int) -> list[Registered]:
        """Registrations by asset id."""
        query = select(Registration).order_by(Registration.asset_id).limit(limit)
        if after:
            query = query.where(Registration.asset_id > after)
        with self._database.read() as session:
            return [Registered(row.asset_id, row.reg_no, row.resource_code) for row in session.scalars(query)]


def chunks(items: Sequence[T]) -> list[Sequence[T]]:
    """Asset ids, or resources, in the portions that one transaction takes."""
    return [items[start : start + CHAIN_CHUNK] for start in range(0, len(items), CHAIN_CHUNK)]


def _earlier(
    session: Session, applicant: str, resource: DataResource, ended: Collection[str]
) -> tuple[str | None, int]:
    """The applicant's own registration of this resource that has not ended, and how many have."""
    same = (Application.fingerprint == resource.fingerprint) | (Registration.resource_code == resource.code)
    query = select(Registration).join(Application, Application.asset_id == Registration.asset_id).where(same)
    rows = session.scalars(query.order_by(Registration.created_at, Registration.asset_id)).unique().all()
    own = [row for row in rows if (row.applicant, row.resource_code) == (applicant, resource.code)]
    for row in rows:
        if row.asset_id in ended:
            continue
        if row in own:
            return row.asset_id, 0
        raise _duplicate(resource, row)
    return None, len(own)


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


def _duplicate(resource: DataResource, row: Registration) -> Conflict:
    return Conflict(
        "DUPLICATE_REGISTRATION",
        f"Identical content is registered already: {row.reg_no} ({row.resource_code}).",
        where=f"resource {resource.code}",
        hint="Ask its holder for a licence, or object to that registration.",
        earlier=row.asset_id,
        reg_no=row.reg_no,
    )
