"""Who calls, and whether the role matrix lets it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ledger.errors import Unauthenticated
from ledger.service.joining import not_the_operator
from ledger.service.participant import Participant
from ledger.service.parties import Actor
from ledger.service.roles import require as require
from ledger.service.wiring import Ledger

bearer = HTTPBearer(auto_error=False, description="API key of a party: `pz_…`")


def the_participant(request: Request) -> Participant:
    """The installation that this application serves: the operator's, or one that has joined its chain."""
    found: Participant = request.app.state.ledger
    return found


AnyInstallation = Annotated[Participant, Depends(the_participant)]


def the_ledger(found: AnyInstallation) -> Ledger:
    """The ledger that this application serves; raises ``Forbidden`` ``NOT_THE_OPERATOR`` if it has joined another's."""
    if not isinstance(found, Ledger):
        raise not_the_operator()
    return found


OpenLedger = Annotated[Ledger, Depends(the_ledger)]


def caller(
    ledger: AnyInstallation, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Actor:
    """The calling party; raises ``Unauthenticated``."""
    if credentials is None:
        raise Unauthenticated(
            "API_KEY_MISSING", "This call needs an API key.", hint="Send `Authorization: Bearer pz_…`."
        )
    return ledger.callers.of(credentials.credentials).actor


Caller = Annotated[Actor, Depends(caller)]
