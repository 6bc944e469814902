"""Routes for a party's keys: a report takes effect at once; a new key becomes valid after a waiting period, in which
any key of the party can veto the new key.
"""

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
from api.registration.assets import signing
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
    """Propose to replace the caller's own key. The change takes effect after the waiting period; until then, every key
    that the party has now can veto the change.

    What the old key has signed stays valid, and the party keeps its assets and certificates.
    """
    row = ledger.parties.keys.rotate(
        signing(actor, body), party, body.public_key, proof=body.proof, serving=_serving(ledger)
    )
    return _changed(ledger, party, row)


@router.post("/further-accounts", response_model=powers.PartyOut, responses=BY_OFFICE)
def bind(
    party: schemas.HexId, body: powers.BindingIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a further key for a party. The party itself may do this alone. An authority may do this if another
    authority confirms.

    The new key can be, for example, the key of a second person or of a device, or an SM2 key for statements. The key
    takes effect after the waiting period, in which any key of the party can veto it.
    """
    row = ledger.parties.keys.bind(signing(actor, body), party, body.public_key, proof=body.proof)
    return _changed(ledger, party, row)


@router.post("/retirement", response_model=powers.PartyOut, responses=OWN)
def retire(
    party: schemas.HexId, body: powers.RetirementIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose to retire one of the caller's own keys. The key is retired after the waiting period. Statements that the
    key signed stay valid if they are anchored by then.

    Report a lost or stolen key instead, because a report takes effect at once.
    """
    return _changed(ledger, party, ledger.parties.keys.retire(signing(actor, body), party, body.account))


@router.post("/recovery", response_model=powers.PartyOut, responses=BY_OFFICE)
def recover(
    party: schemas.HexId, body: powers.RecoveryIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose a new key in place of a party's lost or stolen key, as an authority; another authority confirms the
    proposal.

    The change takes effect after the waiting period, in which any key of the party can veto it, even the lost key.
    """
    row = ledger.parties.keys.recover(
        signing(actor, body), party, body.public_key, proof=body.proof, lost=body.lost, serving=_serving(ledger)
    )
    return _changed(ledger, party, row)


@router.post("/compromise", response_model=powers.PartyOut, responses=BY_OFFICE)
def compromise(
    party: schemas.HexId, body: powers.CompromiseIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Propose, as an authority, that an account of the party is invalid from a time in the past on.

    Another authority must confirm, and the proposal takes effect after the waiting period. Then signatures of the key
    that were anchored from that time on are invalid.
    """
    row = ledger.parties.keys.date_compromise(signing(actor, body), party, body.account, body.compromised_at)
    return _changed(ledger, party, row)


@router.get("/reports")
def report_draft(
    party: schemas.HexId,
    ledger: OpenLedger,
    actor: ReadCaller,
    reported: schemas.Account,
    account: Annotated[
        schemas.Account | None, Query(description="The signing account; default: the present account.")
    ] = (None),
) -> powers.MessageOut:
    """Return the message that a key of the party must sign to report an account; for parties that keep their own
    keys."""
    signer, message = ledger.parties.keys.report_to_sign(actor, party, reported, account)
    return powers.MessageOut(account=signer, message=message.hex())


@router.post("/reports", response_model=powers.PartyOut, responses=REPORTING)
def report(
    party: schemas.HexId, body: powers.ReportIn, ledger: OpenLedger, actor: ActCaller
) -> powers.PartyOut | JSONResponse:
    """Report a lost or stolen key. The report takes effect in the block that contains it, and nobody can veto the
    report.

    The party itself reports with any of its keys, or one authority reports. To report the key of an authority or a
    supervisor, two authorities must agree, and the report takes effect after the waiting period, unless the party
    itself reports the key. A reported key can only veto proposals, withdraw a subject's consents, and report keys of
    the same party.
    """
    act = None if body.act is None else bytes.fromhex(body.act)
    row = ledger.parties.keys.report(signing(actor, body), party, body.reported, act=act, signer=body.account)
    return _changed(ledger, party, row)


@router.get("/key-changes")
def key_changes(party: schemas.HexId, ledger: OpenLedger, actor: ReadCaller) -> powers.KeyChangesOut:
    """List the changes of the party's keys, the earliest first: bound, reported or retired keys, and proposals about
    keys.

    `pingzheng keys watch` reads the same changes from any node, without this service.
    """
    changes = ledger.parties.keys.changes(actor, party)
    return powers.KeyChangesOut(items=[powers.KeyChangeOut(**change) for change in changes])


def _changed(ledger: Ledger, party: str, row: Proposal | None) -> powers.PartyOut | JSONResponse:
    return waiting(row) or show(ledger, ledger.parties.register.get(party))


def _serving(ledger: Ledger) -> tuple[str, str]:
    """Return the parties whose keys this running service uses; these keys cannot be replaced while it runs."""
    return ledger.installation.operator, ledger.installation.authority_party
