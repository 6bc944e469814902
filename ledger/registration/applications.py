"""Applications of a registered asset: change, correction, renewal, cancellation; and returned ones handed in again."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.catalogue.lookups import matched
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.asset_calls import NOTHING, file_application
from ledger.chain.sending.relay import SignedRequest
from ledger.chain.sending.sender import Receipt
from ledger.domain.assets.identity import document_digest
from ledger.domain.assets.names import DESCRIBING
from ledger.domain.days import DAY, Clock, shanghai_day
from ledger.domain.definitions.ruleset import Ruleset
from ledger.domain.digests import hex_of
from ledger.domain.grades import asset_grade
from ledger.domain.reasons import checked_grounds
from ledger.domain.resource import DataResource, check_registrable, check_resource
from ledger.errors import Conflict, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import ActDocuments, taken_back_if_refused
from ledger.registration.certificates import require_certifiable
from ledger.registration.descriptions import Descriptions, applications
from ledger.registration.lookups import registration
from ledger.registration.tables import Application, Resource
from ledger.store.database import Database


class Applications:
    """Files applications on the chain, in the name of the party that acts."""

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

    def apply(
        self,
        actor: Actor,
        asset: str,
        kind: str,
        resource: DataResource | None = None,
        reason: str = "",
        signed: SignedRequest | None = None,
    ) -> Receipt:
        """Apply for ``change`` or ``correct``, or hand a returned ``first`` in again, with the new ``resource``; apply
        for ``renew`` or ``cancel`` with a ``reason``.

        Nothing is overwritten: every version keeps its own document. A confirmed cancellation is final. Raises
        ``Conflict`` ``GRADE_CORE``, ``RESOURCE_CODE_DIFFERS``, ``RENEWAL_TOO_EARLY`` before the ruleset's days before
        expiry; ``InvalidInput`` ``RESOURCE_MISSING``, ``SD_NAME_NESTED``; and what the contract refuses.
        """
        require(actor, Action.APPLY_REGISTRATION, owns=True)
        if kind in DESCRIBING:
            if resource is None:
                raise InvalidInput("RESOURCE_MISSING", "This application needs the new description.", where="resource")
            self._require_describes(asset, resource)
            content = hex_of(document_digest(resource.to_dict()))
            return self._file(actor, asset, kind, resource, content, signed)
        if kind == "renew":
            self._require_renewable(asset)
        described = DataResource.from_dict(self._descriptions.in_force(asset))
        with self._documents.kept(asset, kind, actor.party, {"reason": checked_grounds(reason)}) as content:
            return self._file(actor, asset, kind, described, content, signed)

    def _require_describes(self, asset: str, resource: DataResource) -> None:
        require_describable(resource)
        with self._database.read() as session:
            require_registrable(session, resource)
            row, _ = registration(session, asset)
        if resource.code != row.resource_code:
            raise Conflict(
                "RESOURCE_CODE_DIFFERS",
                f"The asset is of resource {row.resource_code}.",
                where=f"resource {resource.code}",
                hint="Another resource is registered as an asset of its own, with its lineage.",
            )

    def _require_renewable(self, asset: str) -> None:
        record = self._reader.asset(asset)
        if record is None:
            raise Conflict("ASSET_NOT_ON_CHAIN", "The asset is not on the chain yet.", where=asset)
        earliest = record.valid_to - self._rules.renew_before_days * DAY
        if record.stage is None and self._clock() < earliest:
            raise Conflict(
                "RENEWAL_TOO_EARLY",
                f"Renewal can be applied for from {self._rules.renew_before_days} days before expiry.",
                where=asset,
                hint=f"Apply from {shanghai_day(earliest).isoformat()} on.",
            )

    def _file(
        self,
        actor: Actor,
        asset: str,
        kind: str,
        resource: DataResource,
        content: str,
        signed: SignedRequest | None,
    ) -> Receipt:
        fresh: str | None = None
        with self._database.write() as session:
            rows = applications(session, asset)
            if (rows[-1].kind, rows[-1].content) != (kind, content):
                fresh = record_application(
                    session, asset, kind, actor.party, resource, self._rules, self._clock(), content=content
                )
            grade = asset_grade(matched(session, resource)[0])
        fingerprint = NOTHING if resource.fingerprint == rows[0].fingerprint else resource.fingerprint
        call = file_application(asset, kind, content, fingerprint, grade)
        with taken_back_if_refused(lambda: self._forget(fresh)):
            return self._acting.act_as(actor.party, call, signed)

    def _forget(self, identifier: str | None) -> None:
        with self._database.write() as session:
            session.execute(delete(Application).where(Application.id == identifier))


def record_application(
    session: Session,
    asset: str,
    kind: str,
    applicant: str,
    resource: DataResource,
    rules: Ruleset,
    now: int,
    *,
    agent: str | None = None,
    content: str | None = None,
) -> str:
    """Write the asset's next application, and return its id. ``content`` is by default the description's digest."""
    before = session.scalar(select(func.count()).where(Application.asset_id == asset))
    document = resource.to_dict()
    same = kind == "first" and session.get_one(Resource, resource.code).document == document
    row = Application(
        id=str(ULID()),
        asset_id=asset,
        number=(before or 0) + 1,
        kind=kind,
        applicant=applicant,
        agent=agent,
        document=None if same else document,
        content=content or hex_of(document_digest(document)),
        fingerprint=resource.fingerprint,
        near_fingerprint=resource.near_fingerprint,
        ruleset=f"{rules.code}/{rules.version}/{hex_of(rules.digest)[:16]}",
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def require_describable(resource: DataResource) -> None:
    """Raise ``InvalidInput`` unless a certificate can carry the description, and it keeps the rules."""
    require_certifiable(resource)
    check_resource(resource)


def require_registrable(session: Session, resource: DataResource) -> None:
    """Raise ``Conflict`` ``GRADE_CORE`` for core data, and for what is listed as such.

    Important data is reviewed while its application is.
    """
    check_registrable(replace(resource, grade=matched(session, resource)[0]), reviewed=True)


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
