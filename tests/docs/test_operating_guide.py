"""Runs each command of docs/guides/operating.md on a ledger in use. At one point, the ledger's disk is lost."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.docs.documents import blocks, commands
from tests.docs.reader import Reader
from tests.support.ledgers.small_ledger import founded, settings_of
from tests.support.places import GUIDES

LOST = "## 4. "


def test_every_command_of_the_operating_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two certificates are issued after the backup; only one of their holders has kept the bundle."""
    monkeypatch.chdir(tmp_path)
    text = (GUIDES / "operating.md").read_text("utf-8")
    before, after = text[: text.index(LOST)], text[text.index(LOST) :]
    monkeypatch.setenv("PINGZHENG_ARCHIVE", "archive")
    with ExitStack() as stack:
        reader = Reader(monkeypatch, stack)
        with founded(settings_of(tmp_path, home=Path("var"), archive=Path("archive"))) as pilot:
            pilot.certificate(pilot.firm())
            reader.follow(blocks(before))
            number = pilot.certificate(pilot.firm())
            pilot.certificate(pilot.firm())
            Path("bundle.json").write_bytes(pilot.ledger.certificates.bundles.build(number).to_bytes())
        monkeypatch.delenv("PINGZHENG_ARCHIVE")
        reader.follow(blocks(after))
    assert reader.ran == len(commands(text)) >= 13
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


def test_every_error_code_in_the_guide_exists() -> None:
    from ledger.installation.explanations import explanation

    text = (GUIDES / "operating.md").read_text("utf-8")
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text)) - {"PINGZHENG_ARCHIVE", "PINGZHENG_ERASURES"}
    assert len(codes) >= 8
    for code in codes:
        assert explanation(code, "x", None).message != "x", code
