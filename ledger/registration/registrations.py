"""First registrations: submit resources, register them on the chain, and show their present states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.important_rules import matched_grade
from ledger.catalogue.lookups import listed_kinds
from ledger.chain.sending.asset_calls import AssetRegistration, register_assets
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.grades import asset_grade
from ledger.domain.resource import DataResource
from ledger.errors import Conflict, PingzhengError
from ledger.log.paused import PAUSED, saying_until_when
from ledger.parties.mandates import Mandates
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.parties.tables import Party
from ledger.registration.act_documents import REFUSED
from ledger.registration.applications import Described, near_duplicates, ruleset_name
from ledger.registration.certificates import latest_certificates
from ledger.registration.descriptions import applications, describing, documents
from ledger.registration.lookups import unknown_asset
from ledger.registration.submissions import EarlierRegistrations, Submissions
from ledger.registration.tables import Application, Registration, Resource
from ledger.registration.use_case import Parts, UseCase
from ledger.registration.views import application_view, asset_view
from ledger.store.sets import matching, portions

# One transaction of the database stores this many applications, and one transaction of the chain registers this many
# assets, or fewer if the chain's blocks are small. Registering an asset takes about 80,000 gas; a transaction may have
# at most 16.7 million gas (EIP-7825).
SUBMITTED_TOGETHER = 500
REGISTERED_TOGETHER = 150
LIVE = ("applied", "confirmed")
# After these refusals the application stays stored. A later call registers the application, once the call is signed or
# the pause has ended.
WAITING = ("SIGNATURE_REQUIRED", "SIGNED_CALL_DIFFERS", PAUSED)


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
        described = [Described.of(resource) for resource in resources]
        accepted: list[str] = []
        refused: list[Refusal] = []
        for some in portions(described, SUBMITTED_TOGETHER):
            self._submit(principal, agent, some, accepted, refused)
        return Intake(tuple(accepted), tuple(refused))

    def _submit(
        self, applicant: str, agent: str | None, some: Sequence[Described], accepted: list[str], refused: list[Refusal]
    ) -> None:
        """Store the applications in one transaction. The asset ids of the stored applications are added to
        ``accepted``, and the refused applications to ``refused``.
        """
        resources = [each.resource for each in some]
        ended = self._ended(resources)
        with self._database.write() as session:
            now, ruleset = self._clock(), ruleset_name(self._rules)
            submissions = Submissions(session, applicant, agent, resources, ended, ruleset, now)
            for each in some:
                try:
                    accepted.append(submissions.add(each))
                except Conflict as error:
                    refused.append(Refusal(each.resource, error))
            submissions.write()

    def _ended(self, resources: Sequence[DataResource]) -> set[str]:
        """Return those earlier registrations of these resources or of their content that have ended.

        The chain is read before the write lock is taken. That is safe, because an ended registration stays ended.
        """
        with self._database.read() as session:
            earlier = EarlierRegistrations(session, resources).asset_ids()
        known = (asset for asset in self._reader.assets(earlier) if asset is not None)
        return {asset.id for asset in known if asset.state not in LIVE}

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
        for some in self._divided("registerMany", asset_ids, REGISTERED_TOGETHER):
            for account, rows in self._by_account(some).items():
                gas += self._register(account, rows, signed)
            progress(len(some))
        return gas

    def _register(self, account: str, rows: Sequence[AssetRegistration], signed: SignedRequest | None) -> int:
        """Register the rows that the chain lacks.

        If the chain lacks the first and the last row, it usually lacks all rows, so no row between them is looked up.
        If the chain has a row between them after all, it refuses the whole set: then the missing rows are looked up and
        sent again.
        """
        ends = {rows[0].id, rows[-1].id}
        waiting = list(rows) if self._missing(sorted(ends)) == ends else self._not_registered(rows)
        while waiting:
            try:
                with saying_until_when():
                    return self._acting.act(account, register_assets(waiting), signed).gas_used
            except REFUSED as refusal:
                refused, waiting = waiting, self._not_registered(waiting)
                if len(waiting) == len(refused):
                    # Delete the refused applications, because otherwise no other applicant could register the same
                    # content.
                    if refusal.code not in WAITING:
                        self._discard([row.id for row in refused])
                    raise
        return 0

    def _not_registered(self, rows: Sequence[AssetRegistration]) -> list[AssetRegistration]:
        missing = self._missing([row.id for row in rows])
        return [row for row in rows if row.id in missing]

    def _missing(self, asset_ids: Sequence[str]) -> set[str]:
        """Return the ids of the assets that are not on the chain."""
        known = self._reader.assets(asset_ids)
        return {identifier for identifier, asset in zip(asset_ids, known, strict=True) if asset is None}

    def _discard(self, asset_ids: Sequence[str]) -> None:
        with self._database.write() as session:
            for table in (Application, Registration):
                session.execute(delete(table).where(table.asset_id.in_(asset_ids)))

    def _by_account(self, asset_ids: Sequence[str]) -> dict[str, list[AssetRegistration]]:
        grouped: dict[str, list[AssetRegistration]] = {}
        query = (
            select(
                Registration.asset_id,
                Registration.applicant,
                Application.content,
                Application.fingerprint,
                Application.document,
                Resource.document.label("own_document"),
            )
            .join(Resource, Resource.code == Registration.resource_code)
            .join(Application, Application.asset_id == Registration.asset_id)
            .where(Application.number == 1)
        )
        with self._database.read() as session:
            kinds = listed_kinds(session)
            found = {row.asset_id: row for row in matching(session, query, Registration.asset_id, asset_ids)}
            applicants = matching(session, select(Party), Party.id, (row.applicant for row in found.values()))
            accounts = {row[0].id: row[0].account for row in applicants}
        unknown = [identifier for identifier in asset_ids if identifier not in found]
        if unknown and self._missing(unknown):
            raise unknown_asset()
        # A set may name an asset twice. Repetitions are removed, because the contract would refuse the whole set.
        for identifier in dict.fromkeys(asset_ids):
            if (row := found.get(identifier)) is None:
                continue
            resource = DataResource.from_dict(row.document or row.own_document)
            grade = asset_grade(matched_grade(resource, kinds)[0])
            entry = AssetRegistration(identifier, row.content, row.fingerprint, grade)
            grouped.setdefault(accounts[row.applicant], []).append(entry)
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
            described = documents(session, describing(session, filed).values())
            near = near_duplicates(session, [mine[-1] for mine in filed.values()])
            issued = latest_certificates(session, asset_ids)
            return [
                {
                    "asset": asset,
                    "reg_no": known[asset].reg_no,
                    "applicant": known[asset].applicant,
                    "resource": described[asset],
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
