"""The guide for operators, command by command, on a ledger that is in use; between two parts the disk is lost."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.docs.test_guides import BLOCK, run_block
from tests.support.ledgers.small_ledger import founded, settings_of
from tests.support.places import GUIDES

LOST = "## 4. "


def test_every_command_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two certificates come after the backup, and the holder of one has its bundle."""
    monkeypatch.chdir(tmp_path)
    nothing = ExitStack()
    text = (GUIDES / "operating.md").read_text("utf-8")
    before, after = text[: text.index(LOST)], text[text.index(LOST) :]
    monkeypatch.setenv("PINGZHENG_ARCHIVE", "archive")
    with founded(settings_of(tmp_path, home=Path("var"), archive=Path("archive"))) as pilot:
        pilot.certificate(pilot.firm())
        ran = sum(run_block(nothing, {}, *block) for block in BLOCK.findall(before))
        number = pilot.certificate(pilot.firm())
        pilot.certificate(pilot.firm())
        Path("bundle.json").write_bytes(pilot.ledger.certificates.bundles.build(number).to_bytes())
    monkeypatch.delenv("PINGZHENG_ARCHIVE")
    ran += sum(run_block(nothing, {}, *block) for block in BLOCK.findall(after))
    assert ran >= 12
    assert status(number, "restored") == status(number, "partly") == "active"
    assert listed("restored") == [] != listed("partly")


def status(number: str, home: str) -> str:
    found = CliRunner().invoke(app, ["certificate", "show", number, "--home", home, "--json"])
    assert found.exit_code == 0, found.output
    return str(json.loads(found.stdout)["state"])


def listed(home: str) -> list[object]:
    found = CliRunner().invoke(app, ["log", "lost", "--home", home, "--json"])
    assert found.exit_code == 0, found.output
    return list(json.loads(found.stdout))


def test_the_guide_says_what_comes_from_the_backup_alone() -> None:
    """Every code that it names is one of ours."""
    from ledger.installation.explanations import explanation

    text = (GUIDES / "operating.md").read_text("utf-8")
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text)) - {"PINGZHENG_ARCHIVE", "PINGZHENG_ERASURES"}
    assert len(codes) >= 8
    for code in codes:
        assert explanation(code, "x", None).message != "x", code
