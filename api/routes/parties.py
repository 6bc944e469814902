"""Parties: onboarding, keys, roles, status, mandates."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter

from api import schemas
from api.access import Caller, OpenLedger, require
from api.paging import Cursor, Limit, Page, decode, page
from api.routes.assets import signed_of
from api.schemas_registration import MandateIn, MandateOut
from ledger.chain.records import PartyRecord
from ledger.domain.parties import DEFAULT_ROLES, OFFICES, PartyKind, Role
from ledger.domain.permissions import Action
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.service.parties import Actor, NewParty
from ledger.store.tables import Party

router = APIRouter(tags=["parties"])


@router.post("/parties", status_code=201)
def onboard(body: schemas.PartiesIn, ledger: OpenLedger, actor: Caller) -> schemas.PartiesOut:
    """Onboard parties: recorded here, registered on the chain. Those known already are returned as they are."""
    require(actor, Action.MANAGE_ROLES)
    newcomers = [
        NewParty(_kind(item.kind), item.name, item.identifier, item.region, item.public_key) for item in body.parties
    ]
    for newcomer in newcomers:
        _require_authority_for(actor, DEFAULT_ROLES[newcomer.kind])
    return schemas.PartiesOut(parties=[show(row) for row in ledger.parties.onboard(newcomers)])


@router.get("/parties")
def parties(ledger: OpenLedger, _actor: Caller, limit: Limit = 50, cursor: Cursor = None) -> Page[schemas.PartyOut]:
    """Parties by id. Names and identifiers are not shown."""
    rows = ledger.parties.page(decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.id, show)


@router.get("/parties/{party}")
def party(party: schemas.HexId, ledger: OpenLedger, _actor: Caller) -> schemas.PartyOut:
    """One party."""
    return show(ledger.parties.get(party))


@router.post("/parties/{party}/api-keys", status_code=201)
def new_key(party: schemas.HexId, ledger: OpenLedger, actor: Caller) -> schemas.ApiKeyOut:
    """A fresh API key of a party: its own, or any by those who manage parties."""
    require(actor, Action.MANAGE_ROLES, owns=actor.party == party)
    if actor.party != party:
        _require_authority_for(actor, [Role(role) for role in ledger.parties.get(party).roles])
    return schemas.ApiKeyOut(api_key=ledger.parties.new_api_key(party))


@router.post("/parties/{party}/mandates", status_code=201)
def give_mandate(party: schemas.HexId, body: MandateIn, ledger: OpenLedger, actor: Caller) -> MandateOut:
    """Let a broker hand in one's applications for registration; each is still signed by the principal."""
    if actor.party != party:
        raise Forbidden("NOT_YOURS", "A party gives mandates for itself alone.", where="party")
    row = ledger.mandates.give(party, body.broker, body.valid_to)
    return MandateOut(id=row.id, principal=row.principal, broker=row.broker, valid_to=row.valid_to)


@router.post("/parties/{party}/accounts")
def rotate(party: schemas.HexId, body: schemas.RotationIn, ledger: OpenLedger, actor: Caller) -> schemas.PartyOut:
    """Replace one's own key by another. What the old one signed stays signed; assets and certificates stay."""
    if actor.party != party:
        raise Forbidden("NOT_THE_PARTY", "Only the party itself rotates its key.", hint="An authority can recover it.")
    _require_not_own(ledger, party)
    return show(ledger.party_keys.rotate(party, body.public_key, signed_of(body)))


@router.post("/parties/{party}/further-accounts")
def bind(party: schemas.HexId, body: schemas.BindingIn, ledger: OpenLedger, actor: Caller) -> schemas.PartyOut:
    """Bind a further key to a party, as an authority: an officer's, a device's, or one of SM2 for statements."""
    require(actor, Action.MANAGE_ROLES)
    return show(ledger.party_keys.bind(actor.party, party, body.public_key, signed_of(body)))


