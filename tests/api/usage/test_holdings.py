"""Holdings over HTTP: who may read them, filters, counts, and the export of a subject's own certificates."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.parties import PartyKind, Role
from ledger.wallet.bundle_files import bundles_in
from ledger.wallet.wallet import Wallet
from tests.support.api.stage import FIELDS, Consent, Stage


@pytest.fixture(scope="module")
def three(stage: Stage) -> list[Consent]:
    """Return three certificates of a new subject: one active, one used up, one revoked."""
    stage.join("holder", PartyKind.ENTERPRISE, Role.SUBJECT)
    active, used, revoked = (stage.consented("holder") for _ in range(3))
    assert stage.done(stage.post("C", "/v1/presentations", stage.presented(used)))["valid"]
    stage.done(stage.post("I", f"/v1/certificates/{revoked.number}/revoke", {"reason": "fraud"}))
    return [active, used, revoked]


def held(stage: Stage, who: str, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stage.done(stage.get(who, f"/v1/certificates?limit=200{query}"))["items"]
    return items


def numbers(stage: Stage, who: str, query: str = "") -> set[str]:
    return {item["certificate_no"] for item in held(stage, who, query)}


def test_each_certificate_is_listed_with_state_and_uses_and_providers(stage: Stage, three: list[Consent]) -> None:
    active, used, revoked = three
    states = {item["certificate_no"]: (item["state"], item["uses"], item["max_uses"]) for item in held(stage, "holder")}
    assert states == {
        active.number: ("active", 0, 1),
        used.number: ("used_up", 1, 1),
        revoked.number: ("revoked", 0, 1),
    }
    assert all(item["providers"] == [stage.parties["P"]] for item in held(stage, "holder"))


def test_query_parameters_filter_the_list_of_certificates(stage: Stage, three: list[Consent]) -> None:
    active, used, revoked = (consent.number for consent in three)
    provider = stage.parties["P"]
    for query, expected in (
        ("&state=active", {active}),
        ("&state=used_up", {used}),
        ("&state=suspended", set()),
        ("&part=subject&scenario=S51&class=usage", {active, used, revoked}),
        ("&part=consumer", set()),
        ("&scenario=S01", set()),
        ("&class=registration", set()),
        (f"&provider={provider}&state=revoked", {revoked}),
        (f"&provider={stage.parties['P2']}", set()),
        ("&issued_from=0&issued_to=1", set()),
        ("&issued_from=1&expires_before=1099511627775", {active, used, revoked}),
    ):
        assert numbers(stage, "holder", query) == expected, query
        assert stage.done(stage.get("holder", f"/v1/holdings/summary?{query[1:]}"))["total"] == len(expected), query


def test_the_pages_of_a_filtered_list_together_contain_every_match(stage: Stage, three: list[Consent]) -> None:
    first = stage.done(stage.get("holder", "/v1/certificates?limit=1&class=usage"))
    rest = stage.done(stage.get("holder", f"/v1/certificates?limit=2&class=usage&cursor={first['next_cursor']}"))
    seen = [item["certificate_no"] for item in first["items"] + rest["items"]]
    assert seen == sorted(consent.number for consent in three) and rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=valid", "FILTER_INVALID"),
        ("part=owner", "FILTER_INVALID"),
        ("class=both", "FILTER_INVALID"),
        ("party=all&part=subject", "FILTER_INVALID"),
        ("scenario=51", "REQUEST_SHAPE"),
        ("party=me", "REQUEST_SHAPE"),
        ("provider=all", "REQUEST_SHAPE"),
        ("issued_from=-1", "REQUEST_SHAPE"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/certificates", "/v1/holdings/summary"])
def test_an_invalid_query_parameter_is_refused(stage: Stage, path: str, query: str, code: str) -> None:
    answer = stage.get("V", f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


# For each role, the parties whose holdings a caller with this role may read, besides its own holdings. The roles that
# may read all holdings may also read the full log.
SEEN: dict[str, set[str]] = {
    "S": set(),
    "P": set(),
    "C": set(),
    "T": set(),
    "X": set(),
    "B": {"P", "C"},
    "D": {"P"},
    **{column: {"P", "C", "P2", "C2", "all"} for column in "IRAV"},
}


@pytest.mark.parametrize("who", SEEN)
@pytest.mark.parametrize("path", ["/v1/certificates", "/v1/holdings/summary"])
def test_readers_of_the_full_log_can_list_holdings_of_other_parties(stage: Stage, path: str, who: str) -> None:
    for whose in ("P", "C", "P2", "C2", "all"):
        if whose == who:
            continue
        answer = stage.get(who, f"{path}?party={stage.parties.get(whose, whose)}")
        if whose in SEEN[who]:
            assert answer.status_code == 200, (who, whose)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "PARTY_LACKS_ROLE"), (who, whose)
    named, unnamed = (stage.done(stage.get(who, each)) for each in (f"{path}?party={stage.parties[who]}", path))
    assert named | {"at": 0} == unnamed | {"at": 0}


def test_a_call_for_holdings_without_a_key_or_session_is_refused(stage: Stage) -> None:
    for path in ("/v1/certificates", "/v1/holdings/summary", "/v1/holdings/export"):
        assert stage.get("U", path).status_code == 401


def test_a_supervisor_can_list_a_subjects_certificates(stage: Stage, three: list[Consent]) -> None:
    party = stage.parties["holder"]
    assert numbers(stage, "V", f"&party={party}&part=subject") == {consent.number for consent in three}
    assert numbers(stage, "V", "&party=all&state=revoked") >= {three[2].number}


def test_a_summary_counts_the_certificates_of_each_scenario_and_provider(stage: Stage, three: list[Consent]) -> None:
    summary = stage.done(stage.get("holder", "/v1/holdings/summary"))
    counted = {"certificates": 3, "states": {"active": 1, "revoked": 1, "used_up": 1}}
    assert summary["by_scenario"] == [{"scenario": "S51"} | counted]
    assert summary["by_provider"] == [{"provider": stage.parties["P"]} | counted]
    assert (summary["total"], summary["block"] > 0) == (3, True)


def test_a_subject_can_export_certificates_to_its_wallet_and_present_them(stage: Stage, three: list[Consent]) -> None:
    answer = stage.get("holder", "/v1/holdings/export?state=active")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store" and "link" not in answer.headers
    wallet = Wallet().adding(bundles_in(answer.content))
    assert list(wallet.certificates) == [three[0].number]
    assert [item.name for item in wallet.read(three[0].number)[1].disclosures] == FIELDS
    nonce, now = stage.ledger.verification.new_nonce(), stage.ledger.clock()
    made = wallet.present(
        three[0].number, ["wage_band"], consumer=stage.parties["C"], nonce=nonce, at=now, holder=stage.signer("holder")
    )
    report = stage.done(stage.post("C", "/v1/verify", {"bundle": made.to_dict(), "nonce": nonce}))
    assert report["valid"] and report["disclosed"] == {"wage_band": "15–20"}


def test_the_link_header_leads_to_the_next_page_of_an_export(stage: Stage, three: list[Consent]) -> None:
    found: list[str] = []
    path: str | None = "/v1/holdings/export?limit=2&class=usage"
    while path is not None:
        answer = stage.get("holder", path)
        found += Wallet().adding(bundles_in(answer.content)).certificates
        path = answer.links["next"]["url"] if answer.links else None
    assert found == sorted(consent.number for consent in three)


@pytest.mark.parametrize("who", ["I", "R", "A", "D", "V", "T", "B", "X"])
def test_a_party_cannot_export_the_certificates_of_another_party(stage: Stage, three: list[Consent], who: str) -> None:
    answer = stage.get(who, f"/v1/holdings/export?party={stage.parties['holder']}")
    assert (answer.status_code, answer.json()["code"]) == (403, "PARTY_LACKS_ROLE")


def test_the_export_of_a_consumer_contains_no_certificates_of_subjects(stage: Stage, three: list[Consent]) -> None:
    answer = stage.get("C", f"/v1/holdings/export?party={stage.parties['holder']}&part=consumer")
    assert (answer.status_code, answer.content) == (200, b"")
