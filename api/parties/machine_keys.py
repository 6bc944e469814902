"""Keys for machines: made, listed and revoked by a party in a session of its own, never by a key."""

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
    """Make a key for a machine of the caller's party. It makes no other key and opens no session.

    It ends at its time, when it is revoked, and with the account that the caller signed in by.
    """
    made = ledger.machine_keys.new(caller, body.name, body.scopes, body.expires_at)
    response.headers.update(NO_STORE)
    return access.NewMachineKeyOut(**asdict(made.row), key=made.key)


@router.get("", responses=answers({403: ["SESSION_REQUIRED"]}))
def keys(ledger: AnyInstallation, caller: SessionCaller) -> access.MachineKeysOut:
    """The keys of the caller's party, the newest first, without their secrets."""
    rows = ledger.machine_keys.listed(caller)
    return access.MachineKeysOut(items=[access.MachineKeyOut(**asdict(row)) for row in rows])


@router.delete("/{key}", status_code=204, responses=answers({403: ["SESSION_REQUIRED"], 404: ["API_KEY_NOT_FOUND"]}))
def revoke(key: schemas.Ulid, ledger: AnyInstallation, caller: SessionCaller) -> None:
    """Revoke a key of the caller's party, at once."""
    ledger.machine_keys.revoke(caller, key)
