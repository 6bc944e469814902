"""Provenance over HTTP: past states, histories as W3C PROV, lineage, and SVG pictures."""

from __future__ import annotations

from typing import Any

import pytest
from rdflib import Graph

from tests.support.api.parts import Api


@pytest.fixture(scope="module")
def asset(api: Api) -> str:
    """An asset that was transferred to the bank some time after its confirmation."""
    pilot = api.pilot
    found = pilot.confirmed()
    pilot.skip(60)
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), found, pilot.cast.bank)
    pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), found)
    return found


def fetched(api: Api, path: str) -> Any:
    answer = api.get("firm", path)
    assert answer.status_code == 200, answer.text
    return answer


def test_an_asset_is_returned_as_it_was_at_the_requested_time(api: Api, asset: str) -> None:
    plain = fetched(api, f"/v1/assets/{asset}/provenance").json()
    assert plain["view"] is None
    accepted = plain["events"][-1]["at"]
    for at, holder in ((accepted - 1, api.parties["provider"]), (accepted, api.parties["bank"])):
        asked = fetched(api, f"/v1/assets/{asset}/provenance?at={at}").json()
        assert asked["events"] == plain["events"]
        assert asked["completeness"]["complete"]
        view = asked["view"]
        assert (view["state"], view["holder"]) == ("confirmed", holder)
        assert [(kind, [each["party"] for each in held]) for kind, held in view["held"].items()] == [
            (kind, [holder]) for kind in ("hold", "process", "operate")
        ]


@pytest.mark.parametrize("at", ["-1", "soon", str(10**13)])
def test_an_invalid_time_is_refused(api: Api, asset: str, at: str) -> None:
    assert api.get("firm", f"/v1/assets/{asset}/provenance?at={at}").status_code == 422


def test_a_history_is_returned_as_w3c_prov(api: Api, asset: str) -> None:
    answer = fetched(api, f"/v1/assets/{asset}/provenance.jsonld")
    assert answer.headers["content-type"].startswith("application/ld+json")
    assert len(Graph().parse(data=answer.text, format="json-ld")) > 50


@pytest.mark.parametrize("path", ["provenance.svg", "lineage.svg"])
def test_histories_are_returned_as_svg(api: Api, asset: str, path: str) -> None:
    answer = fetched(api, f"/v1/assets/{asset}/{path}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg ")


def test_the_lineage_of_an_asset_is_returned(api: Api, asset: str) -> None:
    graph = fetched(api, f"/v1/assets/{asset}/lineage").json()
    (node,) = graph["nodes"]
    assert (graph["root"], graph["edges"], graph["truncated"]) == (asset, [], False)
    assert (node["asset"], node["state"], node["flagged"]) == (asset, "confirmed", False)


@pytest.mark.parametrize(
    "path", ["provenance", "provenance?at=1", "provenance.jsonld", "provenance.svg", "lineage", "lineage.svg"]
)
def test_a_call_for_an_unknown_asset_or_without_an_api_key_is_refused(api: Api, asset: str, path: str) -> None:
    answer = api.get("firm", f"/v1/assets/{'ee' * 32}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (409, "ASSET_NOT_ON_CHAIN")
    assert api.get(None, f"/v1/assets/{asset}/{path}").status_code == 401
