"""Tests ``pingzheng sealing rotate``, which changes the key that protects sealed texts."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.parties import PartyKind
from tests.support.actors.pilots import Pilot


def test_the_rotate_command_works_while_a_server_runs(pilot: Pilot) -> None:
    """After the rotation, the open ledger encrypts the data key of its next record with the new key, and can still open
    older records.
    """
    ledger, home = pilot.ledger, str(pilot.ledger.settings.home)
    firm = pilot.cast.firms[pilot.firm()]
    before = ledger.parties.register.identity(firm)
    told_before = run("status", "--home", home)
    (old,) = told_before["records_by_key"]
    rotated = run("rotate", "--home", home)
    assert rotated["rewrapped"] == told_before["records_by_key"][old]
    assert rotated["records_by_key"] == {rotated["current_key"]: rotated["rewrapped"]}
    assert ledger.parties.register.identity(firm) == before
    newcomer = pilot.party(PartyKind.ENTERPRISE)
    assert run("status", "--home", home)["records_by_key"] == {rotated["current_key"]: rotated["rewrapped"] + 1}
    assert ledger.parties.register.identity(newcomer)["name"]
    assert run("rotate", "--to", rotated["current_key"], "--home", home)["rewrapped"] == 0


def run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["sealing", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
