"""The session cookie of the web pages: the service accepts it only in calls from its own pages."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.days import DAY
from ledger.parties.access.sessions import COOKIE
from tests.api.parties.visitors import Person, Visitor, code


def by_cookie(visitor: Visitor, firm: Person) -> tuple[Any, dict[str, str]]:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    answer = visitor.sign_in(statement, cookie=True, headers={"Origin": visitor.ledger.sessions.origin})
    assert answer.status_code == 201, answer.text
    return answer, {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def test_a_page_gets_an_http_only_cookie(visitor: Visitor, firm: Person) -> None:
    answer, cookie = by_cookie(visitor, firm)
    assert answer.json()["token"] is None
    attributes = {each.strip().lower() for each in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= attributes
    assert visitor.client.get("/v1/sessions", headers=cookie).status_code == 200
    # The cookie's secret is refused as a bearer token, and a bearer token is refused as a cookie.
    secret = cookie["Cookie"].removeprefix(f"{COOKIE}=")
    assert code(visitor.get("/v1/sessions", secret)) == (401, "SESSION_UNKNOWN")
    smuggled = visitor.client.get("/v1/sessions", headers={"Cookie": f"{COOKIE}={firm.token}"})
    assert code(smuggled) == (401, "SESSION_UNKNOWN")


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:8000.evil.example"])
def test_a_call_from_a_page_of_a_foreign_origin_is_refused(visitor: Visitor, firm: Person, origin: str | None) -> None:
    _, cookie = by_cookie(visitor, firm)
    foreign = cookie if origin is None else cookie | {"Origin": origin}
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY}
    assert code(visitor.client.post("/v1/api-keys", json=wanted, headers=foreign)) == (403, "ORIGIN_DIFFERS")
    assert code(visitor.client.delete("/v1/sessions/current", headers=foreign)) == (403, "ORIGIN_DIFFERS")
    # A foreign page also cannot make the visitor's browser sign in as another party.
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    headers = {name: value for name, value in foreign.items() if name == "Origin"}
    assert code(visitor.sign_in(statement, cookie=True, headers=headers)) == (403, "ORIGIN_DIFFERS")
    own = cookie | {"Origin": visitor.ledger.sessions.origin}
    answer = visitor.client.delete("/v1/sessions/current", headers=own)
    assert answer.status_code == 204
    assert f'{COOKIE}=""' in answer.headers["Set-Cookie"]
