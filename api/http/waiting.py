"""Acts that wait: what a call answers when another office, a delay or a veto stands before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from fastapi.responses import JSONResponse

from api.http.problems import Responses
from api.parties.power_schemas import ProposalOut
from ledger.parties.proposals.proposals import Proposal

# For routes whose act may wait.
WAITS: Responses = {
    202: {
        "model": ProposalOut,
        "description": "Proposed: it takes effect once another office has confirmed it, or after the delay. The answer "
        "says its number, when it is ready and how to stop it.",
    }
}


def waiting(*proposals: Proposal | None) -> JSONResponse | None:
    """The answer 202 with the first proposal that has not taken effect; ``None`` where nothing waits."""
    for row in still_open(proposals):
        return JSONResponse(show_proposal(row).model_dump(), 202)
    return None


def still_open(proposals: Iterable[Proposal | None]) -> list[Proposal]:
    """Those that have not taken effect."""
    return [row for row in proposals if row is not None and row.state != "carried_out"]


def show_proposal(row: Proposal) -> ProposalOut:
    """A proposal with its arguments in words."""
    return ProposalOut(**asdict(row))
