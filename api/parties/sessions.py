"""Routes for signing in with a key, and for the sessions of the caller's party."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Request, Response

from api.http import schemas
from api.http.access import AnyInstallation, SessionCaller, counted, source_of
from api.http.problems import answers
from api.http.routing import Router
from api.parties import access_schemas as access
from ledger.parties.access.sessions import COOKIE, CURRENT

router = Router(prefix="/sessions", tags=["sessions"])

NO_STORE = {"Cache-Control": "no-store"}
SIGNING_IN = answers(
    {
        401: [
            "SESSION_EXPIRED",
            "SESSION_KEY_NOT_LIVE",
            "SESSION_LEDGER_DIFFERS",
            "SESSION_NONCE_UNKNOWN",
            "SESSION_ORIGIN_DIFFERS",
            "SESSION_SIGNATURE_INVALID",
        ],
        403: ["ORIGIN_DIFFERS", "PARTY_NOT_ACTIVE"],
        422: ["SESSION_STATEMENT_INVALID"],
    }
)


@router.post("/nonce")
def nonce(body: access.NonceIn, ledger: AnyInstallation, request: Request, response: Response) -> access.SignInNonceOut:
    """Return a nonce to sign in with, valid for 5 minutes.

    Public; the answer is the same whether the party exists or not.
    """
    response.headers.update(NO_STORE)
    given = ledger.sessions.nonce(body.party, source_of(request))
    return access.SignInNonceOut(nonce=given.nonce, expires_at=given.expires_at)


@router.post("", status_code=201, responses=SIGNING_IN)
def begin(body: access.SignInIn, ledger: AnyInstallation, request: Request, response: Response) -> access.SignedInOut:
    """Sign in with a signed statement. Every member of the statement must agree with this service's settings.

    A statement is refused if it is for another origin, ledger or party, if it is too old, or if it was used before. The
    session lasts 30 minutes. It ends earlier if the key that signed is retired or reported, or if the party is closed
    or erased.
    """
    if body.cookie:
        # Without this check, a page of another site could sign in its visitor as another party.
        ledger.sessions.require_origin(request.headers.get("origin"))
    made = counted(ledger, request, lambda: ledger.sessions.begin(body.statement, cookie=body.cookie))
    response.headers.update(NO_STORE)
    answer = access.SignedInOut(**asdict(made))
    if not body.cookie:
        return answer
    lasts = made.expires_at - ledger.clock()
    response.set_cookie(COOKIE, made.token, max_age=lasts, path="/", secure=True, httponly=True, samesite="strict")
    return answer.model_copy(update={"token": None})


@router.get("")
def sessions(ledger: AnyInstallation, caller: SessionCaller) -> access.SessionsOut:
    """List the sessions of the caller's party, the newest first.

    This call needs a session; an API key is not allowed.
    """
    rows = ledger.sessions.listed(caller)
    return access.SessionsOut(items=[access.SessionOut(**asdict(row)) for row in rows])


@router.delete("/current", status_code=204)
def sign_out(ledger: AnyInstallation, caller: SessionCaller, response: Response) -> None:
    """End the session of this call."""
    ledger.sessions.end(caller, CURRENT)
    if caller.cookie:
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


@router.delete("/{session:ulid}", status_code=204, responses=answers({404: ["SESSION_NOT_FOUND"]}))
def end(session: schemas.Ulid, ledger: AnyInstallation, caller: SessionCaller) -> None:
    """End a session of the caller's party."""
    ledger.sessions.end(caller, session)
