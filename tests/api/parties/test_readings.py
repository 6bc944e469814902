"""Anybody may read the status of a certificate number; only the subject sees who read its data."""

from __future__ import annotations

from typing import Any

from tests.api.flow import certificate, presented
from tests.api.parties.visitors import Person, Visitor
from tests.support.api.parts import Api


def test_a_stranger_gets_only_the_state_of_a_certificate_and_the_time_of_its_last_change(
    api: Api, visitor: Visitor, firm: Person
) -> None:
    number = certificate(api)
    public = visitor.client.get(f"/v1/certificates/{number}/status").json()
    assert public.keys() == {"certificate_no", "state", "since"}
    assert visitor.post("/v1/verify", {"certificate_no": number}, firm.token).json() == public
    for part in ("firm", "bank", "provider", "platform"):
        assert {"batch", "index", "reason"} <= api.post(part, "/v1/verify", {"certificate_no": number}).json().keys()


def test_only_the_subject_sees_who_read_its_data(api: Api, visitor: Visitor) -> None:
    number = certificate(api)
    nonce = api.get("bank", "/v1/presentations/nonce").json()["nonce"]
    bundle = presented(api, number, nonce)
    assert api.post("bank", "/v1/presentations", {"bundle": bundle, "nonce": nonce}).json()["valid"]
    api.pilot.ledger.flush()

    def seen(part: str) -> list[tuple[str, str]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = api.get(part, f"/v1/readings?limit=200{cursor}").json()
            rows += page["items"]
            if page["next_cursor"] is None:
                return [(row["how"], row["by"]) for row in rows if row["certificate_no"] == number]
            cursor = f"&cursor={page['next_cursor']}"

    assert sorted(seen("firm")) == [("bundle", api.parties["firm"]), ("used", api.parties["bank"])]
    for part in ("bank", "provider", "platform", "authority", "other_firm"):
        assert seen(part) == []


def test_the_verification_of_an_invalid_bundle_is_not_listed_as_a_reading(
    api: Api, visitor: Visitor, firm: Person
) -> None:
    number = certificate(api)
    bundle = presented(api, number, "n" * 16)
    forged = bundle | {"inclusion": bundle["inclusion"] | {"leaf_index": 2**20}} if "inclusion" in bundle else bundle
    junk = [forged, bundle | {"certificate": bundle["certificate"][:-20] + "A" * 20}]
    for each in junk:
        visitor.post("/v1/verify", {"bundle": each, "nonce": "n" * 16}, firm.token)
    # A stranger's verification of a genuine certificate is recorded at most once a day.
    for _ in range(3):
        visitor.post("/v1/verify", {"bundle": bundle, "nonce": "n" * 16}, firm.token)
    api.pilot.ledger.flush()
    path = f"/v1/certificates/{number}/presentations"
    results = [(row["consumer"], row["result"]) for row in api.get("firm", path).json()["items"]]
    assert results == [(firm.party, "not_party")]
