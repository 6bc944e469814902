"""Rows of data never reach the platform: no route accepts rows, and no signed answer of a provider contains rows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from api.app import create_app
from ledger.connectors.answers import Supplied
from ledger.proof.jws import sign_entry
from ledger.proof.sdjwt import Disclosed
from ledger.provider.answering import made_of
from ledger.provider.task import task_of
from tests.api.flow import answered, authorise
from tests.support.actors.credit_bureau import AS_OF
from tests.support.actors.pilots import ROWS
from tests.support.api.parts import Api

SCHEMA = create_app(lambda: pytest.fail("this test opens no ledger")).openapi()
SHAPES = SCHEMA["components"]["schemas"]


def named(body: Any) -> str:
    """Return the name of a body's schema. If the body is optional, its declaration also allows null, which is
    ignored.
    """
    return str(body.get("anyOf", [body])[0]["$ref"].split("/")[-1])


# The routes that accept a body, each with the name of the body's schema.
BODIES = {
    f"{method.upper()} {path}": named(operation["requestBody"]["content"]["application/json"]["schema"])
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
}


def within(name: str) -> set[str]:
    """Return the schema with the given name and all schemas that its members refer to."""
    found, wanted = set(), {name}
    while wanted:
        found |= wanted
        text = "".join(json.dumps(SHAPES[each]) for each in wanted)
        wanted = set(re.findall(r"#/components/schemas/(\w+)", text)) - found
    return found


@pytest.mark.parametrize("route", BODIES)
def test_no_route_accepts_rows_of_a_providers_data(api: Api, route: str) -> None:
    """A body can contain only the members that its schema names. No member is for rows; a data resource contains only
    the number of rows.
    """
    method, path = route.split(" ")
    answer = api.call("provider", method, path, json={"rows": list(ROWS), "salt": "A" * 22})
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE")
    assert "95.7" not in answer.text
    for name in within(BODIES[route]):
        shape = SHAPES[name]
        if shape["type"] == "object":
            assert shape["additionalProperties"] is False, name
            assert shape["properties"].get("rows", {"type": "integer"})["type"] == "integer", name


@pytest.mark.parametrize("path", ["/v1/provisions/draft", "/v1/provisions/asked"])
def test_the_old_routes_that_accepted_rows_do_not_exist(api: Api, path: str) -> None:
    for method in ("GET", "POST"):
        answer = api.call("provider", method, path, json={"rows": list(ROWS)})
        assert answer.status_code in (404, 405), answer.text


def test_a_signed_answer_that_contains_rows_is_refused(api: Api) -> None:
    authorization = authorise(api)
    task = task_of(api.get("provider", f"/v1/provisions/tasks/{authorization}").json())
    now, signer = api.pilot.ledger.clock(), api.pilot.actors.signer_of(api.parties["provider"])
    made = made_of(task, Supplied(ROWS, AS_OF, now, name="湛江示例有限公司（演示）"), now)
    disclosures = list(made.disclosures)
    within = {"statement": sign_entry(made.entry | {"rows": list(ROWS)}, signer), "disclosures": disclosures}
    beside = {"statement": sign_entry(made.entry, signer), "disclosures": [*disclosures, _raw().encoded]}
    for body, code in ((within, "ENTRY_SHAPE"), (beside, "CLAIM_DIFFERS")):
        answer = api.post("provider", "/v1/provisions", body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert "95.7" not in answer.text
    assert answered(api, authorization).status_code == 201


def _raw() -> Disclosed:
    return Disclosed("A" * 22, "wage_band", [list(row.values()) for row in ROWS])
