"""The pages for people: /docs, with all that it loads."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from api.app import create_app


@pytest.fixture(scope="module")
def client() -> TestClient:
    # Not entered: the pages need no ledger.
    return TestClient(create_app(lambda: pytest.fail("no ledger is to be opened")))


def test_the_docs_load_nothing_from_another_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert len(loaded) >= 4
    for address in loaded:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200, address


def test_what_is_not_there_leads_to_the_docs(client: TestClient) -> None:
    told = client.get("/v1/nothing").json()
    assert (told["code"], told["status"]) == ("HTTP_404", 404)
    assert "没有这个地址" in told["detail"] and "/docs" in told["hint"]
