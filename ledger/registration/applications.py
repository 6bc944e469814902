"""Applications for a registered asset: change, correction, renewal, cancellation. Returned applications can be filed
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased
from ulid import ULID

from ledger.catalogue.important_rules import ImportantData, matched_grade
from ledger.catalogue.lookups import listed_kinds, matched
from ledger.chain.sending.asset_calls import NOTHING, file_application
from ledger.chain.sending.sender import Receipt
from ledger.domain.assets.identity import document_digest
from ledger.domain.assets.names import DESCRIBING
from ledger.domain.days import DAY, shanghai_day
from ledger.domain.definitions.ruleset import Ruleset
from ledger.domain.digests import hex_of
from ledger.domain.grades import asset_grade
from ledger.domain.reasons import checked_grounds
from ledger.domain.resource import DataResource, check_registrable, check_resource
from ledger.errors import Conflict, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import taken_back_if_refused
from ledger.registration.certificates import require_certifiable
from ledger.registration.descriptions import Filed, applications
from ledger.registration.lookups import registration
from ledger.registration.tables import Application
from ledger.registration.use_case import UseCase
from ledger.store.sets import add_rows

MAX_NEAR_DUPLICATES = 20


class Applications(UseCase):
    """Files applications on the chain in the name of the acting party."""

    def apply(
        self, actor: Actor, asset: str, kind: str, resource: DataResource | None = None, reason: str = ""
    ) -> Receipt:
        """File an application for the asset. The kinds ``change``, ``correct`` and ``first`` (a returned first
        registration) need the new ``resource``; ``renew`` and ``cancel`` need a ``reason``.

        Each application keeps its own document; none is overwritten. A confirmed cancellation is final. Raises
        ``Conflict`` ``GRADE_CORE``, ``RESOURCE_CODE_DIFFERS``, or ``RENEWAL_TOO_EARLY`` before the renewal period of
        the ruleset begins; ``InvalidInput`` ``RESOURCE_MISSING``, ``SD_NAME_NESTED``; and the contract's own refusals.
        """
        require(actor, Action.APPLY_REGISTRATION, owns=True)
        if kind in DESCRIBING:
            if resource is None:
                raise InvalidInput(
                    "RESOURCE_MISSING",
                    "This kind of application needs a new description of the resource.",
                    where="resource",
                )
            given = Described.of(resource)
            self._require_describes(asset, resource)
            return self._file(actor, asset, kind, given)
        if kind == "renew":
            self._require_renewable(asset)
        document = self._descriptions.in_force(asset)
        described = DataResource.from_dict(document)
        with self._documents.kept(asset, kind, actor.party, {"reason": checked_grounds(reason)}) as content:
            return self._file(actor, asset, kind, Described(described, document, content))

    def _require_describes(self, asset: str, resource: DataResource) -> None:
        with self._database.read() as session:
            require_registrable(listed_kinds(session), resource)
            row, _ = registration(session, asset)
        if resource.code != row.resource_code:
            raise Conflict(
                "RESOURCE_CODE_DIFFERS",
                f"The asset is registered for resource {row.resource_code}, the application for another resource.",
                where=f"resource {resource.code}",
                hint="Register the resource of the application as a new asset, and record its lineage.",
            )

    def _require_renewable(self, asset: str) -> None:
        record = self._reader.asset(asset)
        if record is None:
            raise Conflict("ASSET_NOT_ON_CHAIN", "The asset is not on the chain yet.", where=asset)
        earliest = record.valid_to - self._rules.renew_before_days * DAY
        if record.stage is None and self._clock() < earliest:
            raise Conflict(
                "RENEWAL_TOO_EARLY",
                f"The earliest day to apply for renewal is {self._rules.renew_before_days} days before expiry.",
                where=asset,
                hint=f"Apply on {shanghai_day(earliest).isoformat()} or later.",
            )

    def _file(self, actor: Actor, asset: str, kind: str, given: Described) -> Receipt:
        fresh: str | None = None
        with self._database.write() as session:
            rows = applications(session, [asset])[asset]
            if (rows[-1].kind, rows[-1].content) != (kind, given.content):
                _, own = registration(session, asset)
                same = kind == "first" and own.document == given.document
                now, ruleset = self._clock(), ruleset_name(self._rules)
                row = application_row(given, asset, len(rows) + 1, kind, actor.party, ruleset, now, same=same)
                add_rows(session, Application, [row])
                fresh = row["id"]
            grade = asset_grade(matched(session, given.resource)[0])
        fingerprint = NOTHING if given.resource.fingerprint == rows[0].fingerprint else given.resource.fingerprint
        call = file_application(asset, kind, given.content, fingerprint, grade)
        with taken_back_if_refused(lambda: self._forget(fresh)):
            return self._acting.act_by(actor, call)

    def _forget(self, identifier: str | None) -> None:
        with self._database.write() as session:
            session.execute(delete(Application).where(Application.id == identifier))


@dataclass(frozen=True, slots=True)
class Described:
    """A resource, its description as JSON, and the digest of the description (64 hex digits)."""

    resource: DataResource
    document: dict[str, Any]
    content: str

    @classmethod
    def of(cls, resource: DataResource) -> Described:
        """Return a new description. Raises ``InvalidInput`` unless it follows the data model and a certificate can
        contain it.
        """
        document = resource.to_dict()
        require_certifiable(resource.code, document)
        check_resource(resource)
        return cls(resource, document, hex_of(document_digest(document)))


def application_row(
    given: Described,
    asset: str,
    number: int,
    kind: str,
    applicant: str,
    ruleset: str,
    now: int,
    *,
    same: bool,
    agent: str | None = None,
) -> dict[str, Any]:
    """Return the row of an asset's application; ``number`` is the application's number. If ``same`` is true, the
    description is the one stored with the resource, and is not stored again.
    """
    return {
        "id": str(ULID()),
        "asset_id": asset,
        "number": number,
        "kind": kind,
        "applicant": applicant,
        "agent": agent,
        "document": None if same else given.document,
        "content": given.content,
        "fingerprint": given.resource.fingerprint,
        "near_fingerprint": given.resource.near_fingerprint,
        "ruleset": ruleset,
        "created_at": now,
    }


def ruleset_name(rules: Ruleset) -> str:
    """Return the text by which an application names its ruleset."""
    return f"{rules.code}/{rules.version}/{hex_of(rules.digest)[:16]}"


def require_registrable(kinds: Sequence[ImportantData], resource: DataResource) -> None:
    """Raise ``Conflict`` ``GRADE_CORE`` if the provider or the important-data list grades the data as core. ``kinds``
    are the kinds of data on this list.

    Important data may be registered: its review is part of the review of the application.
    """
    check_registrable(replace(resource, grade=matched_grade(resource, kinds)[0]), reviewed=True)


def near_duplicates(session: Session, newest: Iterable[Filed]) -> dict[str, list[str]]:
    """Return for each asset id its near duplicates: other assets of the same applicant with the same fields but other
    content.

    ``newest`` are the newest applications of the assets. A reviewer sees at most 20 near duplicates of an asset.
    """
    rows = {row.id: row for row in newest}
    mine, other = aliased(Application), aliased(Application)
    place = func.dense_rank().over(partition_by=mine.id, order_by=other.asset_id).label("place")
    pairs = (
        select(mine.asset_id.label("asset"), other.asset_id.label("near"), place)
        .join(other, (other.near_fingerprint == mine.near_fingerprint) & (other.applicant == mine.applicant))
        .where(mine.id.in_(rows), other.fingerprint != mine.fingerprint, other.asset_id != mine.asset_id)
        .distinct()
        .subquery()
    )
    query = select(pairs.c.asset, pairs.c.near).where(pairs.c.place <= MAX_NEAR_DUPLICATES)
    found: dict[str, list[str]] = {row.asset_id: [] for row in rows.values()}
    for asset, near in session.execute(query.order_by(pairs.c.asset, pairs.c.near)):
        found[asset].append(near)
    return found
