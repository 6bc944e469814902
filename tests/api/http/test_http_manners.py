"""Rules of HTTP that every address of the API follows: allowed methods, HEAD, ETag, cursors, and error answers that
list all faults.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from api.http.paging import Place
from api.http.request_faults import MAX_NAMED
from tests.support.api.parts import Api

LISTS = ["/v1/certificates", "/v1/parties", "/v1/authorizations", "/v1/requests", "/v1/assets", "/v1/readings"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/log/head", "GET, HEAD"),
        ("DELETE", "/health", "GET, HEAD"),
        ("PATCH", "/v1/parties", "GET, HEAD, POST"),
        ("GET", "/v1/verify", "POST"),
        ("HEAD", "/v1/verify", "POST"),
        ("OPTIONS", "/v1/pause", "DELETE, GET, HEAD, POST"),
        ("PUT", "/v1/certificates/batch", "POST"),
        ("DELETE", "/v1/sessions/nonce", "POST"),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_methods(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call("bank", method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/health", "/v1/log/head", "/v1/ledger", "/v1/certificates", "/v1/nowhere", "/docs"])
def test_a_head_request_gets_the_answer_to_a_get_request_without_the_body(api: Api, path: str) -> None:
    head, get = api.call("bank", "HEAD", path), api.get("bank", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == str(len(get.content))


def test_a_head_request_needs_the_same_permission_as_a_get_request(api: Api) -> None:
    assert api.call(None, "HEAD", "/v1/certificates").status_code == 401


# Tests of ETags: an answer that did not change gets 304


@pytest.fixture(scope="module")
def bundle(api: Api) -> str:
    number = api.pilot.certificate("1")
    return f"/v1/certificates/{number}/bundle"


def test_an_unchanged_bundle_is_answered_with_304(api: Api, bundle: str) -> None:
    first = api.get("firm", bundle)
    tag = first.headers["etag"]
    assert first.status_code == 200 and first.headers["cache-control"] == "private, no-cache"
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.call("firm", "GET", bundle, headers={"If-None-Match": named})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), named
    assert api.call("firm", "GET", bundle, headers={"If-None-Match": '"other"'}).json() == first.json()
    assert api.get("firm", f"{bundle}?fields=wage_band").headers["etag"] != tag


def test_a_caller_without_access_to_a_bundle_gets_no_access_by_sending_its_etag(api: Api, bundle: str) -> None:
    tag = api.get("firm", bundle).headers["etag"]
    assert api.call("bank", "GET", bundle, headers={"If-None-Match": tag}).status_code == 403
    assert api.call(None, "GET", bundle, headers={"If-None-Match": "*"}).status_code == 401


@pytest.mark.parametrize("path", ["/v1/ledger", "/v1/scenarios", "/v1/log/batches/0"])
def test_answers_about_the_chain_have_an_etag(api: Api, bundle: str, path: str) -> None:
    first = api.get(None, path)
    again = api.call(None, "GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_errors_and_answers_that_must_not_be_cached_have_no_etag(api: Api) -> None:
    assert "etag" not in api.get(None, "/v1/certificates").headers
    assert "etag" not in api.get("firm", "/v1/holdings/export").headers


# Tests of cursors, which lead to the next page of a list


@pytest.mark.parametrize("path", LISTS)
def test_an_invalid_cursor_or_a_cursor_of_another_list_is_refused(api: Api, path: str) -> None:
    own = Place(path, None).cursor("0" * 26)
    assert api.get("firm", f"{path}?cursor={own}").status_code == 200
    others = [Place(other, None).cursor("0" * 26) for other in LISTS if other != path]
    wrong = [
        *others,
        own + "A",
        own + "=",
        own + "==",
        own[:-1],
        "A" + own[1:],
        own[:-1] + ("B" if own[-1] != "B" else "C"),
        own + "%20",
        own + "%0A",
        "",
        "x",
        "%F0%9F%99%82",
        base64.urlsafe_b64encode(b"0" * 26).decode(),
        base64.urlsafe_b64encode(b"\xff" * 12).decode(),
    ]
    for cursor in wrong:
        answer = api.get("firm", f"{path}?cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (422, "CURSOR_INVALID"), cursor


def test_cursors_lead_through_all_pages_and_are_opaque(api: Api) -> None:
    seen: list[str] = []
    path, cursor = "/v1/parties?limit=3", ""
    while True:
        page = api.get("bank", path + cursor).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen[:200] == [item["id"] for item in api.get("bank", "/v1/parties?limit=200").json()["items"]]
    assert len(seen) == len(set(seen)) > 3


# Tests that all faults of a body are reported


def faults(answer: Any) -> list[tuple[str, str]]:
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE"), answer.text
    return [(each["where"], each["type"]) for each in answer.json()["details"]["errors"]]


def test_all_missing_members_are_reported_at_once_in_both_languages(api: Api) -> None:
    answer = api.post("bank", "/v1/presentations", {})
    assert faults(answer) == [("body.bundle", "missing"), ("body.nonce", "missing")]
    result = answer.json()["detail"]
    assert "body.bundle 缺少；body.nonce 缺少。" in result
    assert "body.bundle is missing; body.nonce is missing." in result
    assert answer.json()["where"] == "body.bundle"


def test_an_error_names_the_limit_that_a_value_exceeds(api: Api) -> None:
    answer = api.post("bank", "/v1/presentations", {"bundle": 1, "nonce": "short"})
    assert faults(answer) == [("body.bundle", "dict_type"), ("body.nonce", "string_too_short")]
    assert "has fewer than 16 characters" in answer.json()["detail"] and "至少 16 个字符" in answer.json()["detail"]
    answer = api.get("bank", "/v1/parties?limit=0")
    assert faults(answer) == [("query.limit", "greater_than_equal")]


def test_a_shortened_list_of_faults_says_that_there_are_more(api: Api) -> None:
    answer = api.post("authority", "/v1/parties", {"parties": [{}] * 100})
    assert len(faults(answer)) == MAX_NAMED
    assert answer.json()["detail"].endswith("; and more.")
    assert len(answer.content) < 8192


def test_a_missing_body_is_reported_as_missing(api: Api) -> None:
    assert faults(api.call("bank", "POST", "/v1/verify")) == [("body", "missing")]


def test_a_call_without_permission_is_refused_before_its_body_is_checked(api: Api) -> None:
    assert api.post(None, "/v1/parties", {"surprise": 1}).status_code == 401
    key = api.post(
        "bank", "/v1/api-keys", {"name": "m", "scopes": ["read"], "expires_at": api.pilot.ledger.clock() + 99}
    )
    header = {"Authorization": f"Bearer {key.json()['key']}"}
    answer = api.call(None, "POST", "/v1/verify", json={"surprise": 1}, headers=header)
    assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_EXCEEDED")
