"""Runs the demonstration as a user does. Its files are verified, also with libraries of other projects."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import InvalidJWSSignature
from pymerkle.hasher import MerkleHasher
from pymerkle.proof import InclusionProof, InvalidProof, verify_inclusion
from sd_jwt.verifier import SDJWTVerifier

from ledger.domain.working_days import end_of_working_days
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from ledger.proof.bundle import parse_bundle
from ledger.proof.sdjwt import parse_certificate
from tests.support.machine.demonstration import run
from tests.support.places import PROJECT

TWELVE = [f"S{number:02d}" for number in range(1, 13)]


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_counts_in_the_summary_are_large_enough_and_add_up(demo: Path) -> None:
    counts = read(demo / "demo-out" / "summary.json")["counts"]
    assert counts["institutions"] == 34
    assert counts["resources"] == counts["registrations"] + counts["duplicates_refused"]
    assert counts["registrations"] > 2_200
    assert counts["duplicates_refused"] > 0
    assert counts["subjects"] >= 1_000
    assert counts["issued"] >= 1_000
    assert counts["requested"] == counts["authorised"] + counts["declined"] + counts["unanswered"]


@pytest.mark.parametrize("code", TWELVE)
def test_the_results_of_a_scenarios_requests_add_up_to_the_number_of_requests(demo: Path, code: str) -> None:
    summary = read(demo / "demo-out" / "summary.json")
    (numbers,) = [scenario for scenario in summary["scenarios"] if scenario["scenario"] == code]
    assert numbers["requested"] >= 30
    assert numbers["requested"] == numbers["authorised"] + numbers["declined"] + numbers["unanswered"]
    assert numbers["authorised"] == numbers["supplied"] + numbers["no_data"] + numbers["refused"]
    assert numbers["supplied"] == numbers["issued"]
    caught = {refusal["code"]: refusal["count"] for refusal in numbers["refusals"] if refusal["check"] != "service"}
    # Each issued certificate is found valid once, except those that are expired, revoked or withdrawn. Certificates
    # that are used twice, shown to another consumer or altered are found valid once before they are refused.
    spoilt = ("EXPIRED", "REVOKED", "AUTHORIZATION_WITHDRAWN")
    assert numbers["verified"] == numbers["issued"] - sum(caught[name] for name in spoilt)
    assert all(numbers[name] >= 1 for name in ("declined", "unanswered", "fewer_fields", "no_data", "refused"))
    assert numbers["unexpected"] == []


def test_the_first_certificate_is_shown_before_the_catalogue_is_read_and_can_be_verified(demo: Path) -> None:
    said = (demo / "demo.stderr").read_text("utf-8")
    bundle = parse_bundle((demo / "demo-out" / "first-certificate.json").read_bytes())
    number = str(parse_certificate(bundle.certificate).claims["certificate_no"])
    assert number in said.partition("读取目录")[0]
    assert f"pingzheng verify {demo}/demo-out/first-certificate.json --home {demo}/var" in said
    result = run(demo, "verify", "demo-out/first-certificate.json", "--home", str(demo / "var"))
    assert result.returncode == 0, result.stdout + result.stderr


def test_all_cases_that_must_fail_are_refused_in_every_scenario(demo: Path) -> None:
    checks = [
        ("2 signature", "SIGNATURE_INVALID"),
        ("7 validity", "EXPIRED"),
        ("8 status", "REVOKED"),
        ("9 uses", "USED_UP"),
        ("10 party", "NOT_PARTY"),
        ("11 authorization", "AUTHORIZATION_WITHDRAWN"),
        ("service", "FIELD_OUTSIDE_AUTHORIZATION"),
        ("service", "REQUEST_EXPIRED"),
    ]
    scenarios = read(demo / "demo-out" / "summary.json")["scenarios"]
    found = [{(refusal["check"], refusal["code"]) for refusal in numbers["refusals"]} for numbers in scenarios]
    assert all(numbers >= set(checks) for numbers in found)
    elsewhere = set().union(*found) - set(checks)
    assert elsewhere == {
        ("8 status", "SUPERSEDED"),
        ("8 status", "HELD"),
        ("11 authorization", "CLAIMS_NOT_PROVIDED"),
        ("contract", "PARTY_ACCOUNT_REPORTED"),
        ("contract", "PARTY_NOT_READY"),
        ("contract", "PARTY_NOT_PENDING"),
        ("contract", "PARTY_OWN_PROPOSAL"),
        ("provider", "SUBJECT_OPENING_DIFFERS"),
        ("provider", "SUBJECT_CHANGED"),
    }


def test_every_case_that_must_fail_is_refused_by_the_expected_check(demo: Path) -> None:
    unhappy = read(demo / "demo-out" / "summary.json")["unhappy"]
    assert len(unhappy) == 19
    assert all(case["as_expected"] for case in unhappy)


def test_the_keys_of_the_three_authorities_are_in_separate_folders(demo: Path) -> None:
    folders = sorted((demo / "var" / "offices").iterdir())
    keys = [json.loads((folder / "accounts.json").read_text()) for folder in folders]
    assert [folder.name for folder in folders] == ["1", "2", "3"]
    assert len({account for held in keys for account in held}) == 3
    assert {(folder / "accounts.json").stat().st_mode & 0o777 for folder in folders} == {0o600}


def test_a_lost_key_is_reported_at_once_and_replaced_after_the_waiting_period(demo: Path) -> None:
    powers = read(demo / "demo-out" / "summary.json")["powers"]
    recovery, proposal = powers["recovery"], powers["recovery"]["proposal"]
    _, second, _ = powers["officers"]
    assert recovery["reported_at"] <= proposal["at"]
    assert proposal["by"] == second
    assert proposal["confirmed_by"] in set(powers["officers"]) - {second}
    assert proposal["ready_at"] >= proposal["at"] + powers["delay"]
    assert proposal["ended_at"] >= proposal["ready_at"]
    assert proposal["state"] == "carried_out"
    with open_ledger(Settings(home=demo / "var")) as ledger:
        row = ledger.parties.register.get(recovery["party"])
        bundle = ledger.certificates.bundles.build(recovery["certificate"])
        lost, fresh = (ledger.reader.account(recovery[name]) for name in ("lost", "key"))
    assert row.account == recovery["key"] != recovery["lost"]
    assert lost is not None and lost.valid_to == proposal["ended_at"]
    assert fresh is not None and fresh.proposal == proposal["no"]
    # The firm signs its later authorization with its new key.
    signers = {item.signer for item in bundle.evidence}
    assert recovery["key"] in signers and recovery["lost"] not in signers


def test_a_firm_vetoes_a_forged_recovery_that_two_authorities_proposed(demo: Path) -> None:
    powers = read(demo / "demo-out" / "summary.json")["powers"]
    veto, proposal = powers["veto"], powers["veto"]["proposal"]
    _, second, third = powers["officers"]
    assert (proposal["by"], proposal["confirmed_by"], proposal["state"]) == (second, third, "vetoed")
    assert proposal["ended_at"] < proposal["ready_at"]
    with open_ledger(Settings(home=demo / "var")) as ledger:
        changes = ledger.parties.keys.changes(ledger.authority, veto["party"])
        assert ledger.parties.register.get(veto["party"]).account == veto["key"]
    assert [change["account"] for change in changes if change["event"] == "AccountBound"] == [veto["key"]]


def test_the_printed_summary_shows_the_recovery_and_the_veto(demo: Path) -> None:
    printed = " ".join((demo / "demo.stdout").read_text("utf-8").replace("│", " ").split())
    for sentence in (
        "当即生效 A firm lost its key: officer 1 reported the loss",
        "A forged recovery of another firm: proposed by officer 2, confirmed by officer 3",
        "该企业以自己的密钥否决 That firm vetoed the recovery",
        "新密钥生效",
    ):
        assert sentence in printed


def test_the_gas_of_all_certificates_adds_up_to_the_gas_for_anchoring(demo: Path) -> None:
    summary = read(demo / "demo-out" / "summary.json")
    anchors = [stage["gas"] for stage in summary["stages"] if "上链 " in stage["name"] and "登记" not in stage["name"]]
    shares = sum(numbers["anchor_gas_per_certificate"] * numbers["issued"] for numbers in summary["scenarios"])
    assert 0.99 < shares / sum(anchors) <= 1
    for numbers in summary["scenarios"]:
        assert 0 < numbers["anchor_gas_per_certificate"] < 2_000
        # The consumer signs many uses together, and the platform sends them in one transaction, which saves gas.
        assert 20_000 < numbers["use_gas_per_use"] < 40_000


def test_a_slow_source_times_out_once_and_answers_later(demo: Path) -> None:
    scenarios = {numbers["scenario"]: numbers for numbers in read(demo / "demo-out" / "summary.json")["scenarios"]}
    assert scenarios["S04"]["timed_out"] == 1
    assert scenarios["S01"]["corrected"] == scenarios["S02"]["corrected"] == 1


def test_the_files_for_consumers_contain_no_name_or_id_number_of_a_subject(demo: Path) -> None:
    folder = demo / "demo-out"
    with sqlite3.connect(folder / "providers" / "insurance" / "S02-social_insurance.db") as database:
        persons = database.execute("SELECT DISTINCT name, id_number, phone FROM records").fetchall()
    assert len(persons) > 300
    needles = [text for person in persons for text in person]
    left = [*(folder / "bundles").iterdir(), *(folder / "certificates").iterdir(), folder / "summary.json"]
    assert len(left) >= 49
    for path in left:
        content = path.read_text("utf-8")
        assert not [needle for needle in needles if needle in content], path.name
        assert "号企业（演示）" not in content


def test_the_provenance_of_the_transferred_asset_is_complete(demo: Path) -> None:
    transfer = read(demo / "demo-out" / "summary.json")["transfer"]
    names = [event["name"] for event in transfer["events"]]
    assert names == ["Registered", *["Advanced"] * 3, "Confirmed", "TransferOffered", "TransferAccepted"]
    assert transfer["completeness"]["complete"]


def test_ten_assets_go_through_every_act_until_they_are_annulled(demo: Path) -> None:
    summary = read(demo / "demo-out" / "summary.json")
    assert summary["counts"]["lives"] == 10
    lives = itertools.takewhile(lambda stage: "十日前" not in stage["name"], summary["stages"])
    stages = {stage["name"]: stage for stage in lives if stage["count"] == 10}
    refused = {name for name, stage in stages.items() if stage["gas"] == 0}
    assert len(stages) == 15
    assert refused == {"未经同意的转让被拒 transfer without consent: refused"}
    names = {event["name"] for event in read(demo / "demo-out" / "asset" / "provenance.json")["events"]}
    assert {"Filed", "RightGranted", "Pledged", "TransferAccepted", "ObjectionDecided", "Annulled"} <= names


def test_the_demonstrations_asset_had_a_public_notice_of_ten_working_days(demo: Path) -> None:
    events = read(demo / "demo-out" / "asset" / "provenance.json")["events"]
    noticed = next(event for event in events if event["name"] == "Advanced" and event["args"]["until"])
    confirmed = next(event for event in events if event["name"] == "Confirmed")
    assert noticed["args"]["until"] + 1 == end_of_working_days(noticed["at"], 10)
    assert confirmed["at"] > noticed["args"]["until"]


def test_the_picture_files_are_svg_files(demo: Path) -> None:
    for name in ("flow.svg", "asset/timeline.svg"):
        assert (demo / "demo-out" / name).read_text("utf-8").startswith("<svg ")


def test_a_second_run_on_the_same_ledger_succeeds(demo: Path, tmp_path: Path) -> None:
    again = run(demo, "demo", "--home", str(demo / "var"), "--out", str(tmp_path / "again"), "--subjects", "140")
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_bundle_can_be_verified_without_a_network(demo: Path) -> None:
    """The process that verifies uses only ``ledger.proof`` and saved chain data. It can neither open a socket nor
    import a network client.
    """
    code = """
