"""Withdraws authorizations and provisions through the service; the party signs with its own key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.demo.actors import Actors
from ledger.proof.acts import sign_act
from ledger.usage.recorded import RecordedAuthorization


@dataclass(frozen=True, slots=True)
class SignedWithdrawal:
    """A withdrawal to submit: the signed entry, and the signed act for the chain (None for an SM2 key)."""

    entry: dict[str, Any]
    act: bytes | None


def signed_withdrawal(actors: Actors, identifier: str, by: str | None = None) -> SignedWithdrawal:
    """Return a signed withdrawal of an authorization or a provision. The party that made the statement signs, or ``by``
    if it is given.
    """
    drafted = actors.ledger.usage.withdrawals.draft(identifier)
    signer = by or drafted.entry["party"]
    act = None if drafted.message is None else sign_act(drafted.message, actors.signer_of(signer))
    return SignedWithdrawal(actors.sign(signer, drafted.entry), act)


def withdraw(actors: Actors, identifier: str) -> RecordedAuthorization:
    """Withdraw an authorization in the subject's name."""
    signed = signed_withdrawal(actors, identifier)
    return actors.ledger.usage.withdrawals.withdraw(signed.entry, signed.act)
