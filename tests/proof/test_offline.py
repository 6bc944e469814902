"""The verifier works with a bundle and saved facts, without a network and without the packages of the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import AT
from tests.support.bundles.made import Made
from tests.support.bundles.offline import PROGRAM, offline


@pytest.mark.parametrize(
    "made",
    [usage(), registration(), usage().status(("revoked", "fraud", AT))],
    ids=["usage", "registration", "revoked"],
)
def test_saved_bundle_is_verified_offline(tmp_path: Path, made: Made) -> None:
    done = offline(tmp_path, made)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["loaded"] == []
    assert printed["report"] == json.loads(json.dumps(made.verify().to_dict()))


@pytest.mark.parametrize(
    "line", ["import web3", "import socket; socket.socket()", "import ledger.chain.reading.reader"]
)
def test_offline_program_has_no_network(tmp_path: Path, line: str) -> None:
    done = offline(tmp_path, usage(), PROGRAM.replace("bundle, facts, at", f"{line}\nbundle, facts, at", 1))
    assert done.returncode != 0
    assert "not offline" in done.stderr or "no network" in done.stderr
