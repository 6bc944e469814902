"""Routes of enrolment: an authority or an admin issues a one-time code, and the party submits its first key with the
code."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Request, Response

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, counted
from api.http.problems import Responses, answers
from api.http.routing import Router
from api.parties import access_schemas as access
from api.parties.sessions import NO_STORE

router = Router(tags=["enrolments"])

GIVING = answers({403: ["PARTY_LACKS_ROLE"], 404: ["PARTY_UNKNOWN"], 409: ["PARTY_ERASED", "PARTY_HAS_KEY"]})
WAITS: Responses = {
    202: {"model": access.EnrolledOut, "description": "The key is valid once another institution confirms `proposal`."}
}
TAKING = WAITS | answers(
    {
        401: ["ENROLMENT_UNKNOWN"],
        409: ["ACCOUNT_IN_USE", "PARTY_HAS_KEY"],
        422: ["PROOF_INVALID", "PROOF_MISSING", "PUBLIC_KEY_INVALID"],
    }
)


@router.post("/parties/{party}/enrolment", status_code=201, responses=GIVING)
def code(party: schemas.HexId, ledger: OpenLedger, actor: ActCaller, response: Response) -> access.EnrolmentCodeOut:
    """Issue a one-time code for a party's first key, as an authority or an admin. The code is valid for 7 days.

    Nobody can sign in or read data with the code. An earlier code of the party becomes invalid.
    """
    response.headers.update(NO_STORE)
    return access.EnrolmentCodeOut(**asdict(ledger.parties.enrolments.issue(actor, party)))


@router.post("/enrolments", status_code=201, responses=TAKING)
def redeem(body: access.EnrolmentIn, ledger: OpenLedger, request: Request, response: Response) -> access.EnrolledOut:
    """Submit a party's first key with its proof of possession. The call needs the code in place of a session.

    The registration of the key is proposed, and the key is valid once two institutions agree.
    """
    enrolled = counted(
        ledger, request, lambda: ledger.parties.enrolments.redeem(body.code, body.public_key, body.proof)
    )
    if enrolled.proposal is not None:
        response.status_code = 202
    return access.EnrolledOut(**asdict(enrolled))
