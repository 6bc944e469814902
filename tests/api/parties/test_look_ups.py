"""``GET /v1/parties?uscc=…`` finds institutions by their USCC, and no persons."""

from __future__ import annotations

import pytest

from ledger.domain.codes import synthetic_resident_id, synthetic_uscc
from tests.support.api.parts import Api


def test_an_institution_is_found_by_its_uscc(api: Api) -> None:
    bank = api.parties["bank"]
    uscc = api.pilot.ledger.parties.register.identity(bank)["identifier"]
    found = api.get("firm", f"/v1/parties?uscc={uscc}").json()
    assert [each["id"] for each in found["items"]] == [bank]
    assert found["next_cursor"] is None
    assert uscc not in str(found)


def test_an_unknown_uscc_gives_an_empty_list(api: Api) -> None:
    assert api.get("firm", f"/v1/parties?uscc={synthetic_uscc('440803', 7_777)}").json()["items"] == []


@pytest.mark.parametrize(
    ("uscc", "code"),
    [
        ("91440802MA9X00011A", "USCC_CHECK_DIGIT"),
        ("9144080", "USCC_LENGTH"),
        (synthetic_resident_id(9), "USCC_IS_ID_NUMBER"),
    ],
)
def test_an_invalid_uscc_is_refused_and_the_error_gives_the_reason(api: Api, uscc: str, code: str) -> None:
    refused = api.get("firm", f"/v1/parties?uscc={uscc}")
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (422, code, "uscc")
