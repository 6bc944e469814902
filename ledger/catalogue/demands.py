"""The demand list and the sharing duties (需求清单、数据共享责任清单). A demand is matched with a resource. The
department that must share the resource accepts the demand, and then connects the data. Time limits are in working days.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.catalogue import lookups
from ledger.catalogue.matching import Candidate, Wanted, rank
from ledger.catalogue.states import DEMAND
from ledger.catalogue.tables import Demand, DemandEvent, ShareDuty
from ledger.catalogue.use_case import UseCase
from ledger.domain.parties import Role
from ledger.domain.reasons import checked_reason
from ledger.domain.resource import DataResource
from ledger.domain.working_days import MAX_WORKING_DAYS, end_of_working_days
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.lookups import party
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require

MAX_WANTED_FIELDS: Final = 200
_LENGTHS: Final = {"title": (1, 200), "purpose": (1, 400), "domain": (0, 64), "legal_basis": (1, 400)}


@dataclass(frozen=True, slots=True)
class NewDemand:
    """A demand for data; ``wanted_by`` is a day in Shanghai."""

    title: str
    purpose: str
    legal_basis: str
    fields: tuple[str, ...]
    domain: str = ""
    wanted_by: date | None = None


@dataclass(frozen=True, slots=True)
class DemandEntry:
    """A demand and its state at a given time. ``resource`` is the code of the resource that was matched with the
    demand.

    ``overdue`` is true if the department accepted the demand but did not connect the data within its working days.
    """

    id: str
    requester: str
    title: str
    purpose: str
    domain: str
    fields: list[str]
    legal_basis: str
    wanted_by: str | None
    state: str
    resource: str | None
    due_at: int | None
    overdue: bool
    created_at: int

    @classmethod
    def of(cls, row: Demand, at: int) -> DemandEntry:
        """Convert a table row, with its state at ``at`` (seconds UTC)."""
        same = {field.name for field in fields(cls)} - {"resource", "overdue"}
        overdue = row.state == "duty_accepted" and row.due_at is not None and at >= row.due_at
        return cls(**{name: getattr(row, name) for name in same}, resource=row.code, overdue=overdue)


@dataclass(frozen=True, slots=True)
class Duty:
    """An entry of the sharing duty list. Of several entries for a resource, the entry with the highest ``number`` is
    valid.
    """

    number: int
    department: str
    sla_days: int
    code: str

    @classmethod
    def of(cls, row: ShareDuty) -> Duty:
        return cls(row.number, row.department, row.sla_days, row.code)


@dataclass(eq=False, repr=False)
class Demands(UseCase):
    """Handles demands from filing to connection. ``sla_days`` is the time limit in working days that applies if no duty
    is listed for the resource.
    """

    _sla_days: int

    def list_duty(self, actor: Actor, code: str, department: str, sla_days: int) -> Duty:
        """Set which department must share a resource, and within how many working days."""
        _require_keeper(actor)
        with self._database.write() as session:
            self._require_lists(session, actor, lookups.resource(session, code, lock=True).provider)
            _check_days(sla_days)
            party(session, department)
            duty = ShareDuty(
                code=code,
                number=lookups.next_number(session, ShareDuty.number, ShareDuty.code == code),
                department=department,
                sla_days=sla_days,
                created_by=actor.party,
                created_at=self._clock(),
            )
            session.add(duty)
            return Duty.of(duty)

    def duties(self, code: str) -> list[Duty]:
        """Return every duty listed for a resource, the newest first."""
        with self._database.read() as session:
            lookups.resource(session, code)
            rows = select(ShareDuty).where(ShareDuty.code == code).order_by(ShareDuty.number.desc())
            return [Duty.of(row) for row in session.scalars(rows)]

    def file(self, actor: Actor, demand: NewDemand) -> DemandEntry:
        """File a demand. Raises ``InvalidInput`` ``DEMAND_…``."""
        require(actor, Action.PUBLISH_LISTS, owns=True)
        _check(demand)
        wanted_by = None if demand.wanted_by is None else demand.wanted_by.isoformat()
        row = Demand(
            **asdict(demand) | {"fields": list(demand.fields), "wanted_by": wanted_by},
            id=str(ULID()),
            requester=actor.party,
            state=DEMAND.initial,
            code=None,
            due_at=None,
            created_at=self._clock(),
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            self._record(session, row, "file", actor.party, None)
        return DemandEntry.of(row, row.created_at)

    def candidates(self, identifier: str, limit: int = 10) -> list[Candidate]:
        """Return published resources that may be shared and match the demand, the best match first."""
        with self._database.read() as session:
            row = lookups.demand(session, identifier)
            wanted = Wanted(row.title, row.purpose, row.domain, tuple(row.fields))
            described = (DataResource.from_dict(version.document) for version in lookups.published(session))
            return rank(wanted, (item for item in described if item.share_attr != "none"), limit)

    def match(self, actor: Actor, identifier: str, code: str) -> DemandEntry:
        """Match a published resource with the demand. If the requester has appealed, this also grants the appeal.

        Raises ``Conflict`` ``NOT_PUBLISHED`` or ``NOT_SHARED``.
        """
        _require_keeper(actor)
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            resource = lookups.resource(session, code)
            self._require_lists(session, actor, resource.provider)
            if resource.published_version is None:
                raise Conflict(
                    "NOT_PUBLISHED", "Only a published resource can be matched to a demand.", where=f"resource {code}"
                )
            if lookups.version(session, code, resource.published_version).document["share_attr"] == "none":
                raise Conflict("NOT_SHARED", "The law forbids sharing this resource.", where=f"resource {code}")
            row.code = code
            return self._move(session, row, "match", actor.party)

    def accept(self, actor: Actor, identifier: str) -> DemandEntry:
        """Accept the duty to share; from now on, the department's working days are counted."""
        now = self._clock()
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            department, days = self._duty(session, row)
            _require_department(actor, department)
            row.due_at = end_of_working_days(now, days)
            return self._move(session, row, "accept", actor.party)

    def connect(self, actor: Actor, identifier: str) -> DemandEntry:
        """Record that the data is connected (挂接), which fulfils the duty."""
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            _require_department(actor, self._duty(session, row)[0])
            return self._move(session, row, "connect", actor.party)

    def refuse(self, actor: Actor, identifier: str, reason: str) -> DemandEntry:
        """Refuse a demand and give a reason. The department with the duty to share may refuse, and so may the parties
        that keep the lists.
        """
        checked = checked_reason(reason)
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            own = row.code is not None and (
                self._duty(session, row)[0] == actor.party
                or lookups.cdo_of(session, lookups.resource(session, row.code).provider) == actor.party
            )
            require(actor, Action.PUBLISH_LISTS, owns=own)
            return self._move(session, row, "refuse", actor.party, checked)

    def appeal(self, actor: Actor, identifier: str, reason: str) -> DemandEntry:
        """Appeal against a refusal. The authority then either matches the demand again or closes it."""
        checked = checked_reason(reason)
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            _require_requester(actor, row)
            return self._move(session, row, "appeal", actor.party, checked)

    def close(self, actor: Actor, identifier: str) -> DemandEntry:
        """Close a demand: the requester has received the data, or the authority dismisses the appeal."""
        with self._database.write() as session:
            row = lookups.demand(session, identifier, lock=True)
            if row.state == "appealed":
                require(actor, Action.PUBLISH_LISTS)
            else:
                _require_requester(actor, row)
            return self._move(session, row, "close", actor.party)

    def get(self, identifier: str, at: int | None = None) -> dict[str, Any]:
        """Return a demand with its steps. ``overdue`` is computed for the time ``at`` (seconds UTC, default: now)."""
        with self._database.read() as session:
            row = lookups.demand(session, identifier)
            events = session.scalars(
                select(DemandEvent).where(DemandEvent.demand_id == identifier).order_by(DemandEvent.number)
            )
            steps = [
                {"move": event.move, "state": event.state, "by": event.by, "reason": event.reason, "at": event.at}
                for event in events
            ]
        return asdict(DemandEntry.of(row, self._clock() if at is None else at)) | {"history": steps}

    def page(self, after: str | None, limit: int, state: str | None = None) -> list[DemandEntry]:
        """Return a page of demands, ordered by id; the page starts after the id ``after``."""
        query = select(Demand).order_by(Demand.id).limit(limit)
        if after:
            query = query.where(Demand.id > after)
        if state:
            query = query.where(Demand.state == state)
        with self._database.read() as session:
            return [DemandEntry.of(row, self._clock()) for row in session.scalars(query)]

    def _require_lists(self, session: Session, actor: Actor, department: str) -> None:
        """Raise ``Forbidden`` unless the actor may keep the department's lists: an authority may, and so may the
        department's chief data officer.
        """
        require(actor, Action.PUBLISH_LISTS, owns=lookups.cdo_of(session, department) == actor.party)

    def _duty(self, session: Session, row: Demand) -> tuple[str, int]:
        """Return the department that must share the resource, and its limit in working days. If no duty is listed,
        return the provider and the default limit.
        """
        if row.code is None:
            raise Conflict("DEMAND_NOT_MATCHED", "No resource is assigned to the demand yet.", where=f"demand {row.id}")
        duty = session.scalar(
            select(ShareDuty).where(ShareDuty.code == row.code).order_by(ShareDuty.number.desc()).limit(1)
        )
        if duty is not None:
            return duty.department, duty.sla_days
        return lookups.resource(session, row.code).provider, self._sla_days

    def _move(self, session: Session, row: Demand, name: str, by: str, reason: str | None = None) -> DemandEntry:
        row.state = DEMAND.next(row.state, name)
        if name in ("match", "refuse"):
            row.due_at = None
        self._record(session, row, name, by, reason)
        return DemandEntry.of(row, self._clock())

    def _record(self, session: Session, row: Demand, name: str, by: str, reason: str | None) -> None:
        session.add(
            DemandEvent(
                demand_id=row.id,
                number=lookups.next_number(session, DemandEvent.number, DemandEvent.demand_id == row.id),
                move=name,
                state=row.state,
                by=by,
                reason=reason,
                at=self._clock(),
            )
        )
        session.flush()


