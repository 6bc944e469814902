"""Routes for proposals (of authorities, and of parties about their own keys), and for the pause."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, PayloadCaller, ReadCaller
from api.http.problems import answers
from api.http.routing import Router
from api.http.waiting import WAITS, show_proposal, waiting
from api.parties import power_schemas as powers
from api.registration.assets import signing
from ledger.installation.wiring import Ledger

router = Router(tags=["proposals"])

Number = Annotated[int, Path(ge=1, lt=2**32, description="The proposal's number on the chain.")]
ENDED = {404: ["PROPOSAL_UNKNOWN"], 409: ["PARTY_NOT_PENDING", "SIGNATURE_REQUIRED"]}
REFUSALS = answers({403: ["PARTY_LACKS_ROLE", "PARTY_SELF_GRANT"], **ENDED})


@router.get("/proposals")
def pending(
    ledger: OpenLedger,
    _actor: ReadCaller,
    concerned: Annotated[schemas.HexId | None, Query(description="Return only proposals about this party.")] = None,
) -> powers.ProposalsOut:
    """List all pending proposals: what each proposal would do, who made it, its deadlines, and how to stop it."""
    return powers.ProposalsOut(items=[show_proposal(row) for row in ledger.proposals.pending(concerned)])


@router.get("/proposals/{number}", responses=answers({404: ["PROPOSAL_UNKNOWN"]}))
def proposal(number: Number, ledger: OpenLedger, _actor: ReadCaller) -> powers.ProposalOut:
    """Return one proposal, pending or ended."""
    return show_proposal(ledger.proposals.get(number))


@router.post("/proposals/{number}/confirmation", responses=REFUSALS)
def confirm(number: Number, body: powers.ConfirmationIn, ledger: OpenLedger, actor: ActCaller) -> powers.ProposalOut:
    """Confirm this proposal as a second party with the proposal's role.

    The proposer and the party that the act changes may not confirm.
    """
    listed = None if body.list is None else body.list.model_dump()
    row = ledger.proposals.confirm(signing(actor, body), number, listed=listed)
    return show_proposal(row)


@router.get(
    "/proposals/{number}/list", responses=answers({404: ["PROPOSAL_UNKNOWN"], 409: ["REGISTRATION_LIST_MISSING"]})
)
def registration_list(number: Number, ledger: OpenLedger, actor: PayloadCaller) -> powers.ListOut:
    """Return the list of parties of a registration with their identities, so that the confirming institution can check
    them.

    The identities are personal text, and are returned only while the proposal is pending.
    """
    return powers.ListOut(**ledger.proposals.listed(actor, number))


@router.post("/proposals/{number}/carrying-out", responses=answers(ENDED))
def carry_out(number: Number, ledger: OpenLedger, _actor: ActCaller) -> powers.ProposalOut:
    """Carry out a proposal that is ready.

    Any party may call this; a running service also carries out proposals by itself.
    """
    return show_proposal(ledger.proposals.carry_out(number))


@router.post("/proposals/{number}/cancellation", responses=REFUSALS)
def cancel(number: Number, body: powers.ActIn, ledger: OpenLedger, actor: ActCaller) -> powers.ProposalOut:
    """Cancel a proposal, as any party with the proposal's role.

    A party that wants to stop a proposal about its own keys must veto the proposal instead.
    """
    return show_proposal(ledger.proposals.cancel(signing(actor, body), number))


@router.get("/proposals/{number}/veto", responses=answers({404: ["PROPOSAL_UNKNOWN"]}))
def veto_draft(
    number: Number,
    ledger: OpenLedger,
    actor: ReadCaller,
    account: Annotated[
        schemas.Account | None, Query(description="The signing account; default: the present account.")
    ] = (None),
) -> powers.MessageOut:
    """Return the message that a key of the party must sign to veto; for parties that keep their secp256k1 or P-256
    keys."""
    signer, message = ledger.proposals.veto_to_sign(actor, number, account)
    return powers.MessageOut(account=signer, message=message.hex())


@router.post("/proposals/{number}/veto", responses=REFUSALS)
def veto(number: Number, body: powers.VetoIn, ledger: OpenLedger, actor: ActCaller) -> powers.ProposalOut:
    """Veto a change of the caller's own keys, with any key that was not retired at the time of the proposal.

    Even a reported key may veto. `pingzheng keys veto` sends a veto to any node of the chain, without this service.
    """
    act = None if body.act is None else bytes.fromhex(body.act)
    row = ledger.proposals.veto(signing(actor, body), number, act=act, account=body.account)
    return show_proposal(row)


@router.get("/pause")
def pause_state(ledger: OpenLedger) -> powers.PauseOut:
    """Return whether anchoring, registering and binding keys are paused, and until when. Public."""
    return _pause(ledger)


@router.post("/pause", responses=answers({403: ["PARTY_LACKS_ROLE"], 409: ["PARTY_PAUSED", "PARTY_PAUSE_REST"]}))
def pause(body: powers.ActIn, ledger: OpenLedger, actor: ActCaller) -> powers.PauseOut:
    """Pause anchoring, registering and binding keys for at most 7 days, as an authority or a supervisor.

    The same party may pause again 30 days after the pause. The time of the pause does not count towards a proposal's
    waiting period. Key reports, vetoes, holds, withdrawals, revocations, uses and verification are never stopped.
    """
    ledger.pauses.pause(signing(actor, body))
    return _pause(ledger)


@router.delete(
    "/pause",
    response_model=powers.PauseOut,
    responses=answers({403: ["PARTY_LACKS_ROLE"], 409: ["PARTY_NOT_PAUSED", "SIGNATURE_REQUIRED"]}) | WAITS,
)
def end_pause(ledger: OpenLedger, actor: ActCaller, body: powers.ActIn | None = None) -> powers.PauseOut | JSONResponse:
    """End a pause early: one authority proposes the end, another authority confirms, and the pause ends at once."""
    row = ledger.pauses.end(signing(actor, body))
    return waiting(row) or _pause(ledger)


def _pause(ledger: Ledger) -> powers.PauseOut:
    until = ledger.pauses.until()
    return powers.PauseOut(paused=until > 0, paused_until=until)
