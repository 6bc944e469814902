"""Tests of the interactive docs at /docs and of all files that these pages load."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.http.limits import Limits
from api.http.request_faults import MAX_NAMED
from api.http.server import Connections
from ledger.installation.explanations import error_texts
from ledger.usage.batches.batches import MAX_ITEMS
from tests.support.places import DOCS


@pytest.fixture(scope="module")
def client() -> TestClient:
    # The docs pages need no ledger, so the test fails if a page opens one.
    return TestClient(create_app(lambda: pytest.fail("no ledger is to be opened")))


def test_the_documentation_pages_load_files_only_from_the_service(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert len(loaded) >= 4
    for address in loaded:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200, address


def test_the_error_for_an_unknown_address_points_to_the_documentation(client: TestClient) -> None:
    result = client.get("/v1/nothing").json()
    assert (result["code"], result["status"]) == ("HTTP_404", 404)
    assert "没有这个地址" in result["detail"] and "/docs" in result["hint"]


def test_the_guide_for_clients_states_the_real_limits() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    limits = Limits()
    for said in (
        f"{limits.body_bytes // 2**20} MiB, {limits.body_values:,} values, {limits.body_depth} levels",
        f"{limits.batch_bytes // 2**20} MiB and {limits.batch_values:,} values",
        f"up to {MAX_ITEMS:,}\nitems",
        f"{limits.public_bytes // 2**10} KiB, {limits.public_values:,} values",
        f"{limits.body_seconds:g} seconds, then 408 `BODY_TOO_SLOW`",
        f"{limits.public_reserve} at once from one address, then {limits.public_per_second:g} a second",
        f"Up to {Connections().most} connections",
    ):
        assert said in page, said
    assert MAX_NAMED == 20 and "twenty at the most" in page
    codes = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", page))
    assert codes <= error_texts().keys(), codes - error_texts().keys()
