"""The schema declares how each route is authenticated: not at all, by a session only, or also by a cookie or an API key
with scopes.
"""

from __future__ import annotations

from typing import Any

import pytest

from api.app import create_app
from tests.api.permissions.idor_table import ROWS

SCHEMA = create_app(lambda: pytest.fail("no ledger is to be opened")).openapi()
PUBLIC = {
    ("get", "/health"),
    ("get", "/ready"),
    ("get", "/v1/ledger"),
    ("get", "/v1/log/head"),
    ("get", "/v1/log/batches/{number}"),
    ("get", "/v1/catalogue/open"),
    ("get", "/v1/catalogue/open/{code}"),
    ("get", "/v1/certificates/{number}/status"),
    ("get", "/v1/pause"),
    ("get", "/v1/scenarios"),
    ("get", "/v1/scenarios/{code}"),
    ("post", "/v1/sessions/nonce"),
    ("post", "/v1/sessions"),
    ("post", "/v1/enrolments"),
}
IN_A_SESSION = {
    ("get", "/v1/sessions"),
    ("delete", "/v1/sessions/current"),
    ("delete", "/v1/sessions/{session}"),
    ("post", "/v1/api-keys"),
    ("get", "/v1/api-keys"),
    ("delete", "/v1/api-keys/{key}"),
}
# These routes return the data of subjects. The caller is the subject, a provider, or, in an investigated case, a
# supervisor or authority.
PAYLOAD = {tuple(row.route.split(" ", 1)) for row in ROWS.values() if row.scope == "payload"}
ROUTES = {
    (method, path): operation
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
}


def expected(method: str, path: str) -> list[dict[str, list[str]]] | None:
    if (method, path) in PUBLIC:
        return None
    signed_in: list[dict[str, list[str]]] = [{"session": []}, {"cookie": []}]
    if (method, path) in IN_A_SESSION:
        return signed_in
    payload = (method.upper(), path) in PAYLOAD
    if method == "get":
        return [*signed_in, {"apiKey": ["payload" if payload else "read"]}]
    return [*signed_in, {"apiKey": ["act", "payload"] if payload else ["act"]}]


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_the_schema_declares_the_authentication_of_every_route(method: str, path: str) -> None:
    asked: Any = ROUTES[method, path].get("security")
    wanted = expected(method, path)
    assert (asked is None) == (wanted is None)
    assert sorted(map(str, asked or [])) == sorted(map(str, wanted or []))


def test_every_route_in_the_lists_of_this_test_exists() -> None:
    assert not (PUBLIC | IN_A_SESSION) - ROUTES.keys()
    assert all(row.scope in (None, "payload") for row in ROWS.values())
