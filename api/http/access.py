"""Find out which party makes a call, and check that the party's API key has the scope that the route needs.

A call is authenticated with a session token or an API key, sent as bearer token, or with the cookie of a page of this
service. Each route names the scope that an API key needs; a session has every scope. A call that changes data and is
authenticated with the cookie must come from a page of this service (``Origin``).
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
    description="The token of a session, which has every scope. A party signs in with its key: `POST /v1/sessions`.",
)
MACHINE_KEY: Final = HTTPBearer(
    scheme_name="apiKey",
    bearerFormat="pz_…",
    auto_error=False,
    description="An API key that a party created for a program in a session. Each route names the scope that the key "
    "needs: `read`, `act`, `payload`.",
)
PAGE_COOKIE: Final = APIKeyCookie(
    scheme_name="cookie",
    name=COOKIE,
    auto_error=False,
    description="The session of a page. Calls that change data must have the service's own `Origin`.",
)

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(SESSION)]
PageCookie = Annotated[str | None, Depends(PAGE_COOKIE)]
# Each of these dependencies declares the header that ``Bearer`` declares already, but with a scope. So the schema names
# the scope that an API key needs.
ReadKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.READ.value])]
ActKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.ACT.value])]
PayloadKey = Annotated[HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.PAYLOAD.value])]
CaseKey = Annotated[
    HTTPAuthorizationCredentials | None, Security(MACHINE_KEY, scopes=[Scope.ACT.value, Scope.PAYLOAD.value])
]


# These dependencies wait for nothing, so they are asynchronous: a synchronous dependency would need a worker thread.
async def the_participant(request: Request) -> Participant:
    """Return the installation that this application serves: the operator's ledger or a joined installation."""
    found: Participant = request.app.state.ledger
    return found


AnyInstallation = Annotated[Participant, Depends(the_participant)]


async def the_ledger(found: AnyInstallation) -> Ledger:
    """Return the ledger; raises ``Forbidden`` ``NOT_THE_OPERATOR`` in a joined installation."""
    if not isinstance(found, Ledger):
        raise not_the_operator()
    return found


OpenLedger = Annotated[Ledger, Depends(the_ledger)]


def source_of(request: Request) -> str:
    """Return the address that a call comes from. Failed attempts are counted for each address."""
    return "" if request.client is None else request.client.host


def counted(ledger: Participant, request: Request, work: Callable[[], T]) -> T:
    """Do ``work``. If it raises ``Unauthenticated``, count a failed attempt for the address of the call."""
    with ledger.attempts.counted(source_of(request)):
        return work()


async def reading(request: Request, _bearer: Bearer, _key: ReadKey, _cookie: PageCookie) -> Actor:
    """Return the calling party of a route that reads records."""
    return _caller(request, Scope.READ).actor


async def acting(request: Request, _bearer: Bearer, _key: ActKey, _cookie: PageCookie) -> Actor:
    """Return the calling party of a route that changes records."""
    return _caller(request, Scope.ACT).actor


async def receiving(request: Request, _bearer: Bearer, _key: PayloadKey, _cookie: PageCookie) -> Actor:
    """Return the calling party of a route that returns a subject's data."""
    return _caller(request, Scope.PAYLOAD).actor


async def looking_into(request: Request, _bearer: Bearer, _key: CaseKey, _cookie: PageCookie) -> Actor:
    """Return the calling authority or supervisor of a route that opens a subject's data for a case."""
    return _caller(request, Scope.ACT, Scope.PAYLOAD).actor


async def signed_in(request: Request, _bearer: Bearer, _cookie: PageCookie) -> Caller:
    """Return the caller, who must have a session; raises ``Forbidden`` ``SESSION_REQUIRED`` for an API key."""
    found = _caller(request)
    found.require_session()
    return found


# A route that depends on one of these functions refuses calls without a valid session or API key.
CALLERS: Final = frozenset[Callable[..., object]]({reading, acting, receiving, looking_into, signed_in})
# A route declares its caller with one of these types. In this order, the caller reads records; changes records;
# receives a subject's data; receives a subject's data for a case; has a session.
ReadCaller = Annotated[Actor, Depends(reading)]
ActCaller = Annotated[Actor, Depends(acting)]
PayloadCaller = Annotated[Actor, Depends(receiving)]
CaseCaller = Annotated[Actor, Depends(looking_into)]
SessionCaller = Annotated[Caller, Depends(signed_in)]


async def credentials(request: Request) -> tuple[HTTPAuthorizationCredentials | None, str | None]:
    """Return the bearer token and the page's cookie of a call."""
    return await SESSION(request), await PAGE_COOKIE(request)


def caller_of(request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None) -> Caller:
    """Return the caller whose session or API key the call has. If the call has a token and a cookie, the token is used.

    Raises ``Unauthenticated`` without a valid token or cookie, ``Forbidden`` if the caller is not allowed to call.
    """
    token = cookie if bearer is None else bearer.credentials
    if token is None:
        raise Unauthenticated(
            "SESSION_MISSING",
            "This call needs a session or an API key.",
            hint="Sign in with `pingzheng login`, then send `Authorization: Bearer …`.",
        )
    ledger: Participant = request.app.state.ledger
    found = counted(ledger, request, lambda: ledger.callers.of(token, cookie=bearer is None))
    if found.cookie and request.method not in SAFE_METHODS:
        ledger.sessions.require_origin(request.headers.get("origin"))
    return found


def _caller(request: Request, *scopes: Scope) -> Caller:
    """Return the caller of the route; raises ``Forbidden`` ``SCOPE_EXCEEDED`` if its API key lacks a scope."""
    found: Caller = request.state.caller
    for scope in scopes:
        found.require(scope)
    return found
