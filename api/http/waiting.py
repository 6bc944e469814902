"""The answer to a call that only proposed its act: another institution must confirm, or a waiting period must end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from fastapi.responses import JSONResponse

from api.http.problems import Responses
from api.parties.power_schemas import ProposalOut
from ledger.parties.proposals.proposals import Proposal

# Describes the answer 202 in the schema, for routes whose act may have to wait.
WAITS: Responses = {
    202: {
        "model": ProposalOut,
        "description": "The act was proposed. It takes effect when another institution has confirmed it, or after the "
        "waiting period. The answer gives the proposal's number, the time when it is ready, and how to stop it.",
    }
}


def waiting(*proposals: Proposal | None) -> JSONResponse | None:
    """Return the answer 202 with the first proposal that has not taken effect, or None if all have taken effect."""
    for row in still_open(proposals):
        return JSONResponse(show_proposal(row).model_dump(), 202)
    return None


def still_open(proposals: Iterable[Proposal | None]) -> list[Proposal]:
    """Return the proposals that have not taken effect."""
    return [row for row in proposals if row is not None and row.state != "carried_out"]


def show_proposal(row: Proposal) -> ProposalOut:
    """Convert a proposal to its response model."""
    return ProposalOut(**asdict(row))
