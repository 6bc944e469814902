"""Routes that onboard and list parties, change their roles and status, and give mandates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.problems import Responses
from api.http.routing import Router
from api.http.waiting import WAITS, show_proposal, waiting
from api.parties import power_schemas as powers
from api.registration.assets import signing
from api.registration.schemas import MandateIn, MandateOut
from ledger.domain.codes import check_institution
from ledger.domain.parties import PartyKind
from ledger.errors import NotFound
from ledger.installation.wiring import Ledger
from ledger.parties.known import KnownParty
from ledger.parties.newcomers import NewParty, kind_of

router = Router(tags=["parties"])

Uscc = Annotated[
    str | None,
    Query(
        max_length=18,
        description="Return only the institution with this unified social credit code.",
        examples=["91440802MA9X00011Y"],
    ),
]

UNCONFIRMED: Responses = {
    202: {
        "model": powers.PartiesOut,
        "description": "Recorded here; the parties are registered once another institution has confirmed",
    }
}


@router.post("/parties", status_code=201, responses=UNCONFIRMED)
def onboard(body: powers.PartiesIn, ledger: OpenLedger, actor: ActCaller, response: Response) -> powers.PartiesOut:
    """Onboard parties: they are recorded here, and two institutions register them on the chain. If one party is
    refused, none is onboarded.

    Known parties are returned unchanged. A party without a key is only recorded here, until it submits its first key
    with a one-time code (`POST /v1/parties/{party}/enrolment`). The registration is proposed in the caller's name. If
    this service keeps no key of another institution that may confirm, the answer is 202 with the proposal that another
    institution must confirm.
    """
    rows = ledger.parties.onboarding.onboard(signing(actor, body), [_newcomer(item) for item in body.parties])
    numbers = {
        number for row in rows if row.no is None and (number := ledger.parties.onboarding.pending(row.id)) is not None
    }
    if numbers:
        response.status_code = 202
    proposals = [show_proposal(ledger.proposals.get(number)) for number in sorted(numbers)]
    return powers.PartiesOut(parties=show_all(ledger, rows), proposals=proposals)


@router.get("/parties")
def parties(ledger: OpenLedger, _actor: ReadCaller, paging: PageAsked, uscc: Uscc = None) -> Page[powers.PartyOut]:
    """List parties, ordered by id, or return only the institution with the given USCC. Names and identifiers are not
    shown.
    """
    rows = ledger.parties.register.page(paging.after, paging.one_more) if uscc is None else _with_uscc(ledger, uscc)
    roles = ledger.roles.of(row.id for row in rows)
    return paging.page(rows, lambda row: row.id, lambda row: _shown(row, roles[row.id]))


@router.get("/parties/{party}")
def party(party: schemas.HexId, ledger: OpenLedger, _actor: ReadCaller) -> powers.PartyOut:
    """Return one party without its name and identifier."""
    return show(ledger, ledger.parties.register.get(party))


@router.post("/parties/{party}/mandates", status_code=201)
def give_mandate(party: schemas.HexId, body: MandateIn, ledger: OpenLedger, actor: ActCaller) -> MandateOut:
    """Let a broker submit the caller's applications for registration. The caller must still sign each application."""
    return MandateOut(**asdict(ledger.parties.mandates.give(actor, party, body.broker, body.valid_to)))


@router.put("/parties/{party}/roles", response_model=schemas.StandingOut, responses=WAITS)
def set_roles(
    party: schemas.HexId, body: schemas.RolesIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StandingOut | JSONResponse:
    """Give another party exactly these roles.

    An authority or an admin can change the roles subject, provider, consumer and broker alone and at once. For any
    other role two authorities must agree, and the change takes effect after the waiting period.
    """
    row = ledger.parties.role_changes.set_roles(signing(actor, body), party, body.roles)
    return waiting(row) or _roles_and_status(ledger, party)


@router.put("/parties/{party}/status", response_model=schemas.StandingOut, responses=WAITS)
def set_status(
    party: schemas.HexId, body: schemas.PartyStatusIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.StandingOut | JSONResponse:
    """Suspend, sanction or restore a party at once, as an authority or a supervisor.

    To close a party, or to change the status of an authority, a supervisor or an issuer, two authorities must agree,
    and the change takes effect after the waiting period. A closed party stays closed.
    """
    row = ledger.parties.role_changes.set_status(signing(actor, body), party, body.status, body.reason)
    return waiting(row) or _roles_and_status(ledger, party)


def _with_uscc(ledger: Ledger, uscc: str) -> list[KnownParty]:
    """Return the institution with this USCC. A person's ID number is refused, so persons cannot be found."""
    try:
        found = ledger.parties.register.find(check_institution(uscc, "uscc"))
    except NotFound:
        return []
    return [found] if found.kind != PartyKind.PERSON else []


def show(ledger: Ledger, row: KnownParty) -> powers.PartyOut:
    """Return a party without name and identifier, with its roles on the chain."""
    return show_all(ledger, [row])[0]


def show_all(ledger: Ledger, rows: Sequence[KnownParty]) -> list[powers.PartyOut]:
    """Return parties without names and identifiers, with their roles on the chain."""
    roles = ledger.roles.of(row.id for row in rows)
    return [_shown(row, roles[row.id]) for row in rows]


def _shown(row: KnownParty, roles: Sequence[str]) -> powers.PartyOut:
    return powers.PartyOut(
        id=row.id, no=row.no, kind=row.kind, roles=list(roles), region=row.region, account=row.present_account
    )


def _roles_and_status(ledger: Ledger, party: str) -> schemas.StandingOut:
    record = ledger.parties.role_changes.present(party)
    return schemas.StandingOut(id=record.id, no=record.no, status=record.status, roles=list(record.roles))


def _newcomer(item: powers.PartyIn) -> NewParty:
    return NewParty(
        kind_of(item.kind, "kind"),
        item.name,
        item.identifier,
        item.region,
        item.public_key or "",
        proof=item.proof,
        further_keys=tuple((key.public_key, key.proof) for key in item.further_keys),
    )
