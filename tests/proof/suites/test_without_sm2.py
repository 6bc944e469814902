"""A verifier without SM2 and SM3 reports SUITE_NOT_INSTALLED for bundles that need them, and verifies all others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.proof.suites.test_sm2_certificates import GENUINE, WANTING
from tests.support.bundles.builder import usage
from tests.support.bundles.made import Made
from tests.support.bundles.offline import PROGRAM, REFUSED, offline

NO_SM3 = """
import hashlib
genuine_new = hashlib.new

def without_sm3(name, *args, **kwargs):
    if name == "sm3":
        raise ValueError("unsupported hash type sm3")
    return genuine_new(name, *args, **kwargs)

hashlib.new = without_sm3
"""
NO_GMALG = PROGRAM.replace(repr(REFUSED), repr((*REFUSED, "gmalg")))


def offline_report(folder: Path, made: Made, program: str) -> dict[str, Any]:
    done = offline(folder, made, program)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)["report"]
    return report


@pytest.mark.parametrize(
    ("name", "lacking"),
    [*((name, NO_SM3 + NO_GMALG) for name in WANTING), ("certificate", NO_GMALG)],
    ids=[*WANTING, "certificate, only gmalg missing"],
)
def test_verifier_without_sm2_reports_suite_not_installed(tmp_path: Path, name: str, lacking: str) -> None:
    number, make = WANTING[name]
    made = make()
    assert made.verify().valid
    report = offline_report(tmp_path, made, lacking)
    failures = [check for check in report["checks"] if check["verdict"] == "failed"]
    assert [(check["number"], check["code"]) for check in failures] == [(number, "SUITE_NOT_INSTALLED")]
    assert (report["valid"], report["claims"], report["disclosed"]) == (False, {}, {})


def test_verifier_without_sm2_verifies_a_certificate_signed_with_es256k(tmp_path: Path) -> None:
    assert offline_report(tmp_path, usage(), NO_SM3 + NO_GMALG)["valid"]


def test_gmalg_computes_sm3_digests_if_openssl_cannot(tmp_path: Path) -> None:
    assert offline_report(tmp_path, GENUINE, NO_SM3 + PROGRAM)["valid"]


def test_gmalg_is_loaded_only_for_an_sm2_signature(tmp_path: Path) -> None:
    program = PROGRAM.replace(f"for name in {REFUSED!r}", "for name in ('gmalg',)")
    for made, loaded in ((usage(), []), (GENUINE, ["gmalg"])):
        assert json.loads(offline(tmp_path, made, program).stdout)["loaded"] == loaded
