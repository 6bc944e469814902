"""Scenarios in force are public. Drafts and approvals are shown to the operator, authorities and supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.routing import Router
from api.rulebooks.schemas import ScenarioDraftIn, ScenarioDraftOut, ScenarioOut
from ledger.domain.definitions.scenario import Scenario
from ledger.installation.wiring import Ledger
from ledger.rulebooks.scenarios import scenario_json

router = Router(prefix="/scenarios", tags=["scenarios"])

DraftDigest = Annotated[str, Path(pattern=r"^sha-256:[0-9a-f]{64}$")]


@router.get("")
def scenarios(ledger: OpenLedger) -> list[ScenarioOut]:
    """List the scenarios in force. Public."""
    return [show(ledger, scenario) for scenario in ledger.scenarios.all()]


@router.post("/drafts", status_code=201)
def draft(body: ScenarioDraftIn, ledger: OpenLedger, actor: ActCaller) -> ScenarioDraftOut:
    """Check the draft of a scenario, as the operator, and submit it to authority and supervisor. The digest of a draft
    identifies the draft.
    """
    return ScenarioDraftOut(**ledger.scenario_drafts.draft(actor, body.scenario))


@router.get("/drafts/{digest}")
def drafted(digest: DraftDigest, ledger: OpenLedger, actor: ReadCaller) -> ScenarioDraftOut:
    """Return the draft of a scenario and its approvals."""
    return ScenarioDraftOut(**ledger.scenario_drafts.get(actor, digest))


@router.post("/drafts/{digest}/approval")
def approve(digest: DraftDigest, ledger: OpenLedger, actor: ActCaller) -> ScenarioDraftOut:
    """Approve a draft, as authority or supervisor. The scenario comes into force when the operator loads the scenario's
    file.
    """
    return ScenarioDraftOut(**ledger.scenario_drafts.approve(actor, digest))


@router.get("/{code}")
def scenario(code: str, ledger: OpenLedger) -> ScenarioOut:
    """Return one scenario. Public."""
    return show(ledger, ledger.scenarios.get(code))


def show(ledger: Ledger, scenario: Scenario) -> ScenarioOut:
    approved = ledger.scenario_drafts.approvals([scenario.digest])[scenario.digest]
    return ScenarioOut(**scenario_json(scenario), approved_by=approved)
