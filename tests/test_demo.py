"""The demonstration as a user runs it, and what it leaves, judged by others than us."""

from __future__ import annotations

import hashlib
import json
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
from ledger.proof.bundle import parse_bundle
from ledger.proof.sdjwt import parse_certificate

PROJECT = Path(__file__).parents[1]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pingzheng")), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_summary_counts_everything(demo: Path) -> None:
    counts = read(demo / "demo-out" / "summary.json")["counts"]
    assert counts["parties"] == 148
    assert counts["resources"] == counts["registrations"] + counts["duplicates_refused"]
    assert counts["registrations"] > 2_200
    assert counts["duplicates_refused"] > 0
    assert counts["authorizations"] == counts["provisions"] == counts["usage_certificates"] == 140
    assert counts["verifications"] == counts["verified_valid"] == 133


def test_every_unhappy_case_fails_at_the_check_that_names_it(demo: Path) -> None:
    unhappy = read(demo / "demo-out" / "summary.json")["unhappy"]
    assert [case["check"].split()[0] for case in unhappy] == ["11", "9", "10", "8", "2", "11", "7", "service"]
    assert all(case["as_expected"] for case in unhappy)


def test_transferred_asset_has_a_whole_history(demo: Path) -> None:
    transfer = read(demo / "demo-out" / "summary.json")["transfer"]
    names = [event["name"] for event in transfer["events"]]
    assert names == ["Registered", *["Advanced"] * 3, "Confirmed", "TransferOffered", "TransferAccepted"]
    assert transfer["completeness"]["complete"]


def test_ten_assets_live_on_to_their_annulment_each_step_with_its_gas(demo: Path) -> None:
    summary = read(demo / "demo-out" / "summary.json")
    assert summary["counts"]["lives"] == 10
    stages = {stage["name"]: stage for stage in summary["stages"] if stage["count"] == 10}
    refused = {name for name, stage in stages.items() if stage["gas"] == 0}
    assert len(stages) == 15
    assert refused == {"未经同意的转让被拒 transfer without consent: refused"}
    names = {event["name"] for event in read(demo / "demo-out" / "asset" / "provenance.json")["events"]}
    assert {"Filed", "RightGranted", "Pledged", "TransferAccepted", "ObjectionDecided", "Annulled"} <= names


def test_every_registration_was_on_notice_for_ten_working_days(demo: Path) -> None:
    events = read(demo / "demo-out" / "asset" / "provenance.json")["events"]
    noticed = next(event for event in events if event["name"] == "Advanced" and event["args"]["until"])
    confirmed = next(event for event in events if event["name"] == "Confirmed")
    assert noticed["args"]["until"] + 1 == end_of_working_days(noticed["at"], 10)
    assert confirmed["at"] > noticed["args"]["until"]


def test_pictures_are_pictures(demo: Path) -> None:
    for name in ("flow.svg", "asset/timeline.svg"):
        assert (demo / "demo-out" / name).read_text("utf-8").startswith("<svg ")


def test_a_second_run_on_the_same_ledger_works(demo: Path, tmp_path: Path) -> None:
    again = run(demo, "demo", "--home", str(demo / "var"), "--out", str(tmp_path / "again"))
    assert again.returncode == 0, again.stdout + again.stderr


def test_bundle_verifies_with_the_network_cut_off(demo: Path) -> None:
    """Only ``ledger.proof`` and saved facts, in a process that can open no socket and import no client."""
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

from ledger.proof.facts import parse_facts
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


def test_certificate_verifies_with_a_third_party_sd_jwt_library(demo: Path) -> None:
    folder = demo / "demo-out" / "verify"
    bundle, request = parse_bundle((folder / "bundle.json").read_bytes()), read(folder / "request.json")

    def issuer_key(_issuer: str, header: dict[str, Any]) -> JWK:
        return JWK(**bundle.keys[header["kid"]].to_dict())

    claims = verified_by_others(bundle.certificate, issuer_key, request)
    assert claims["certificate_no"].startswith("DAC-4408")
    assert claims["years_covered"] >= 1
    other = parse_bundle(next((demo / "demo-out" / "bundles").glob("firm-009.json")).read_bytes())
    head, payload, _ = bundle.certificate.split(".", 2)
    signature = other.certificate.split(".", 2)[2]
    with pytest.raises(InvalidJWSSignature):
        verified_by_others(f"{head}.{payload}.{signature}", issuer_key, request)


class Es256kVerifier(SDJWTVerifier):
    """The library as it is; its constructor has no way to name the holder's algorithm, its method has."""

    def _verify_key_binding_jwt(self, expected_aud: str, expected_nonce: str, sign_alg: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg or "ES256K")


def verified_by_others(certificate: str, key: Callable[..., JWK], request: dict[str, str]) -> dict[str, Any]:
    payload: dict[str, Any] = Es256kVerifier(
        certificate, key, expected_aud=request["consumer"], expected_nonce=request["nonce"]
    ).get_verified_payload()
    return payload


def test_inclusion_proof_verifies_with_a_third_party_rfc_9162_library(demo: Path) -> None:
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
    """Our siblings in pymerkle's form: the leaf first, and for each sibling on which side it stands (1: left)."""
    sides, level_index, last = [], index, size - 1
    for _ in path:
        while level_index % 2 == 0 and level_index == last:
            level_index, last = level_index >> 1, last >> 1
        sides.append(level_index % 2)
        level_index, last = level_index >> 1, last >> 1
    return InclusionProof("sha256", True, size, index + 1, [*sides, 0], [leaf, *path])
