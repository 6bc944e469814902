"""Batches over HTTP: the answer is an operation that shows the progress, and a repeated call starts no new
operation.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.flow import ended
from tests.support.api.parts import Api
from tests.usage.batches.statements import Items, authorizations_of, provisions_of, requests_of, spoiled


def items_of(api: Api, part: str, operation: dict[str, Any], query: str = "") -> Items:
    found: Items = []
    cursor = ""
    while True:
        page = api.get(part, f"/v1/operations/{operation['id']}/items?limit=2{query}{cursor}").json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_certificates_are_issued_from_batches_over_http(api: Api) -> None:
    pilot = api.pilot
    answer = api.post("bank", "/v1/requests/batch", {"items": requests_of(pilot, 3)})
    assert answer.headers["location"] == f"/v1/operations/{answer.json()['id']}"
    asked = ended(api, "bank", answer)
    assert (asked["state"], asked["total"], asked["done"], asked["refused"]) == ("done", 3, 3, 0)
    requests = [item["records"][0] for item in items_of(api, "bank", asked)]
    consents = []
    for item in authorizations_of(pilot, requests):
        subject = item["statements"][0]["subject"]
        api.parties["someone"] = subject
        given = ended(api, "someone", api.post("someone", "/v1/authorizations/batch", {"items": [item]}))
        consents += items_of(api, "someone", given)[0]["records"]
    supplied = ended(
        api, "provider", api.post("provider", "/v1/provisions/batch", {"items": provisions_of(pilot, consents)})
    )
    assert (supplied["state"], supplied["refused"]) == ("done", 0)
    wanted = {"items": [{"request": request} for request in requests], "mode": "per_item"}
    issued = ended(api, "platform", api.post("platform", "/v1/certificates/batch", wanted))
    assert len({item["records"][0] for item in items_of(api, "platform", issued)}) == 3


def test_a_refused_item_has_an_error_in_both_languages(api: Api) -> None:
    items = requests_of(api.pilot, 4)
    items[2] = spoiled(items[2])
    answer = api.post("bank", "/v1/requests/batch", {"items": items, "mode": "per_item"})
    operation = ended(api, "bank", answer)
    assert (operation["state"], operation["done"], operation["refused"]) == ("done", 4, 1)
    (refused,) = items_of(api, "bank", operation, "&outcome=refused")
    assert (refused["number"], refused["error"]["code"], refused["error"]["where"]) == (3, "NOTE_DIFFERS", "item 3")
    assert "。" in refused["error"]["message"]
    assert len(items_of(api, "bank", operation, "&outcome=recorded")) == 3


def test_a_call_repeated_with_the_idempotency_key_returns_the_operation_of_the_first_call(api: Api) -> None:
    body = {"items": requests_of(api.pilot, 2)}
    headers = {"Idempotency-Key": f"batch-{body['items'][0]['statement']['id']}"}
    first = api.post("bank", "/v1/requests/batch", body, headers=headers)
    second = api.post("bank", "/v1/requests/batch", body, headers=headers)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = api.post("bank", "/v1/requests/batch", body | {"mode": "per_item"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    ended(api, "bank", first)


def test_two_simultaneous_equal_calls_record_every_statement_once(api: Api) -> None:
    items = requests_of(api.pilot, 5)
    header = api.header("bank")

    def send(_: int) -> Any:
        return api.client.post("/v1/requests/batch", json={"items": items}, headers=header)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, range(2)))
    ids = [item["statement"]["id"] for item in items]
    for operation in [ended(api, "bank", answer) for answer in answers]:
        assert [item["records"] for item in items_of(api, "bank", operation)] == [[each] for each in ids]


@pytest.mark.parametrize("kind", ["requests", "authorizations", "provisions", "certificates"])
def test_a_batch_must_have_one_to_ten_thousand_items(api: Api, kind: str) -> None:
    for count in (0, 10_001):
        items: Items = [{}] * count
        refused = api.post("bank", f"/v1/{kind}/batch", {"items": items})
        assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_SHAPE")


def test_only_the_caller_of_a_batch_can_read_the_operation_and_the_items(api: Api) -> None:
    operation = ended(api, "bank", api.post("bank", "/v1/requests/batch", {"items": requests_of(api.pilot, 1)}))
    for path in (f"/v1/operations/{operation['id']}", f"/v1/operations/{operation['id']}/items"):
        refused = api.get("other_bank", path)
        assert (refused.status_code, refused.json()["code"]) == (404, "OPERATION_UNKNOWN")