@router.post("/parties/{party}/retirement")
def retire(party: schemas.HexId, body: schemas.RetirementIn, ledger: OpenLedger, actor: Caller) -> schemas.PartyOut:
    """Retire one of one's own further keys. What it signed and was anchored stays signed."""
    if actor.party != party:
        raise Forbidden("NOT_THE_PARTY", "Only the party itself retires its key.", hint="An authority can recover it.")
    return show(ledger.party_keys.retire(party, body.account, signed_of(body)))


@router.post("/parties/{party}/recovery")
def recover(party: schemas.HexId, body: schemas.RecoveryIn, ledger: OpenLedger, actor: Caller) -> schemas.PartyOut:
    """Replace a party's lost or stolen key, as an authority."""
    require(actor, Action.MANAGE_ROLES)
    _require_not_own(ledger, party)
    row = ledger.party_keys.recover(
        actor.party, party, body.public_key, body.compromised_at, lost=body.lost, signed=signed_of(body)
    )
    return show(row)


@router.post("/parties/{party}/compromise")
def compromise(party: schemas.HexId, body: schemas.CompromiseIn, ledger: OpenLedger, actor: Caller) -> schemas.PartyOut:
    """Report that a retired account of the party counted for nothing from a time on, as an authority."""
    require(actor, Action.MANAGE_ROLES)
    row = ledger.party_keys.report_compromise(actor.party, party, body.account, body.compromised_at, signed_of(body))
    return show(row)


@router.put("/parties/{party}/roles")
def set_roles(party: schemas.HexId, body: schemas.RolesIn, ledger: OpenLedger, actor: Caller) -> schemas.StandingOut:
    """Give a party exactly these roles. Offices are given and taken by an authority only, nothing to oneself."""
    require(actor, Action.MANAGE_ROLES)
    return _standing(ledger.standing.set_roles(actor.party, party, body.roles, signed_of(body)))


@router.put("/parties/{party}/status")
def set_status(
    party: schemas.HexId, body: schemas.PartyStatusIn, ledger: OpenLedger, actor: Caller
) -> schemas.StandingOut:
    """Suspend, sanction, restore or close a party, as authority or supervisor; closed is final."""
    require(actor, Action.FREEZE)
    return _standing(ledger.standing.set_status(actor.party, party, body.status, body.reason, signed_of(body)))


def show(row: Party) -> schemas.PartyOut:
    """A party without name and identifier."""
    return schemas.PartyOut(
        id=row.id, no=row.no, kind=row.kind, roles=row.roles, region=row.region, account=row.account
    )


def _standing(record: PartyRecord) -> schemas.StandingOut:
    return schemas.StandingOut(id=record.id, no=record.no, status=record.status, roles=list(record.roles))


def _require_authority_for(actor: Actor, roles: Iterable[Role]) -> None:
    """The service registers in the authority's name, so an admin's limits are kept here too."""
    if Role.AUTHORITY not in actor.roles and (offices := sorted(OFFICES.intersection(roles))):
        raise Forbidden(
            "PARTY_OFFICE_BY_AUTHORITY",
            "An office is given and taken by an authority only.",
            hint="Ask an authority; an admin gives the roles subject, provider, consumer and broker.",
            roles=offices,
        )


def _require_not_own(ledger: OpenLedger, party: str) -> None:
    if party in (ledger.installation.operator, ledger.installation.authority_party):
        raise Conflict(
            "OWN_KEY_IN_USE",
            "This service is running with the key that would be replaced.",
            hint="Stop it, run `pingzheng party rotate` or `pingzheng party recover`, start it again.",
        )


def _kind(value: str) -> PartyKind:
    try:
        return PartyKind(value)
    except ValueError:
        raise InvalidInput(
            "PARTY_KIND_UNKNOWN",
            "There is no such kind of party.",
            where="kind",
            hint=f"One of: {', '.join(kind.value for kind in PartyKind)}.",
        ) from None
