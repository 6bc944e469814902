"""Parties and scenarios."""

from __future__ import annotations

from fastapi import APIRouter

from api import schemas
from api.access import Caller, OpenLedger, require
from api.paging import Cursor, Limit, Page, decode, page
from api.schemas_registration import MandateIn, MandateOut
from ledger.domain.parties import PartyKind
from ledger.domain.permissions import Action
from ledger.domain.scenario import Scenario
from ledger.errors import Forbidden, InvalidInput
from ledger.service.parties import NewParty
from ledger.store.tables import Party

router = APIRouter(tags=["parties"])


@router.post("/parties", status_code=201)
def onboard(body: schemas.PartiesIn, ledger: OpenLedger, actor: Caller) -> schemas.PartiesOut:
    """Onboard parties: recorded here, registered on the chain. Those known already are returned as they are."""
    require(actor, Action.MANAGE_ROLES)
    newcomers = [
        NewParty(_kind(item.kind), item.name, item.identifier, item.region, item.public_key) for item in body.parties
    ]
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
    return schemas.ApiKeyOut(api_key=ledger.parties.new_api_key(party))


@router.post("/parties/{party}/mandates", status_code=201)
def give_mandate(party: schemas.HexId, body: MandateIn, ledger: OpenLedger, actor: Caller) -> MandateOut:
    """Let a broker hand in one's applications for registration; each is still signed by the principal."""
    if actor.party != party:
        raise Forbidden("NOT_YOURS", "A party gives mandates for itself alone.", where="party")
    row = ledger.mandates.give(party, body.broker, body.valid_to)
    return MandateOut(id=row.id, principal=row.principal, broker=row.broker, valid_to=row.valid_to)


@router.get("/scenarios", tags=["scenarios"])
def scenarios(ledger: OpenLedger) -> list[schemas.ScenarioOut]:
    """The pilot scenarios: public."""
    return [show_scenario(scenario) for scenario in ledger.scenarios.all()]


@router.get("/scenarios/{code}", tags=["scenarios"])
def scenario(code: str, ledger: OpenLedger) -> schemas.ScenarioOut:
    """One scenario."""
    return show_scenario(ledger.scenarios.get(code))


def show(row: Party) -> schemas.PartyOut:
    """A party without name and identifier."""
    return schemas.PartyOut(
        id=row.id, no=row.no, kind=row.kind, roles=row.roles, region=row.region, account=row.account
    )


def show_scenario(scenario: Scenario) -> schemas.ScenarioOut:
    """A scenario as people are shown it."""
    return schemas.ScenarioOut(
        code=scenario.code,
        version=scenario.version,
        standing=scenario.standing,
        title={"zh": scenario.title.zh, "en": scenario.title.en},
        purpose={"zh": scenario.purpose.zh, "en": scenario.purpose.en},
        fields=[
            {"name": field.name, "title": {"zh": field.title.zh, "en": field.title.en}, "type": field.type}
            for field in scenario.fields
        ],
        max_validity_days=scenario.max_validity_days,
        max_uses=scenario.max_uses,
        digest=scenario.digest,
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
