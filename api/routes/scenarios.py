"""Scenarios: those in force are public; drafts and their approval are the offices'."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api import schemas
from api.access import Caller, OpenLedger
from ledger.domain.scenario import Scenario
from ledger.service.wiring import Ledger

router = APIRouter(prefix="/scenarios", tags=["scenarios"])

DraftDigest = Annotated[str, Path(pattern=r"^sha-256:[0-9a-f]{64}$")]


@router.get("")
def scenarios(ledger: OpenLedger) -> list[schemas.ScenarioOut]:
    """The pilot scenarios: public."""
    return [show(ledger, scenario) for scenario in ledger.scenarios.all()]


@router.post("/drafts", status_code=201)
def draft(body: schemas.ScenarioDraftIn, ledger: OpenLedger, actor: Caller) -> schemas.ScenarioDraftOut:
    """Check a scenario as the operator and lay it before authority and supervisor; its digest names it."""
    return schemas.ScenarioDraftOut(**ledger.scenario_drafts.draft(actor, body.scenario))


@router.get("/drafts/{digest}")
def drafted(digest: DraftDigest, ledger: OpenLedger, actor: Caller) -> schemas.ScenarioDraftOut:
    """A draft and who approved it."""
    return schemas.ScenarioDraftOut(**ledger.scenario_drafts.get(actor, digest))


@router.post("/drafts/{digest}/approval")
def approve(digest: DraftDigest, ledger: OpenLedger, actor: Caller) -> schemas.ScenarioDraftOut:
    """Approve a draft as authority or supervisor; it comes into force when the operator loads its file."""
    return schemas.ScenarioDraftOut(**ledger.scenario_drafts.approve(actor, digest))


@router.get("/{code}")
def scenario(code: str, ledger: OpenLedger) -> schemas.ScenarioOut:
    """One scenario."""
    return show(ledger, ledger.scenarios.get(code))


def show(ledger: Ledger, scenario: Scenario) -> schemas.ScenarioOut:
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
        approved_by=ledger.scenario_drafts.approvals([scenario.digest])[scenario.digest],
    )
