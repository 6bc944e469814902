"""``pingzheng asset provenance``, ``asset lineage`` and ``index check``, on a separate ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.demo.data.cast import assemble
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a registered asset, and a derived asset whose application is open."""
    folder = tmp_path_factory.mktemp("provenance")
    with create_ledger(Settings(home=folder / "var")) as ledger:
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, ("S00",), now - 86_400, now + 10**9
        )
        pilot = Pilot(ledger, assemble(ledger, ["1"]))
        (asset,) = pilot.applied("cli/asset")
        pilot.take_through([asset])
        (child,) = pilot.applied("cli/child")
        ledger.registration.lineage.link(ledger.actor(pilot.cast.provider), child, "derived_from", asset)
        (folder / "assets.json").write_text(json.dumps([asset, child, pilot.cast.provider]))
    return folder


def run(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--home", str(home / "var")], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout


def as_json(home: Path, *arguments: str) -> Any:
    code, answer = run(home, *arguments, "--json")
    assert code == 0, answer
    return json.loads(answer)


def test_the_provenance_command_prints_the_state_at_a_given_time_and_writes_a_json_and_a_picture_file(
    home: Path,
) -> None:
    asset, _, provider = json.loads((home / "assets.json").read_text())
    files = ("--jsonld", str(home / "prov.json"), "--svg", str(home / "timeline.svg"))
    answer = as_json(home, "asset", "provenance", asset, "--at", "2100-01-01", *files)
    assert answer["completeness"]["complete"]
    assert (answer["view"]["at"], answer["view"]["holder"]) == (4_102_416_000, provider)
    assert not answer["view"]["in_force"]
    assert "@graph" in json.loads((home / "prov.json").read_text("utf-8"))
    assert (home / "timeline.svg").read_text("utf-8").startswith("<svg ")
    confirmed = answer["events"][-1]["at"]
    code, shown = run(home, "asset", "provenance", asset, "--at", str(confirmed))
    assert code == 0, shown
    assert "确认 confirmed" in shown and "公示 noticed" in shown and "持有权 hold" in shown


@pytest.mark.parametrize("at", ["yesterday", "1969-01-01", "9" * 20])
def test_an_invalid_time_is_refused(home: Path, at: str) -> None:
    asset, *_ = json.loads((home / "assets.json").read_text())
    code, answer = run(home, "asset", "provenance", asset, "--at", at, "--json")
    assert (code, json.loads(answer)["error"]) == (2, "TIME_FORM")


def test_the_lineage_of_an_asset_is_printed_and_drawn(home: Path) -> None:
    asset, child, _ = json.loads((home / "assets.json").read_text())
    graph = as_json(home, "asset", "lineage", "cli/asset", "--svg", str(home / "lineage.svg"))
    assert [(edge["asset"], edge["relation"], edge["other"]) for edge in graph["edges"]] == [
        (child, "derived_from", asset)
    ]
    assert "derived_from" in (home / "lineage.svg").read_text("utf-8")
    code, shown = run(home, "asset", "lineage", child)
    assert code == 0 and "派生自 derived_from" in shown


def test_the_index_check_command_compares_every_asset_with_the_chain(home: Path) -> None:
    answer = as_json(home, "index", "check")
    assert answer["equal"] and answer["assets_agree"]
    assert (answer["assets"], answer["assets_on_chain"], answer["assets_differing"]) == (2, 2, [])
