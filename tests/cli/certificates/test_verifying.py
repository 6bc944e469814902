"""``pingzheng verify --request`` checks that a bundle is valid and that the verifier accepts the disclosed values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, NONCE


def verified(folder: Path, accept: object, *options: str, consumer: str = BANK.id) -> Result:
    """Verify a bundle that discloses ``tax_band`` B and ``power_trend`` 3. The verifier's request has the given
    ``accept``, the values that the verifier accepts.
    """
    made = usage()
    request = {"consumer": consumer, "nonce": NONCE, "accept": accept, "templates": [made.claims["template"]]}
    files = {"bundle": made.bundle.to_bytes(), "facts": made.facts.to_bytes(), "request": json.dumps(request).encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / "bundle"), "--facts", str(folder / "facts"), "--request", str(folder / "request")]
    return CliRunner().invoke(app, ["verify", *paths, "--at", str(AT), *options], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("accept", "exit_code", "accepted"),
    [
        ({"tax_band": ["A", "B"], "power_trend": [3]}, 0, {"code": "OK", "fields": []}),
        ({}, 0, {"code": "OK", "fields": []}),
        (None, 0, None),
        ({"tax_band": ["A"], "power_trend": [3]}, 1, {"code": "NOT_ACCEPTED", "fields": ["tax_band"]}),
        ({"tax_band": ["A"], "tax_trend": ["rising"]}, 1, {"code": "FIELDS_MISSING", "fields": ["tax_trend"]}),
    ],
)
def test_the_exit_code_says_whether_the_verifier_accepts_the_disclosed_values(
    tmp_path: Path, accept: Any, exit_code: int, accepted: dict[str, Any] | None
) -> None:
    printed = verified(tmp_path, accept, "--json")
    report = json.loads(printed.stdout)
    assert (printed.exit_code, report["valid"], report.get("accepted")) == (exit_code, True, accepted)
    assert report["disclosed"] == {"tax_band": "B", "power_trend": 3}


def test_the_printed_report_names_the_fields_whose_values_are_not_accepted(tmp_path: Path) -> None:
    printed = verified(tmp_path, {"tax_band": ["A"]})
    assert printed.exit_code == 1
    assert "有效 VALID" in printed.stdout
    assert "NOT ACCEPTED: NOT_ACCEPTED  取值不可接受 values that are not accepted: tax_band" in printed.stdout
    assert "符合核验方的要求 ACCEPTED" in verified(tmp_path, {"tax_band": ["B"]}).stdout


def test_disclosed_values_are_not_compared_with_accepted_values_if_the_bundle_is_not_valid(tmp_path: Path) -> None:
    printed = verified(tmp_path, {"tax_band": ["B"]}, "--json", consumer="0" * 64)
    report = json.loads(printed.stdout)
    assert (printed.exit_code, report["result"], "accepted" in report) == (1, "not_party", False)


@pytest.mark.parametrize("accept", [[], "B", {"tax_band": "B"}, {"tax_band": {"B": 1}}])
def test_a_request_file_with_malformed_accepted_values_is_refused(tmp_path: Path, accept: object) -> None:
    printed = verified(tmp_path, accept, "--json")
    assert (printed.exit_code, json.loads(printed.stdout)["error"]) == (2, "REQUEST_SHAPE")


@pytest.mark.parametrize(
    ("content", "step"),
    [
        ({"entry": {"type": "request", "consumer": BANK.id}}, "that `pingzheng request draft` wrote"),
        ({"consumer": BANK.id}, "See docs/guides/verifying.md"),
    ],
)
def test_the_error_for_a_wrong_request_file_says_what_to_give_instead(
    tmp_path: Path, content: dict[str, Any], step: str
) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(content), "utf-8")
    printed = CliRunner().invoke(app, ["verify", "bundle.json", "--request", str(path), "--json"])
    error = json.loads(printed.stdout)
    assert (printed.exit_code, error["error"]) == (2, "REQUEST_SHAPE")
    assert step in error["hint"] and "--consumer" in error["hint"]
