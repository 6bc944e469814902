"""First registrations: submit resources, register them on the chain, and show their present states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.important_rules import matched_grade
from ledger.catalogue.lookups import listed_kinds
from ledger.chain.sending.asset_calls import AssetRegistration, register_assets
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.assets.identity import asset_id
from ledger.domain.days import shanghai_day
from ledger.domain.grades import asset_grade
from ledger.domain.resource import DataResource
from ledger.errors import Conflict, PingzhengError
from ledger.log.paused import PAUSED, saying_until_when
from ledger.parties.lookups import party
from ledger.parties.mandates import Mandates
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import REFUSED
from ledger.registration.applications import (
    near_duplicates,
    record_application,
    require_describable,
    require_registrable,
)
from ledger.registration.certificates import latest_certificates
from ledger.registration.descriptions import application_document, applications, describing
from ledger.registration.lookups import registration, unknown_asset
from ledger.registration.tables import Application, Registration, Resource
from ledger.registration.use_case import Parts, UseCase
from ledger.registration.views import application_view, asset_view
from ledger.store.counters import take

CHAIN_CHUNK = 100
LIVE = ("applied", "confirmed")
# After these refusals the application stays stored. A later call registers the application, once the call is signed or
# the pause has ended.
WAITING = ("SIGNATURE_REQUIRED", "SIGNED_CALL_DIFFERS", PAUSED)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource that was refused, and why."""

    resource: DataResource
    error: PingzhengError


@dataclass(frozen=True, slots=True)
class Intake:
    """The asset ids of the resources that were accepted, and the resources that were refused."""

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as lists show it."""

    asset_id: str
    reg_no: str
    resource_code: str


class Registrations(UseCase):
    """Makes first registrations, and returns the present state of any registration. Each step can be repeated after a
    crash.
    """

    def __init__(self, parts: Parts, catalogue: Catalogue, mandates: Mandates) -> None:
        super().__init__(parts)
        self._catalogue = catalogue
        self._mandates = mandates

    def apply(
        self,
        actor: Actor,
        resources: Sequence[DataResource],
        codes: Sequence[str] = (),
        applicant: str | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Intake:
        """Apply for first registration of the given ``resources`` and of the published resources with these
        ``codes``.
        """
        require(actor, Action.APPLY_REGISTRATION, owns=True)
        published = [self._catalogue.registrable(code) for code in codes]
        intake = self.submit(actor, [*published, *resources], applicant)
        self.register(intake.accepted, progress, actor.signed)
        return intake

    def submit(self, actor: Actor, resources: Sequence[DataResource], applicant: str | None = None) -> Intake:
        """Store resources with their applications for first registration. A broker names its principal as
        ``applicant``.

        Core data is refused with ``GRADE_CORE``. Content with a registration that has not ended is refused with
        ``DUPLICATE_REGISTRATION``, which names that registration. Raises ``InvalidInput`` ``SD_NAME_NESTED`` for a
        description that no certificate can contain; ``Forbidden`` ``MANDATE_MISSING`` if the applicant gave the broker
        no mandate.
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
        """Return the earlier registrations of these resources, or of their content, that have ended.

        The chain is read before the write lock is taken. That is safe, because an ended registration stays ended.
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
        """Register applications on the chain in the applicant's name; applications that are on the chain already are
        skipped.

        Returns the gas used. Raises ``Conflict`` ``PARTY_PAUSED`` during a pause; the applications stay stored and can
        be registered after the pause.
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
            # Delete the refused application, because it must not block the content for another applicant.
            missing = self._missing([row.id for row in rows])
            if not missing:
                # Another call registered the same applications at the same time.
                return 0
            if refusal.code not in WAITING:
                self._discard(missing)
            raise

    def _missing(self, asset_ids: Sequence[str]) -> list[str]:
        """Return the ids of the assets that are not on the chain."""
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
                first = applications(session, [identifier])[identifier][0]
                resource = DataResource.from_dict(application_document(session, first))
                grade = asset_grade(matched_grade(resource, kinds)[0])
                entry = AssetRegistration(identifier, first.content, first.fingerprint, grade)
                grouped.setdefault(party(session, row.applicant).account, []).append(entry)
        return grouped

    def get(self, identifier: str) -> dict[str, Any]:
        """Return an asset: its resource and registration from the store, its state and holder from the chain.

        Raises ``NotFound`` ``ASSET_UNKNOWN``.
        """
        if not (found := self._views([identifier])):
            raise unknown_asset()
        return found[0]

    def views(self, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Return a page of assets as ``get`` does, in the order of asset ids; the chain is read once for the whole
        page.
        """
        return self._views([row.asset_id for row in self.page(after, limit)])

    def _views(self, asset_ids: Sequence[str]) -> list[dict[str, Any]]:
        self._descriptions.refresh(asset_ids)
        on_chain = {asset.id: asset for asset in self._reader.assets(asset_ids) if asset is not None}
        annulled = dict(zip(on_chain, self._reader.annulled_ancestors(list(on_chain)), strict=True))
        with self._database.read() as session:
            query = select(Registration, Resource).join(Resource, Resource.code == Registration.resource_code)
            known = {row.asset_id: row for row, _ in session.execute(query.where(Registration.asset_id.in_(asset_ids)))}
            filed = applications(session, [asset for asset in asset_ids if asset in known])
            in_force = describing(session, filed)
            near = near_duplicates(session, [mine[-1] for mine in filed.values()])
            issued = latest_certificates(session, asset_ids)
            return [
                {
                    "asset": asset,
                    "reg_no": known[asset].reg_no,
                    "applicant": known[asset].applicant,
                    "resource": application_document(session, in_force[asset]),
                    "certificate_no": issued[asset].certificate_no if asset in issued else None,
                    "applications": [application_view(row) for row in filed[asset]],
                    "near_duplicates": near[asset],
                    "annulled_ancestor": annulled.get(asset),
                    **asset_view(on_chain.get(asset)),
                }
                for asset in filed
            ]

    def page(self, after: str | None, limit: int) -> list[Registered]:
        """Return a page of registrations in the order of asset ids, without their states on the chain."""
        query = select(Registration).order_by(Registration.asset_id).limit(limit)
        if after:
            query = query.where(Registration.asset_id > after)
        with self._database.read() as session:
            return [Registered(row.asset_id, row.reg_no, row.resource_code) for row in session.scalars(query)]


def chunks(items: Sequence[T]) -> list[Sequence[T]]:
    """Split asset ids, or resources, into portions that each fit into one transaction."""
    return [items[start : start + CHAIN_CHUNK] for start in range(0, len(items), CHAIN_CHUNK)]


def _earlier(
    session: Session, applicant: str, resource: DataResource, ended: Collection[str]
) -> tuple[str | None, int]:
    """Return the applicant's own registration of this resource that has not ended, and how many registrations of the
    resource have ended.

    Raises ``Conflict`` ``DUPLICATE_REGISTRATION`` if another registration of the same content has not ended.
    """
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
        f"The same content is registered already: {row.reg_no} ({row.resource_code}).",
        where=f"resource {resource.code}",
        hint="Ask its holder for a licence, or object to that registration.",
        earlier=row.asset_id,
        reg_no=row.reg_no,
    )
