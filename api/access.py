"""Who calls, and whether the role matrix lets it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ledger.errors import Unauthenticated
from ledger.service.parties import Actor
from ledger.service.roles import require as require
from ledger.service.wiring import Ledger

bearer = HTTPBearer(auto_error=False, description="API key of a party: `pz_…`")


def the_ledger(request: Request) -> Ledger:
    """The ledger that this application serves."""
    found: Ledger = request.app.state.ledger
    return found


OpenLedger = Annotated[Ledger, Depends(the_ledger)]


def caller(ledger: OpenLedger, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Actor:
    """The calling party; raises ``Unauthenticated``."""
    if credentials is None:
        raise Unauthenticated(
            "API_KEY_MISSING", "This call needs an API key.", hint="Send `Authorization: Bearer pz_…`."
        )
    return ledger.parties.authenticate(credentials.credentials)


Caller = Annotated[Actor, Depends(caller)]