import builtins, json, pathlib, socket, sys, time

def no_socket(*_args, **_kwargs):
    raise OSError("the network is cut off")

socket.socket = socket.create_connection = no_socket
real = builtins.__import__

def guarded(name, *args, **kwargs):
    if name.split(".")[0] in {"web3", "sqlalchemy", "requests", "httpx", "eth_account", "fastapi", "aiohttp"}:
        raise ImportError(name)
    return real(name, *args, **kwargs)

builtins.__import__ = guarded

from ledger.proof.facts_file import parse_facts
from ledger.proof.verifier import Expectation, verify

folder = pathlib.Path(sys.argv[1])
request = json.loads((folder / "request.json").read_text())
facts = parse_facts((folder / "facts.json").read_bytes())
expect = Expectation(consumer=request["consumer"], nonce=request["nonce"])
report = verify((folder / "bundle.json").read_bytes(), facts, int(time.time()), expect)
print(report.result, len(report.checks))
"""
    command = [sys.executable, "-c", code, str(demo / "demo-out" / "verify")]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.split() == ["valid", "11"], result.stderr


def test_the_code_of_the_verifying_guide_accepts_a_bundle_of_the_demonstration(demo: Path) -> None:
    """Runs the unchanged code of docs/guides/verifying.md; the clock shows the time of the saved chain data."""
    guide = (PROJECT / "docs" / "guides" / "verifying.md").read_text("utf-8")
    _, lines, later = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    folder = demo / "demo-out" / "verify"
    now = read(folder / "facts.json")["block"]["time"]
    code = f"import time\ntime.time = lambda: {now}\n{lines}\n{later}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    decided, then = done.stdout.splitlines()
    assert decided.split()[:3] == ["lend", "valid", "OK"]
    assert then.split()[:4] == ["then", "valid", "now", "valid"]


def test_a_third_party_sd_jwt_library_can_verify_a_certificate(demo: Path) -> None:
    folder = demo / "demo-out" / "verify"
    bundle, request = parse_bundle((folder / "bundle.json").read_bytes()), read(folder / "request.json")

    def issuer_key(_issuer: str, header: dict[str, Any]) -> JWK:
        return JWK(**bundle.keys[header["kid"]].to_dict())

    claims = verified_by_others(bundle.certificate, issuer_key, request)
    assert claims["certificate_no"].startswith("DAC-4408")
    assert claims["months_covered"] >= 1
    other = parse_bundle((demo / "demo-out" / "bundles" / "S02-1.json").read_bytes())
    head, payload, _ = bundle.certificate.split(".", 2)
    signature = other.certificate.split(".", 2)[2]
    with pytest.raises(InvalidJWSSignature):
        verified_by_others(f"{head}.{payload}.{signature}", issuer_key, request)


class Es256kVerifier(SDJWTVerifier):
    """The unchanged verifier of the library, except that the holder's algorithm is ES256K: the constructor has no
    parameter for it.
    """

    def _verify_key_binding_jwt(self, expected_aud: str, expected_nonce: str, sign_alg: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg or "ES256K")


def verified_by_others(certificate: str, key: Callable[..., JWK], request: dict[str, str]) -> dict[str, Any]:
    payload: dict[str, Any] = Es256kVerifier(
        certificate, key, expected_aud=request["consumer"], expected_nonce=request["nonce"]
    ).get_verified_payload()
    return payload


def test_a_third_party_rfc_9162_library_can_verify_an_inclusion_proof(demo: Path) -> None:
    bundle = parse_bundle((demo / "demo-out" / "verify" / "bundle.json").read_bytes())
    anchors = {anchor.batch: anchor for anchor in bundle.anchors}
    places = [(parse_certificate(bundle.certificate).issued.payload, bundle.position, bundle.proof)]
    places += [(item.entry.encode(), item.position, item.proof) for item in bundle.evidence]
    for entry, position, path in places:
        anchor = anchors[position.batch]
        leaf = MerkleHasher("sha256").hash_buff(entry)
        proof = third_party_proof(leaf, position.index, anchor.size, path)
        verify_inclusion(leaf, anchor.root, proof, index=position.index + 1, size=anchor.size)
        other = hashlib.sha256(b"other").digest()
        with pytest.raises(InvalidProof):
            verify_inclusion(other, anchor.root, proof)


def third_party_proof(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> InclusionProof:
    """Convert our inclusion proof to the form of pymerkle. There the leaf comes first, and for each sibling a number
    says on which side it stands (1 means left).
    """
    sides, level_index, last = [], index, size - 1
    for _ in path:
        while level_index % 2 == 0 and level_index == last:
            level_index, last = level_index >> 1, last >> 1
        sides.append(level_index % 2)
        level_index, last = level_index >> 1, last >> 1
    return InclusionProof("sha256", True, size, index + 1, [*sides, 0], [leaf, *path])