def _check(demand: NewDemand) -> None:
    for name, (least, most) in _LENGTHS.items():
        if not least <= len(getattr(demand, name).strip()) <= most:
            raise InvalidInput("DEMAND_TEXT", f"The text must have {least} to {most} characters.", where=name)
    named = all(1 <= len(name) <= 200 for name in demand.fields)
    if not 1 <= len(demand.fields) <= MAX_WANTED_FIELDS or not named or len({*demand.fields}) != len(demand.fields):
        raise InvalidInput(
            "DEMAND_FIELDS", f"A demand must name 1 to {MAX_WANTED_FIELDS} fields, each only once.", where="fields"
        )


def _require_keeper(actor: Actor) -> None:
    """Raise ``Forbidden`` unless the actor may keep lists. The check reads no list, so a refused party learns nothing
    about the contents.
    """
    require(actor, Action.PUBLISH_LISTS, owns=Role.CDO in actor.roles)


def _check_days(sla_days: int) -> None:
    if not 1 <= sla_days <= MAX_WORKING_DAYS:
        raise InvalidInput(
            "SLA_DAYS", f"The time limit of a duty must be 1 to {MAX_WORKING_DAYS} working days.", where="sla_days"
        )


def _require_department(actor: Actor, department: str) -> None:
    if actor.party != department:
        raise Forbidden(
            "NOT_ON_DUTY",
            "Another department has the duty to share the resource.",
            hint="Read the sharing duties of the resource.",
        )


def _require_requester(actor: Actor, row: Demand) -> None:
    if actor.party != row.requester:
        raise Forbidden("NOT_THE_REQUESTER", "The demand belongs to another party.", where=f"demand {row.id}")
