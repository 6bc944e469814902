"""Statements by which parties sign in, and what a token of theirs reaches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.proof.sign_in import Place, sign_in
from tests.support.actors.signing_in import HERE, signer_of


def here(ledger: Ledger) -> Place:
    return Place.of(ledger.sessions.origin, ledger.reader.chain)


def statement(ledger: Ledger, party: str, **changes: object) -> str:
    """A statement of the party that is right but for the changes."""
    told = {
        "place": here(ledger),
        "nonce": ledger.sessions.nonce(party, HERE).nonce,
        "signer": signer_of(ledger, party),
        "expires_at": ledger.clock() + 300,
    } | changes
    return sign_in(told["place"], party, told["nonce"], told["signer"], told["expires_at"])  # type: ignore[arg-type]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(PingzhengError) as raised:
        act()
    return raised.value.code


def reach(ledger: Ledger, token: str) -> str:
    """The party that a token speaks for, or the code of the refusal."""
    try:
        return ledger.callers.of(token).party
    except PingzhengError as refusal:
        return refusal.code
