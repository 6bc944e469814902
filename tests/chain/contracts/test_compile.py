"""Tests that the packaged contracts match the sources, and that Hardhat and py-solc-x give the same bytecode."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.contracts import compile as compiling
from ledger.chain.contracts.abi import signature
from ledger.chain.contracts.compile import ARTIFACTS, HARNESS, PACKAGED, artifact_text
from ledger.chain.contracts.deployment import artifact_of
from ledger.chain.local.node_programs import find_node
from ledger.errors import Misconfigured
from tests.support.places import PROJECT

Compiled = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def building() -> Iterator[subprocess.Popen[bytes]]:
    """Start Hardhat's build; it runs at the same time as the compiler of the fixture ``compiled``."""
    hardhat = PROJECT / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
    command = [str(find_node()), str(hardhat), "build", "--no-tests", "--quiet"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def built(building: subprocess.Popen[bytes], compiled: Compiled) -> Path:
    """Wait for Hardhat's build, and return the folder with its artifacts."""
    assert building.wait(600) == 0
    return PROJECT / "build" / "contracts"


@pytest.mark.parametrize("name", [*PACKAGED, HARNESS])
def test_hardhat_and_py_solc_compile_the_same_bytecode(built: Path, compiled: Compiled, name: str) -> None:
    folder = built / "harness" if name == HARNESS else built
    artifact = json.loads((folder / f"{name}.sol" / f"{name}.json").read_text())
    assert artifact["bytecode"] == "0x" + compiled[name]["bytecode"]
    assert artifact["deployedBytecode"] == "0x" + compiled[name]["deployedBytecode"]
    assert by_signature(artifact["abi"]) == by_signature(compiled[name]["abi"])


def by_signature(abi: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["type"], signature({"name": "", **item})): item for item in abi}


def test_packaged_artifacts_match_the_sources(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test makes the same check as `python scripts/compile.py --check`, but does not compile the sources again."""
    monkeypatch.setattr(compiling, "compile_contracts", lambda project: compiled)
    assert compiling.outdated(PROJECT) == []
    assert compiling.package(PROJECT) == []


def test_the_package_contains_the_artifacts_of_exactly_the_listed_contracts() -> None:
    assert {path.stem for path in ARTIFACTS.glob("*.json")} == set(PACKAGED)


def test_a_changed_source_makes_its_artifact_outdated(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**compiled["CertificateLog"], "bytecode": "00"}
    monkeypatch.setattr(compiling, "compile_contracts", lambda project: {**compiled, "CertificateLog": changed})
    assert compiling.outdated(PROJECT) == ["CertificateLog"]


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_artifact_is_read_back_unchanged(compiled: Compiled, name: str) -> None:
    artifact = artifact_of(name)
    assert (artifact.bytecode.hex(), artifact.runtime.hex()) == (
        (compiled[name]["bytecode"], compiled[name]["deployedBytecode"])
    )
    assert artifact_text(compiled[name]) == (ARTIFACTS / f"{name}.json").read_text()
    places = [place for each in artifact.immutables for place in each]
    assert places and all(artifact.runtime[start : start + length] == bytes(length) for start, length in places)


def test_a_compiler_error_is_reported_with_the_name_of_the_source_file(tmp_path: Path) -> None:
    """The project's own compile script is run on a project that has one broken file."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "Broken.sol").write_text("pragma solidity ^0.8.28;\ncontract Broken { uint x = ; }\n")
    (tmp_path / "contracts" / "solc-settings.json").write_bytes(
        (PROJECT / "contracts" / "solc-settings.json").read_bytes()
    )
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    with pytest.raises(Misconfigured) as caught:
        compiling.compile_contracts(tmp_path)
    assert caught.value.code == "COMPILE_FAILED"
    assert "Broken.sol" in caught.value.message
