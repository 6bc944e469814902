"""``pingzheng certificate list`` with filters, ``pingzheng holdings summary`` and ``export``."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.domain.days import shanghai_day, shanghai_time
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.overview import Holding
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def firm(pilot: Pilot) -> str:
    """Issue two certificates to a firm, revoke one of them, and return the firm."""
    name = pilot.firm()
    revoked, _ = (pilot.certificate(name) for _ in range(2))
    pilot.ledger.certificates.status.revoke(revoked, "fraud")
    return pilot.cast.firms[name]


def run(pilot: Pilot, *arguments: str) -> tuple[int, str]:
    home = ("--home", str(pilot.ledger.settings.home))
    result = CliRunner().invoke(app, [*arguments, *home], env={"COLUMNS": "200"}, catch_exceptions=False)
    return result.exit_code, result.stdout


def as_json(pilot: Pilot, *arguments: str) -> Any:
    code, answer = run(pilot, *arguments, "--json")
    assert code == 0, answer
    return json.loads(answer)


def held(pilot: Pilot, **members: Any) -> list[Holding]:
    return list(pilot.ledger.usage.holdings.each(HoldingsFilter(**members)))


def test_the_verify_command_has_the_same_exit_codes_for_a_number_and_for_a_bundle(pilot: Pilot, firm: str) -> None:
    for row in as_json(pilot, "certificate", "list", "--party", firm, "--part", "subject"):
        code, answer = run(pilot, "verify", row["certificate_no"])
        assert row["state"] in answer and code == (0 if row["state"] == "active" else 1)


def test_filters_select_which_certificates_are_listed(pilot: Pilot, firm: str) -> None:
    rows = as_json(pilot, "certificate", "list", "--party", firm, "--part", "subject")
    assert sorted(row["state"] for row in rows) == ["active", "revoked"]
    active = as_json(
        pilot, "certificate", "list", "--party", firm, "--state", "active", "--provider", pilot.cast.provider
    )
    assert [row["certificate_no"] for row in active] == [
        row["certificate_no"] for row in rows if row["state"] == "active"
    ]
    assert as_json(pilot, "certificate", "list", "--party", firm, "--class", "registration") == []
    everyone = as_json(pilot, "certificate", "list", "--party", "all", "--scenario", "S51", "--limit", "1000")
    assert len(everyone) == len(held(pilot, scenario="S51")) >= 2


def test_day_filters_mean_whole_days_in_shanghai(pilot: Pilot, firm: str) -> None:
    (holding, _) = held(pilot, party=firm)
    issued, last = shanghai_day(holding.certificate.created_at), shanghai_day(holding.certificate.exp - 1)
    day = timedelta(days=1)
    for options, expected in (
        (("--issued-from", str(issued)), 2),
        (("--issued-from", str(issued + day)), 0),
        (("--issued-to", str(issued)), 2),
        (("--issued-to", str(issued - day)), 0),
        (("--expires-before", str(last + day)), 2),
        (("--expires-before", str(last)), 0),
    ):
        found = as_json(pilot, "certificate", "list", "--party", firm, *options)
        assert len(found) == expected, options


def test_a_summary_is_printed_as_tables_and_as_json(pilot: Pilot, firm: str) -> None:
    answer = as_json(pilot, "holdings", "summary", "--party", firm)
    assert (answer["total"], answer["by_scenario"][0]["states"]) == (2, {"active": 1, "revoked": 1})
    code, shown = run(pilot, "holdings", "summary", "--party", "all")
    assert code == 0
    assert all(text in shown for text in ("按场景", "按部门", "合计", "S51", pilot.cast.provider))


def test_a_list_is_exported_as_csv_and_as_json_lines(pilot: Pilot, firm: str, tmp_path: Path) -> None:
    expected = [holding.to_dict() for holding in held(pilot, party=firm)]
    lines, table = tmp_path / "held.jsonl", tmp_path / "held.csv"
    for out in (lines, table):
        assert as_json(pilot, "holdings", "export", str(out), "--party", firm)["certificates"] == 2
    assert [json.loads(line) for line in lines.read_text("utf-8").splitlines()] == expected
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["certificate_no"], row["state"], row["uses"]) for row in rows] == [
        (holding["certificate_no"], holding["state"], "0") for holding in expected
    ]
    assert rows[0]["exp"] == shanghai_time(expected[0]["exp"])
    assert {row["providers"] for row in rows} == {pilot.cast.provider}
    identity = pilot.ledger.parties.register.identity(firm)
    assert not [value for value in identity.values() if value in lines.read_text("utf-8") + table.read_text("utf-8")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["held.csv", "held.jsonl"]


@pytest.mark.parametrize("days", [("--days", "9999999"), ("--answer-days", "9999999")])
def test_a_request_for_a_longer_validity_than_allowed_is_refused(
    pilot: Pilot, tmp_path: Path, days: tuple[str, str]
) -> None:
    note = tmp_path / "note.json"
    note.write_text('{"contact": "前台"}')
    parties = ("--subject", pilot.cast.firms[pilot.firm()], "--consumer", pilot.cast.bank)
    source = ("--source", f"electricity={pilot.cast.provider}", "--note", str(note), "--out", str(tmp_path / "out"))
    exit_code, answer = run(pilot, "request", "draft", "--scenario", "S51", *parties, *source, *days, "--json")
    error = json.loads(answer)
    assert (exit_code, error["error"], error["where"]) == (2, "DAY_RANGE", days[0])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("certificate", "list", "--state", "valid"), "FILTER_INVALID"),
        (("certificate", "list", "--party", "all", "--part", "subject"), "FILTER_INVALID"),
        (("holdings", "summary", "--issued-from", "yesterday"), "DAY_FORM"),
        (("certificate", "list", "--issued-to", "9999-12-31"), "DAY_RANGE"),
        (("certificate", "list", "--expires-before", "0001-01-01"), "DAY_RANGE"),
        (("party", "accredit", "platform", "S51", "--last-day", "9999-12-31"), "DAY_RANGE"),
        (("holdings", "summary", "--provider", synthetic_uscc("440802", 8888)), "PARTY_UNKNOWN"),
        (("holdings", "export", "held.xls"), "FORMAT_UNKNOWN"),
    ],
)
def test_the_error_about_an_invalid_filter_names_the_filter(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    exit_code, answer = run(pilot, *arguments, "--json")
    assert (exit_code, json.loads(answer)["error"]) == (2, code)
    assert not list(tmp_path.iterdir())
