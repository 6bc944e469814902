"""Who calls, by which way, and whether scope and role matrix let it.

A call brings the token of a session or a machine's key as a bearer token, or a page's cookie. Each route names the
scope that a machine's key needs for it; a session has them all. A changing call with the cookie needs our own origin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from ledger.errors import Unauthenticated
from ledger.installation.membership import not_the_operator
from ledger.installation.participant import Participant
from ledger.installation.wiring import Ledger
from ledger.parties.access.callers import Caller, Scope
from ledger.parties.access.sessions import COOKIE
from ledger.parties.roles import Actor
from ledger.parties.roles import require as require

T = TypeVar("T")
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
SESSION: Final = HTTPBearer(
    scheme_name="session",
    bearerFormat="ps_…",
    auto_error=False,
    description="The token of a session: a party signs in by its key, see `POST /v1/sessions`. It has every scope.",
)
MACHINE_KEY: Final = HTTPBearer(
    scheme_name="apiKey",
    bearerFormat="pz_…",
    auto_error=False,
    description="A key that a party made for a machine in a session, with the scopes that each route names: `read`, "
    "`act`, `payload`.",
)
PAGE_COOKIE: Final = APIKeyCookie(
    scheme_name="cookie",
    name=COOKIE,
    auto_error=False,
    description="A page's session. Changing calls need the service's own `Origin`.",
)

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(SESSION)]
PageCookie = Annotated[str | None, Depends(PAGE_COOKIE)]
# The same header as ``Bearer``: stated again for the scopes that a machine's key needs.
ReadKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.READ.value])]
ActKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.ACT.value])]
PayloadKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.PAYLOAD.value])]
CaseKey = Annotated[
    HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.ACT.value, Scope.PAYLOAD.value])
]


# Asynchronous wherever nothing is waited for: each of the others costs a change to a worker thread and back.
async def the_participant(request: Request) -> Participant:
    """The installation that this application serves: the operator's, or one that has joined its chain."""
    return _installation(request)


AnyInstallation = Annotated[Participant, Depends(the_participant)]


async def the_ledger(found: AnyInstallation) -> Ledger:
    """The ledger that this application serves; raises ``Forbidden`` ``NOT_THE_OPERATOR`` if it has joined another's."""
    if not isinstance(found, Ledger):
        raise not_the_operator()
    return found


OpenLedger = Annotated[Ledger, Depends(the_ledger)]


def source_of(request: Request) -> str:
    """The address that a call comes from, for counting wrong tries."""
    return "" if request.client is None else request.client.host


def counted(ledger: Participant, request: Request, work: Callable[[], T]) -> T:
    """Do ``work``, which may fail by ``Unauthenticated``, and count that for where the call comes from."""
    with ledger.attempts.counted(source_of(request)):
        return work()


async def reading(request: Request, _bearer: Bearer, _key: ReadKey, _cookie: PageCookie) -> Actor:
    """The calling party, which looks at records."""
    return _caller(request, Scope.READ).actor


async def acting(request: Request, _bearer: Bearer, _key: ActKey, _cookie: PageCookie) -> Actor:
    """The calling party, which changes something."""
    return _caller(request, Scope.ACT).actor


async def receiving(request: Request, _bearer: Bearer, _key: PayloadKey, _cookie: PageCookie) -> Actor:
    """The calling party, which is given what is said of a subject."""
    return _caller(request, Scope.PAYLOAD).actor


async def looking_into(request: Request, _bearer: Bearer, _key: CaseKey, _cookie: PageCookie) -> Actor:
    """The calling office, which has a payload opened for a case."""
    return _caller(request, Scope.ACT, Scope.PAYLOAD).actor


async def signed_in(request: Request, _bearer: Bearer, _cookie: PageCookie) -> Caller:
    """The caller in a session; raises ``Forbidden`` ``SESSION_REQUIRED`` for a machine's key."""
    found = _caller(request)
    found.require_session()
    return found


# A route that depends on one of these is not entered without a caller.
CALLERS: Final = frozenset[Callable[..., object]]({reading, acting, receiving, looking_into, signed_in})
# Reads records; changes something; is given a payload; is given one for a case; is signed in by its own key.
ReadCaller = Annotated[Actor, Depends(reading)]
ActCaller = Annotated[Actor, Depends(acting)]
PayloadCaller = Annotated[Actor, Depends(receiving)]
CaseCaller = Annotated[Actor, Depends(looking_into)]
SessionCaller = Annotated[Caller, Depends(signed_in)]


async def credentials(request: Request) -> tuple[HTTPAuthorizationCredentials | None, str | None]:
    """The bearer token and the page's cookie that a call brings."""
    return await SESSION(request), await PAGE_COOKIE(request)


def caller_of(request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None) -> Caller:
    """Whose call it is; a bearer token goes before a cookie. It reads the database.

    Raises ``Unauthenticated``, ``Forbidden``.
    """
    token = cookie if bearer is None else bearer.credentials
    if token is None:
        raise Unauthenticated(
            "SESSION_MISSING",
            "This call needs a session or an API key.",
            hint="Sign in: `pingzheng login`; then send `Authorization: Bearer …`.",
        )
    ledger = _installation(request)
    found = counted(ledger, request, lambda: ledger.callers.of(token, cookie=bearer is None))
    if found.cookie and request.method not in SAFE_METHODS:
        ledger.sessions.require_origin(request.headers.get("origin"))
    return found


def _installation(request: Request) -> Participant:
    found: Participant = request.app.state.ledger
    return found


def _caller(request: Request, *scopes: Scope) -> Caller:
    """The caller that the route was entered by; raises ``Forbidden`` ``SCOPE_EXCEEDED``."""
    found: Caller = request.state.caller
    for scope in scopes:
        found.require(scope)
    return found
