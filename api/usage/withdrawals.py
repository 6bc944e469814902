"""Withdrawals: a subject withdraws its authorization, a provider withdraws its provision. Each party signs its own
withdrawal.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.problems import answers
from api.http.routing import Router
from api.usage import schemas as usage
from api.usage.consents import show as show_authorization
from ledger.domain.digests import hex_of
from ledger.usage.withdrawals import WithdrawalDraft

router = Router(tags=["withdrawals"])

SigningAccount = Annotated[
    schemas.Account | None, Query(description="The account whose key will sign; default: the party's present account.")
]
REFUSALS = answers(
    {
        403: ["LOG_SIGNATURE_INVALID", "PARTY_LACKS_ROLE", "SIGNER_NOT_PROVIDER", "SIGNER_NOT_SUBJECT"],
        409: ["ACT_SIGNATURE_REQUIRED"],
        422: ["LEDGER_DIFFERS", "WITHDRAWAL_OF_ANOTHER"],
    }
)


@router.get("/authorizations/{authorization}/withdrawal")
def authorization_draft(
    authorization: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller, account: SigningAccount = None
) -> usage.WithdrawalDraftOut:
    """Return what the subject must sign to withdraw an authorization: an entry, and a message for the chain."""
    return _shown(ledger.usage.subject_acts.draft_withdrawal(actor, authorization, account))


@router.post("/authorizations/{authorization}/withdrawal", responses=REFUSALS)
def withdraw_authorization(
    authorization: schemas.Ulid, body: usage.WithdrawalIn, ledger: OpenLedger, actor: ActCaller
) -> usage.AuthorizationOut:
    """Withdraw an authorization, as its subject; certificates that rest on the authorization are revoked."""
    return show_authorization(ledger.usage.subject_acts.withdraw(actor, authorization, body.statement, _act(body)))


@router.get("/provisions/{provision}/withdrawal")
def provision_draft(
    provision: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller, account: SigningAccount = None
) -> usage.WithdrawalDraftOut:
    """Return what the provider must sign to withdraw a provision without a correction: an entry, and a message for the
    chain.
    """
    return _shown(ledger.usage.provider_acts.draft_withdrawal(actor, provision, account))


@router.post("/provisions/{provision}/withdrawal", responses=REFUSALS)
def withdraw_provision(
    provision: schemas.Ulid, body: usage.WithdrawalIn, ledger: OpenLedger, actor: ActCaller
) -> usage.WithdrawnOut:
    """Withdraw a provision, as its provider; certificates that rest on the provision are revoked."""
    ledger.usage.provider_acts.withdraw(actor, provision, body.statement, _act(body))
    of, party, reason = (str(body.statement[name]) for name in ("statement", "party", "reason"))
    return usage.WithdrawnOut(statement=hex_of(of), party=party, reason=reason)


def _shown(drafted: WithdrawalDraft) -> usage.WithdrawalDraftOut:
    message = None if drafted.message is None else drafted.message.hex()
    return usage.WithdrawalDraftOut(entry=drafted.entry, message=message)


def _act(body: usage.WithdrawalIn) -> bytes | None:
    return None if body.act is None else bytes.fromhex(body.act)
