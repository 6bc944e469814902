"""docs/guides/keys.md, run from top to bottom: keys come, are lost and stolen, and nobody else speaks for the party."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.contracts.deployment import Deployment
from ledger.cli.main import app
from ledger.domain.powers import DEFAULT_DELAY
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from tests.docs.test_guides import BLOCK
from tests.support.places import GUIDES

GUIDE = (GUIDES / "keys.md").read_text("utf-8")
FILES = {name: body for name, _, body in BLOCK.findall(GUIDE) if name}
COMMANDS = [line for _, kind, body in BLOCK.findall(GUIDE) if kind == "sh" for line in body.splitlines()]
WORD = re.compile(r"\b(NODE|PROPOSAL|NUMBER|[A-Z]+_(?:KEY|PROOF|ACCOUNT))\b")
MEMBERS = {"public_key": "KEY", "proof": "PROOF", "account": "ACCOUNT"}
FIRM = "91440803MA9X0002X5"


class Reader:
    """Does what the guide says, and keeps what was printed for the words in capitals."""

    def __init__(self, node: str) -> None:
        self.words = {"NODE": node}

    def run(self, line: str) -> None:
        program, *arguments = shlex.split(WORD.sub(lambda found: self.words[found[0]], line))
        assert program == "pingzheng"
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 0, f"{line}\n{done.output}{done.exception!r}"
        printed = json.loads(done.stdout)
        if isinstance(printed, dict):
            self.keep(printed)

    def keep(self, printed: dict[str, Any]) -> None:
        if str(printed.get("file", "")).endswith(".key"):
            name = Path(printed["file"]).stem.upper()
            self.words |= {f"{name}_{word}": printed[member] for member, word in MEMBERS.items() if member in printed}
        if isinstance(printed.get("no"), int) and "account" in printed:
            self.words["NUMBER"] = str(printed["no"])
        if isinstance(printed.get("proposal"), int):
            self.words["PROPOSAL"] = str(printed["proposal"])


def test_the_guide_ends_with_the_owner_s_keys_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # As it is for whoever sets nothing.
    monkeypatch.delenv("PINGZHENG_DELAY")
    assert CliRunner().invoke(app, shlex.split(COMMANDS[0])[1:]).exit_code == 0
    # Beside an open ledger, as beside a running server, the commands share one chain and start none.
    with open_ledger(Settings(home=tmp_path / "var")) as ledger:
        assert Deployment.load(tmp_path / "var" / "deployment.json").chain.delay == DEFAULT_DELAY
        reader = Reader(ledger.client.connection.url)
        for name, body in FILES.items():
            Path(name).write_text(body, "utf-8")
        for line in COMMANDS[1:]:
            reader.run(line)
        party = ledger.reader.party_no(ledger.parties.register.find(FIRM).id)
        spoken = {
            name: record.speaks
            for name in ("FIRM", "PHONE", "TABLET", "NEW")
            if (record := ledger.reader.account(reader.words[f"{name}_ACCOUNT"])) and record.party_no == party
        }
        assert ledger.reader.account(reader.words["THIEF_ACCOUNT"]) is None
        states = {row.kind: row.state for row in ledger.proposals.page(limit=100)}
    assert len(COMMANDS) == 41
    assert spoken == {"FIRM": False, "PHONE": True, "TABLET": True, "NEW": False}
    assert states["set_roles"] == "cancelled"
    assert states["change_key"] == "vetoed"
    assert states["end_pause"] == "carried_out"


def test_the_guide_links_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (GUIDES / target).exists(), target
