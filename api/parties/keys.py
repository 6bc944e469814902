"""A party's keys: reported at once, replaced and added late, so that any key of the party can veto."""

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
    """Replace one's own key by another. It waits for the delay, and every key that the party has now can veto it.

    What the old key signed stays signed; assets and certificates stay.
    """
    row = ledger.parties.keys.rotate(
        actor, party, body.public_key, proof=body.proof, signed=signed_of(body), serving=_serving(ledger)
    )
    return _changed(ledger, party, row)


@router.post("/further-accounts", response_model=powers.PartyOut, responses=BY_OFFICE)
def bind(
    party: schemas.HexId, body: powers.BindingIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a further key of a party: the party itself, or an authority, which another one confirms.

    A second person's key, a device's, or one of SM2 for statements. It waits for the delay; any key of the party can
    veto it.
    """
    row = ledger.parties.keys.bind(actor, party, body.public_key, proof=body.proof, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.post("/retirement", response_model=powers.PartyOut, responses=OWN)
def retire(
    party: schemas.HexId, body: powers.RetirementIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Retire one of one's own further keys, after the delay. What it signed and was anchored stays signed.

    A key that is lost or stolen is reported instead: that takes effect at once.
    """
    return _changed(ledger, party, ledger.parties.keys.retire(actor, party, body.account, signed=signed_of(body)))


@router.post("/recovery", response_model=powers.PartyOut, responses=BY_OFFICE)
def recover(
    party: schemas.HexId, body: powers.RecoveryIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a new key in place of a party's lost or stolen one, as an authority; another authority confirms it.

    It waits for the delay; any key of the party can veto it, the lost one too.
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
    """Propose that an account of the party counted for nothing from an earlier time on, as an authority.

    Two authorities and the delay: what was anchored after that time loses its effect.
    """
    row = ledger.parties.keys.date_compromise(actor, party, body.account, body.compromised_at, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.get("/reports")
def report_draft(
    party: schemas.HexId,
    ledger: OpenLedger,
    actor: ReadCaller,
    reported: schemas.Account,
    account: Annotated[schemas.Account | None, Query(description="Whose key will sign; default the present one.")] = (
        None
    ),
) -> powers.MessageOut:
    """The message that a key of the party signs to report another one; for keys that are kept elsewhere."""
    signer, message = ledger.parties.keys.report_to_sign(actor, party, reported, account)
    return powers.MessageOut(account=signer, message=message.hex())


@router.post("/reports", response_model=powers.PartyOut, responses=REPORTING)
def report(
    party: schemas.HexId, body: powers.ReportIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Report a lost or stolen key: in force with its block, and nobody can veto it.

    By the party itself with any of its keys, or by one authority; for the key of an authority or supervisor it takes
    two and the delay. From then on the key counts for vetoes and for a subject's withdrawals alone.
    """
    act = None if body.act is None else bytes.fromhex(body.act)
    row = ledger.parties.keys.report(actor, party, body.reported, act=act, signer=body.account, signed=signed_of(body))
    return _changed(ledger, party, row)


@router.get("/key-changes")
def key_changes(party: schemas.HexId, ledger: OpenLedger, actor: ReadCaller) -> powers.KeyChangesOut:
    """What happened to the party's keys, the earliest first: bound, reported, retired, and proposals about them.

    `pingzheng keys watch` shows the same from any node, without this service.
    """
    changes = ledger.parties.keys.changes(actor, party)
    return powers.KeyChangesOut(items=[powers.KeyChangeOut(**change) for change in changes])


def _changed(ledger: Ledger, party: str, row: Proposal | None) -> powers.PartyOut | JSONResponse:
    return waiting(row) or show(ledger, ledger.parties.register.get(party))


def _serving(ledger: Ledger) -> tuple[str, str]:
    """The parties with whose keys this service is running."""
    return ledger.installation.operator, ledger.installation.authority_party
