"""Tests the access table (idor.yaml) over HTTP: each route, each caller, own objects and other parties' objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.api.permissions.idor_calls import Call, places
from tests.api.permissions.idor_routes import CALLS, SHOWS
from tests.api.permissions.idor_stage import Scene
from tests.api.permissions.idor_table import CALLERS, CELLS, DONE, NOT_SHOWN, ROWS, SHOWN, SIGNED_OUT, Row
from tests.api.permissions.role_outcomes import REFUSALS
from tests.api.permissions.role_power_acts import running_again
from tests.reference.role_matrix import ROLE_OF
from tests.support.api.parts import Api, bearer
from tests.support.api.stage import Stage

# For each HTTP status: the error codes of calls that are refused because the caller lacks a permission.
LACKS: Final = {
    401: {"ENROLMENT_UNKNOWN", "SESSION_MISSING", "SESSION_UNKNOWN"},
    403: REFUSALS
    | {
        "ASSET_NOT_ACCREDITED",
        "ASSET_NOT_HOLDER",
        "ASSET_NOT_OFFEREE",
        "ASSET_RIGHT_FORBIDS",
        "ASSET_SELF_REVIEW",
        "ASSET_WRONG_LIEN",
        "ERASURE_REASON",
        "NOT_ON_DUTY",
        "NOT_THE_OWNER",
        "NOT_YOURS",
        "SCOPE_EXCEEDED",
        "SESSION_REQUIRED",
    },
    404: {"API_KEY_NOT_FOUND", "OPERATION_UNKNOWN", "PRESENTATION_UNKNOWN", "SESSION_NOT_FOUND"},
}
# Routes with a path parameter that does not name an object of a party.
OF_NO_PARTY: Final = {
    "GET /v1/catalogue/open/{code}",
    "GET /v1/log/batches/{number}",
    "GET /v1/operations/{operation}",
    "GET /v1/operations/{operation}/items",
    "GET /v1/scenarios/drafts/{digest}",
    "GET /v1/scenarios/{code}",
    "POST /v1/catalogue/important/{entry}/withdrawal",
    "POST /v1/scenarios/drafts/{digest}/approval",
}
# Routes that have no own objects: only the asset of a holder without an active key can be reassigned, and such a holder
# makes no calls.
OF_OTHERS_ONLY: Final = {"POST /v1/assets/{asset}/reassignment"}
# Routes with a second row in the table, because a parameter or a member of the body decides who may call the route.
VARIANTS: Final = {
    "GET /v1/certificates?party",
    "GET /v1/holdings/summary?party",
    "POST /v1/certificates/revocations?data_error",
    "POST /v1/certificates/{number}/erasure?court",
    "POST /v1/certificates/{number}/revoke?data_error",
}
MIRROR: Final = {"S": "S2", "P": "P2", "C": "C2"}
_ADDRESS: Final = count(1)


@pytest.fixture(scope="module")
def scene(api: Api) -> Scene:
    """Return a scene for the tests of this file alone, because their calls change or end the scene's objects."""
    return Scene(Stage(api))


def test_the_access_table_has_a_row_for_every_route_and_no_other_rows(api: Api) -> None:
    schema = api.client.app.openapi()  # type: ignore[attr-defined]
    routes = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert {row.route for row in ROWS.values()} == routes
    assert set(CALLS) <= set(ROWS)
    assert set(SHOWS) == {name for name, row in ROWS.items() if row.answered is not None}


def test_every_caller_tries_each_route_with_its_own_objects_and_with_objects_of_other_parties() -> None:
    assert set(CALLERS) == {*ROLE_OF, *"UEMK"}
    assert len(CELLS) == len(set(CELLS)) == sum(len(row.kinds) for row in ROWS.values()) * len(CALLERS)
    for name, row in ROWS.items():
        both = "others" in row.kinds and row.kinds.keys() & {"own", "self"}
        alone = row.kinds.keys() in ({"any"}, {"self"}) and row.answered is None
        assert both or (alone and ("{" not in row.route or name in OF_NO_PARTY)) or name in OF_OTHERS_ONLY, name
    assert {name for name in ROWS if "?" in name} == VARIANTS


@pytest.mark.parametrize("name", ROWS)
def test_each_call_to_a_route_has_the_result_that_the_access_table_states(scene: Scene, name: str) -> None:
    row = ROWS[name]
    with around(scene, name):
        found = {(kind, who): tried(scene, name, kind, who) for of, kind, who in CELLS if of == name}
        seen = [kind for kind in row.kinds if row.answered is not None and not seen_by_its_own(scene, name, kind)]
    wrong = {cell: was for cell, was in found.items() if was != row.expected(*cell)}
    assert not wrong
    assert not seen


