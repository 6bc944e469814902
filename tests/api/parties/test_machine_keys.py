"""API keys over HTTP: their scopes, the list of a party's API keys, and what a thief of an API key cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.days import DAY
from tests.api.flow import NUMBER
from tests.api.parties.visitors import Person, Visitor, code


def test_a_stolen_api_key_cannot_create_or_end_api_keys_or_sessions(visitor: Visitor, firm: Person) -> None:
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY}
    (own,) = visitor.get("/v1/api-keys", firm.token).json()["items"]
    for answer in (
        visitor.post("/v1/api-keys", wanted, firm.key),
        visitor.get("/v1/api-keys", firm.key),
        visitor.delete(f"/v1/api-keys/{own['id']}", firm.key),
        visitor.get("/v1/sessions", firm.key),
        visitor.delete("/v1/sessions/current", firm.key),
    ):
        assert code(answer) == (403, "SESSION_REQUIRED")
    assert len(visitor.get("/v1/api-keys", firm.token).json()["items"]) == 1


def test_an_api_key_can_be_revoked_and_is_listed_without_its_secret(visitor: Visitor, firm: Person) -> None:
    assert visitor.get("/v1/parties", firm.key).status_code == 200
    visitor.ledger.flush()
    answer = visitor.get("/v1/api-keys", firm.token)
    (row,) = answer.json()["items"]
    assert firm.key not in answer.text
    assert row.keys() == {"id", "name", "scopes", "account", "created_at", "expires_at", "last_used"}
    assert (row["name"], row["scopes"]) == ("a machine", ["read", "act", "payload"])
    assert row["last_used"] is not None
    assert visitor.delete(f"/v1/api-keys/{row['id']}", firm.token).status_code == 204
    assert code(visitor.get("/v1/parties", firm.key)) == (401, "API_KEY_UNKNOWN")


def test_an_api_key_is_limited_to_its_scopes(visitor: Visitor, firm: Person) -> None:
    """Each scope allows only its own kind of call: reading, acting, or receiving a payload."""
    calls = {
        "read": lambda token: visitor.get("/v1/readings", token),
        "act": lambda token: visitor.post("/v1/verify", {"certificate_no": NUMBER}, token),
        "payload": lambda token: visitor.get("/v1/holdings/export", token),
    }
    for scope in calls:
        key = visitor.key(firm.token, scope)
        for wanted, call in calls.items():
            answer = call(key)
            exceeded = answer.status_code == 403 and answer.json()["code"] == "SCOPE_EXCEEDED"
            assert exceeded == (wanted != scope), (scope, wanted, answer.text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scopes": []}, "API_KEY_SCOPES"),
        ({"scopes": ["admin"]}, "REQUEST_SHAPE"),
        ({"expires_at": 1}, "API_KEY_PERIOD"),
        ({"name": ""}, "API_KEY_NAME"),
    ],
)
def test_a_machine_key_needs_a_name_and_a_scope_and_an_expiry(
    visitor: Visitor, firm: Person, change: dict[str, Any], expected: str
) -> None:
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY} | change
    assert code(visitor.post("/v1/api-keys", wanted, firm.token)) == (422, expected)
    far = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + 400 * DAY}
    assert code(visitor.post("/v1/api-keys", far, firm.token)) == (422, "API_KEY_PERIOD")
