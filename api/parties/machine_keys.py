"""Routes for API keys, which a party makes, lists and revokes in a session. Calls with an API key instead of a session
are refused.
"""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from api.http import schemas
from api.http.access import AnyInstallation, SessionCaller
from api.http.problems import answers
from api.http.routing import Router
from api.parties import access_schemas as access
from api.parties.sessions import NO_STORE

router = Router(prefix="/api-keys", tags=["API keys"])

MAKING = answers(
    {
        403: ["SESSION_REQUIRED"],
        409: ["API_KEYS_TOO_MANY"],
        422: ["API_KEY_NAME", "API_KEY_PERIOD", "API_KEY_SCOPES"],
    }
)


@router.post("", status_code=201, responses=MAKING)
def new(
    body: access.MachineKeyIn, ledger: AnyInstallation, caller: SessionCaller, response: Response
) -> access.NewMachineKeyOut:
    """Make an API key for a machine of the caller's party. Nobody can make further API keys or open a session with an
    API key.

    The key is valid until it expires or is revoked, or until the account with which the caller signed in is no longer
    active.
    """
    made = ledger.machine_keys.new(caller, body.name, body.scopes, body.expires_at)
    response.headers.update(NO_STORE)
    return access.NewMachineKeyOut(**asdict(made.row), key=made.key)


@router.get("", responses=answers({403: ["SESSION_REQUIRED"]}))
def keys(ledger: AnyInstallation, caller: SessionCaller) -> access.MachineKeysOut:
    """List the API keys of the caller's party, the newest first, without their secrets."""
    rows = ledger.machine_keys.listed(caller)
    return access.MachineKeysOut(items=[access.MachineKeyOut(**asdict(row)) for row in rows])


@router.delete("/{key}", status_code=204, responses=answers({403: ["SESSION_REQUIRED"], 404: ["API_KEY_NOT_FOUND"]}))
def revoke(key: schemas.Ulid, ledger: AnyInstallation, caller: SessionCaller) -> None:
    """Revoke an API key of the caller's party; from now on, calls with the key are refused."""
    ledger.machine_keys.revoke(caller, key)