def test_an_address_with_expired_tokens_must_wait_but_a_valid_token_passes(scene: Scene) -> None:
    """An address that repeatedly sends an expired session token must wait. A valid session token is still accepted from
    this address.
    """
    # The client is not used as a context manager: that would start the application a second time, and stop its
    # background work.
    client = TestClient(scene.stage.api.client.app, client=("198.51.100.1", 1))
    answers = [client.get("/v1/sessions", headers=bearer(scene.run_out)) for _ in range(12)]
    right = client.get("/v1/sessions", headers=bearer(str(scene.token("S"))))
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].json()["code"] == "TOO_MANY_ATTEMPTS"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert right.status_code == 200


def tried(scene: Scene, name: str, kind: str, who: str) -> str:
    """Make the call of one cell, and return its result: DONE, SHOWN, NOT_SHOWN, or the status of the refusal."""
    row, shows = ROWS[name], SHOWS.get(name)
    objects = scene.groups["others" if kind == "others" else "own"]
    call = CALLS[name](scene, objects, who, kind) if name in CALLS else Call(example_of(scene, row.route))
    # The text is computed before the call, because this also makes the object that the answer must list.
    sought = None if shows is None else shows(scene, objects)
    given: dict[str, object] = {
        place: make() for place, make in places(scene, objects, who, kind).items() if f"{{{place}}}" in row.route
    }
    method, _, template = row.route.partition(" ")
    path = template.format(**{key: quote(str(item)) for key, item in ({**given, **call.path}).items()})
    token = call.token or scene.token(who)
    guesses = who in SIGNED_OUT or "401" in row.refused.values()
    answer = sent(scene, method, f"{path}?{call.query}", call.body, token, alone=guesses)
    if answer.status_code < 300:
        if answer.request.method != "GET":
            scene.stage.used()
        if sought is None:
            return DONE
        return SHOWN if sought in pages(scene, answer, path, token) else NOT_SHOWN
    return refusal(row, answer)


def example_of(scene: Scene, route: str) -> object:
    """Return the example of the request body in the schema, or None if the call has no body."""
    method, _, path = route.partition(" ")
    schema = scene.stage.api.client.app.openapi()  # type: ignore[attr-defined]
    body = schema["paths"][path][method.lower()].get("requestBody")
    return None if body is None else body["content"]["application/json"]["example"]


def refusal(row: Row, answer: Any) -> str:
    status, code = answer.status_code, answer.json()["code"]
    if code in row.late:
        return DONE
    if code in LACKS.get(status, ()):
        return str(status)
    return f"{status} {code}"


def sent(scene: Scene, method: str, path: str, body: object, token: str | None, *, alone: bool) -> Any:
    """Send a call. With ``alone``, send it from a new address: wrong tokens are counted per address, so the wait of one
    caller does not affect the next.
    """
    client, headers = scene.stage.api.client, {} if token is None else bearer(token)
    if alone:
        address = f"192.0.2.{next(_ADDRESS) % 256}"
        client = TestClient(client.app, client=(address, 1), raise_server_exceptions=False)
    return client.request(method, path, json=body, headers=headers)


def pages(scene: Scene, answer: Any, path: str, token: str | None) -> str:
    """Read all further pages of a list, and return the text of all pages."""
    text = answer.text
    while "application/json" in answer.headers["content-type"] and isinstance(answer.json(), dict):
        cursor = answer.json().get("next_cursor")
        if not cursor:
            break
        answer = sent(scene, "GET", f"{path}?limit=200&cursor={cursor}", None, token, alone=False)
        assert answer.status_code == 200, answer.text
        text += answer.text
    return str(text)


def seen_by_its_own(scene: Scene, name: str, kind: str) -> bool:
    """Return whether the owners of an object see it in the answer. If they did not, its absence for other callers would
    prove nothing.
    """
    if kind != "others":
        return True
    owners = [MIRROR[who] for who in ROWS[name].kinds.get("own", ()) if who in MIRROR]
    return not owners or all(tried(scene, name, kind, who) == SHOWN for who in owners)


@contextmanager
def around(scene: Scene, name: str) -> Iterator[None]:
    """Before the block, pause the ledger if the route is ``POST /v1/pause``. After the block, end any pause."""
    if name == "POST /v1/pause":
        scene.paused()
    yield
    running_again(scene.stage)
