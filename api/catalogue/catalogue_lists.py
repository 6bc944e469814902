"""The lists beside the data list: systems, important data, sharing duties, demands, and the open catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Query, Response

from api.catalogue import schemas as catalogue
from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from ledger.catalogue.demands import DemandEntry, NewDemand
from ledger.catalogue.important_rules import ImportantData
from ledger.catalogue.open_catalogue import Opening
from ledger.catalogue.systems import SystemEntry

router = Router(tags=["catalogue"])
demands = Router(prefix="/demands", tags=["demands"])

CodePath = Annotated[str, Path(max_length=64)]


@router.post("/catalogue/systems")
def put_system(body: catalogue.SystemIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.SystemOut:
    """Record an information system of the caller, or the next version of a recorded system."""
    entry = SystemEntry(body.code, body.name, body.protection_level, body.status)
    return catalogue.SystemOut(**asdict(ledger.catalogue.systems.put(actor, entry)))


@router.get("/catalogue/systems")
def systems(ledger: OpenLedger, _actor: ReadCaller, paging: PageAsked) -> Page[catalogue.SystemOut]:
    """List information systems in their newest versions, ordered by code."""
    rows = ledger.catalogue.systems.page(paging.after, paging.one_more)
    return paging.page(rows, lambda row: row.code, lambda row: catalogue.SystemOut(**asdict(row)))


@router.post("/catalogue/important", status_code=201)
def add_important(
    body: catalogue.ImportantIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> catalogue.ImportantListedOut:
    """Add a kind of important or core data to the list. Resources that match are blocked at once. A matching resource
    that is submitted later is blocked when it is submitted.
    """

    def work() -> tuple[int, catalogue.ImportantListedOut]:
        listed = ledger.catalogue.important_data.add(
            actor, ImportantData(body.title, body.grade, body.pattern, tuple(body.fields))
        )
        return 201, catalogue.ImportantListedOut(**asdict(listed.entry), blocked=list(listed.blocked))

    return catalogue.ImportantListedOut(**once(ledger, actor, key, ("list important data", body), response, work))


@router.get("/catalogue/important")
def important(ledger: OpenLedger, actor: ReadCaller) -> list[catalogue.ImportantOut]:
    """List the important-data entries, including withdrawn entries. Only parties that grade or assess data may call
    this.
    """
    return [catalogue.ImportantOut(**asdict(kind)) for kind in ledger.catalogue.important_data.all(actor)]


@router.post("/catalogue/important/{entry}/withdrawal", status_code=204)
def withdraw_important(entry: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> None:
    """Withdraw an entry of the important-data list; the withdrawn entry stays recorded."""
    ledger.catalogue.important_data.withdraw(actor, entry)


@router.get("/catalogue/open", tags=["open data"])
def open_items(ledger: OpenLedger, paging: PageAsked) -> Page[catalogue.OpenOut]:
    """List the open catalogue: conditions, licence and published description. Public."""
    rows = ledger.catalogue.open_catalogue.page(paging.after, paging.one_more)
    return paging.page(rows, lambda row: str(row["code"]), lambda row: catalogue.OpenOut(**row))


@router.post("/catalogue/open", tags=["open data"])
def open_resource(body: catalogue.OpenIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.OpenHistoryOut:
    """Put the published version of a resource into the open catalogue."""
    ledger.catalogue.open_catalogue.open(actor, body.code, Opening(body.open_type, body.conditions, body.licence))
    return catalogue.OpenHistoryOut(**ledger.catalogue.open_catalogue.get(body.code))


@router.post("/catalogue/open/withdrawals", status_code=204, tags=["open data"])
def close_resource(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> None:
    """Remove a resource from the open catalogue; its history is kept."""
    ledger.catalogue.open_catalogue.close(actor, body.code)


@router.get("/catalogue/open/{code:path}", tags=["open data"])
def open_item(code: CodePath, ledger: OpenLedger) -> catalogue.OpenHistoryOut:
    """Return one resource of the open catalogue, with the history of its entries in this catalogue. Public."""
    return catalogue.OpenHistoryOut(**ledger.catalogue.open_catalogue.get(code))


@router.post("/catalogue/duties")
def add_duty(body: catalogue.DutyIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.DutyOut:
    """Set which department must share a resource, and within how many working days."""
    return catalogue.DutyOut(
        **asdict(ledger.catalogue.demands.list_duty(actor, body.code, body.department, body.sla_days))
    )


@router.get("/catalogue/duties/{code:path}")
def duties(code: CodePath, ledger: OpenLedger, _actor: ReadCaller) -> list[catalogue.DutyOut]:
    """List the sharing duties of a resource, the newest first; only the newest is valid."""
    return [catalogue.DutyOut(**asdict(duty)) for duty in ledger.catalogue.demands.duties(code)]


@demands.post("", status_code=201)
def file(
    body: catalogue.DemandIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> catalogue.DemandOut:
    """File a demand for data."""

    def work() -> tuple[int, catalogue.DemandOut]:
        demand = NewDemand(body.title, body.purpose, body.legal_basis, tuple(body.fields), body.domain, body.wanted_by)
        return 201, _demand(ledger.catalogue.demands.file(actor, demand))

    return catalogue.DemandOut(**once(ledger, actor, key, ("file demand", body), response, work))


@demands.get("")
def listed(
    ledger: OpenLedger, _actor: ReadCaller, paging: PageAsked, state: Annotated[str | None, Query(max_length=16)] = None
) -> Page[catalogue.DemandOut]:
    """List demands, ordered by id."""
    rows = ledger.catalogue.demands.page(paging.after, paging.one_more, state)
    return paging.page(rows, lambda row: row.id, _demand)


@demands.get("/{demand}")
def demand(demand: schemas.Ulid, ledger: OpenLedger, _actor: ReadCaller) -> catalogue.DemandHistoryOut:
    """Return one demand with its steps."""
    return catalogue.DemandHistoryOut(**ledger.catalogue.demands.get(demand))


@demands.get("/{demand}/candidates")
def candidates(
    demand: schemas.Ulid, ledger: OpenLedger, _actor: ReadCaller, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> list[catalogue.CandidateOut]:
    """List published resources that may match a demand, best first, each with the parts of its score."""
    return [catalogue.CandidateOut(**item.to_dict()) for item in ledger.catalogue.demands.candidates(demand, limit)]


@demands.post("/{demand}/match")
def match(demand: schemas.Ulid, body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Assign a published resource to a demand."""
    return _demand(ledger.catalogue.demands.match(actor, demand, body.code))


@demands.post("/{demand}/acceptance")
def accept(demand: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Accept the duty to share; from now on, the department's working days are counted."""
    return _demand(ledger.catalogue.demands.accept(actor, demand))


@demands.post("/{demand}/connection")
def connect(demand: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Record that the requester is now connected to the data."""
    return _demand(ledger.catalogue.demands.connect(actor, demand))


@demands.post("/{demand}/closing")
def close(demand: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Close a demand: the requester has received the data, or the authority dismisses the appeal."""
    return _demand(ledger.catalogue.demands.close(actor, demand))


@demands.post("/{demand}/refusal")
def refuse(demand: schemas.Ulid, body: catalogue.WhyIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Refuse a demand, with a reason."""
    return _demand(ledger.catalogue.demands.refuse(actor, demand, body.reason))


@demands.post("/{demand}/appeal")
def appeal(demand: schemas.Ulid, body: catalogue.WhyIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.DemandOut:
    """Appeal against the refusal of a demand, as its requester."""
    return _demand(ledger.catalogue.demands.appeal(actor, demand, body.reason))


def _demand(demand: DemandEntry) -> catalogue.DemandOut:
    return catalogue.DemandOut(**asdict(demand))
