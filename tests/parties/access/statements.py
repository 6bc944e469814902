"""Makes sign-in statements, and finds the party of a token."""

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
    """Return a sign-in statement of the party that is correct except for the given changes."""
    members = {
        "place": here(ledger),
        "nonce": ledger.sessions.nonce(party, HERE).nonce,
        "signer": signer_of(ledger, party),
        "expires_at": ledger.clock() + 300,
    } | changes
    return sign_in(members["place"], party, members["nonce"], members["signer"], members["expires_at"])  # type: ignore[arg-type]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(PingzhengError) as raised:
        act()
    return raised.value.code


def reach(ledger: Ledger, token: str) -> str:
    """Return the party that the token signs in, or the error code if the token is refused."""
    try:
        return ledger.callers.of(token).party
    except PingzhengError as refusal:
        return refusal.code
