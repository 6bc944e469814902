"""``pingzheng scenario`` shows scenarios and checks scenario files."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.rulebooks.scenarios import ScenarioBook
from tests.support.places import PROJECT
from tests.support.scenario_files import PACKAGED, VALID, write_scenario


def command(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["scenario", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_an_operators_scenario_is_listed_and_shown_without_new_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario(tmp_path)
    monkeypatch.setenv("PINGZHENG_SCENARIOS", str(tmp_path))
    code, rows = command("list")
    assert code == 0
    assert {row["code"]: row["依据 standing"] for row in rows}["S77"] == "proposed"
    code, printed = command("show", "S77")
    scenario = ScenarioBook.load(tmp_path).get("S77")
    assert (code, printed["code"], printed["digest"]) == (0, "S77", scenario.digest)
    assert (printed["standing"], printed["basis_note"]["zh"]) == ("proposed", "建议")
    assert (printed["pilot_from"], printed["price"]["amount"]) == ("2026-01-01", 200)
    assert [(source["name"], source["columns"]) for source in printed["sources"]] == [
        ("electricity", ["month", "kwh"]),
        ("gas", ["month"]),
    ]
    assert printed["rule_version"] == "S77/1/engine-2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("S01", ["有公开案例 documented", "2021", "同意 consent", "持牌征信机构", "元 price", "2030-12-31"]),
        ("S06", ["建议 proposed", "306", "公益使用免费 public use, free"]),
        ("S07", ["标段编号 number of the tender section"]),
        ("S51", ["演示 demonstration", "2.00（上限 cap 10.00）"]),
    ],
)
def test_the_show_command_prints_the_legal_basis_of_a_scenario(code: str, words: list[str]) -> None:
    shown = CliRunner().invoke(app, ["scenario", "show", code], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for word in words:
        assert word in shown.stdout


def test_the_check_command_reports_the_first_mistake_of_every_file(tmp_path: Path) -> None:
    good = write_scenario(tmp_path, name="good.yaml")
    same = write_scenario(tmp_path, name="same.yaml")
    bad = write_scenario(tmp_path, VALID.replace("max_uses: 1", "max_uses: many"), name="bad.yaml")
    torn = write_scenario(tmp_path, "code: [", name="torn.yaml")
    none = tmp_path / "none.yaml"
    paths = [str(path) for path in (bad, good, torn, same, none)]
    code, printed = command("check", *paths)
    assert code == 2
    assert [each["file"] for each in printed] == paths
    assert [each.get("error") for each in printed] == [
        "SCENARIO_INVALID",
        None,
        "SCENARIO_INVALID",
        "SCENARIO_TWICE",
        "FILE_MISSING",
    ]
    assert printed[0]["where"] == "bad.yaml, line 18: max_uses"
    assert printed[0]["message"] == "应为 1 至 65535 的整数。An integer from 1 to 65535 is expected."
    assert printed[1] == {
        "file": str(good),
        "ok": True,
        "code": "S77",
        "version": 1,
        "digest": ScenarioBook.read(good).digest,
    }
    shown = CliRunner().invoke(app, ["scenario", "check", *paths])
    assert shown.exit_code == 2
    for word in ("bad.yaml, line 18: max_uses", "torn.yaml, line 1", "same.yaml", "none.yaml", "位置 where", "应为"):
        assert word in shown.output


def test_the_check_command_exits_with_zero_if_all_files_are_valid() -> None:
    code, printed = command("check", *map(str, PACKAGED))
    assert code == 0
    assert [(each["code"], each["ok"]) for each in printed] == [(path.stem, True) for path in PACKAGED]


def test_the_commands_in_the_guide_for_scenario_authors_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs" / "scenarios.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("pingzheng ")]
    assert len(lines) == 3
    for line in lines:
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        assert done.exit_code == 0, line
