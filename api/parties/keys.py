"""Routes for a party's keys: reports act at once; new keys wait for the delay, in which any key can veto them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.problems import answers
from api.http.routing import Router
from api.http.waiting import WAITS, waiting
from api.parties import power_schemas as powers
from api.parties.parties import show
from api.registration.assets import signed_of
from ledger.installation.wiring import Ledger
from ledger.parties.proposals.proposals import Proposal

router = Router(prefix="/parties/{party}", tags=["keys"])

OWN = answers({403: ["NOT_THE_PARTY"], 409: ["ACCOUNT_IN_USE", "OWN_KEY_IN_USE", "SIGNATURE_REQUIRED"]}) | WAITS
BY_OFFICE = answers({403: ["PARTY_LACKS_ROLE", "PARTY_SELF_GRANT"], 409: ["SIGNATURE_REQUIRED"]}) | WAITS
REPORTING = answers({403: ["PARTY_LACKS_ROLE"], 409: ["PARTY_ACCOUNT_NOT_BOUND", "SIGNATURE_REQUIRED"]}) | WAITS


@router.post("/accounts", response_model=powers.PartyOut, responses=OWN)
def rotate(
    party: schemas.HexId, body: powers.RotationIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose to replace the caller's own key. The change waits for the delay; every present key can veto it.

    Signatures by the old key stay valid, and the party keeps its assets and certificates.
    """
    row = ledger.parties.keys.rotate(
        actor, party, body.public_key, proof=body.proof, signed=signed_of(body), serving=_serving(ledger)
    )
    return _changed(ledger, party, row)


@router.post("/further-accounts", response_model=powers.PartyOut, responses=BY_OFFICE)
def bind(
    party: schemas.HexId, body: powers.BindingIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a further key of a party, as the party itself, or as an authority, which another authority confirms.

    For example the key of a second person or of a device, or an SM2 key for statements. It waits for the delay; any
    key of the party can veto it.
    """
    row = ledger.parties.keys.bind(actor, party, body.public_key, proof=body.proof, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.post("/retirement", response_model=powers.PartyOut, responses=OWN)
def retire(
    party: schemas.HexId, body: powers.RetirementIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose to retire one of the caller's own keys, after the delay. Anchored signatures by it stay valid.

    A lost or stolen key is reported instead: a report takes effect at once.
    """
    return _changed(ledger, party, ledger.parties.keys.retire(actor, party, body.account, signed=signed_of(body)))


@router.post("/recovery", response_model=powers.PartyOut, responses=BY_OFFICE)
def recover(
    party: schemas.HexId, body: powers.RecoveryIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a new key in place of a party's lost or stolen one, as an authority; another authority confirms it.

    It waits for the delay; any key of the party can veto it, even the lost one.
    """
    row = ledger.parties.keys.recover(
        actor,
        party,
        body.public_key,
        proof=body.proof,
        lost=body.lost,
        signed=signed_of(body),
        serving=_serving(ledger),
    )
    return _changed(ledger, party, row)


@router.post("/compromise", response_model=powers.PartyOut, responses=BY_OFFICE)
def compromise(
    party: schemas.HexId, body: powers.CompromiseIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose, as an authority, that an account of the party is invalid from an earlier time on.

    It needs two authorities and the delay. Signatures anchored after that time then become invalid.
    """
    row = ledger.parties.keys.date_compromise(actor, party, body.account, body.compromised_at, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.get("/reports")
def report_draft(
    party: schemas.HexId,
    ledger: OpenLedger,
    actor: ReadCaller,
    reported: schemas.Account,
    account: Annotated[schemas.Account | None, Query(description="The signing account; default: the present one.")] = (
        None
    ),
) -> powers.MessageOut:
    """The message that a key of the party signs to report an account; for keys that are kept elsewhere."""
    signer, message = ledger.parties.keys.report_to_sign(actor, party, reported, account)
    return powers.MessageOut(account=signer, message=message.hex())


@router.post("/reports", response_model=powers.PartyOut, responses=REPORTING)
def report(
    party: schemas.HexId, body: powers.ReportIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Report a lost or stolen key. The report is active from its block on; nobody can veto it.

    The party itself reports with any of its keys, or one authority does. For the key of an authority or a supervisor it
    takes two authorities and the delay. A reported key is valid only for vetoes and for a subject's withdrawals.
    """
    act = None if body.act is None else bytes.fromhex(body.act)
    row = ledger.parties.keys.report(actor, party, body.reported, act=act, signer=body.account, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.get("/key-changes")
def key_changes(party: schemas.HexId, ledger: OpenLedger, actor: ReadCaller) -> powers.KeyChangesOut:
    """The changes of the party's keys, the earliest first: bound, reported, retired, and proposals about them.

    `pingzheng keys watch` reads the same from any node, without this service.
    """
    changes = ledger.parties.keys.changes(actor, party)
    return powers.KeyChangesOut(items=[powers.KeyChangeOut(**change) for change in changes])


def _changed(ledger: Ledger, party: str, row: Proposal | None) -> powers.PartyOut | JSONResponse:
    return waiting(row) or show(ledger, ledger.parties.register.get(party))


def _serving(ledger: Ledger) -> tuple[str, str]:
    """The parties whose keys this running service uses."""
    return ledger.installation.operator, ledger.installation.authority_party
