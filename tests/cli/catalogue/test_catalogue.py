"""The commands of the catalogue, on a separate ledger: import a table, and sign an entry."""

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
from tests.support.actors.department import department

DIGEST = f"sha-256:{'0' * 64}"
HEAD = "code,title,fields,content_digest\n"
GOOD = f"cli/a,用电 [bold],month:date;kwh:decimal:none:none:general_2,{DIGEST}\n"
BAD = f"cli/b,[/x],kwh,{DIGEST}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a ledger with a department and the key file of its chief data officer."""
    folder = tmp_path_factory.mktemp("cli")
    with create_ledger(Settings(home=folder / "var")) as ledger:
        office = department(ledger, assemble(ledger, ["1"]))
        key = ledger.custody.private_key(ledger.parties.register.get(office.cdo.party).account)
        (folder / "cdo.key").write_text(key.hex() + "\n")
        parts = {"provider": office.provider.party, "cdo": office.cdo.party}
        (folder / "parts.json").write_text(json.dumps(parts))
    return folder


def run(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["catalogue", *arguments, "--home", str(home / "var")])
    return result.exit_code, result.stdout


def as_json(home: Path, *arguments: str) -> Any:
    code, printed = run(home, *arguments, "--json")
    assert code == 0, printed
    return json.loads(printed)


def test_the_commands_import_a_table_and_sign_an_entry(home: Path) -> None:
    parts, table = json.loads((home / "parts.json").read_text()), home / "list.csv"
    table.write_text(HEAD + GOOD + BAD, "utf-8")
    code, printed = run(home, "import", str(table), "--by", parts["provider"], "--dry-run")
    assert code == 1 and "未写入 nothing written" in printed.replace("\n", " ").replace("  ", " "), printed
    code, printed = run(home, "import", str(table), "--by", parts["provider"], "--json")
    assert (code, json.loads(printed)["error"]) == (2, "IMPORT_REFUSED")
    table.write_text(HEAD + GOOD, "utf-8")
    assert as_json(home, "import", str(table), "--by", parts["provider"])["committed"]
    assert as_json(home, "submit", "cli/a", "--by", parts["provider"])["state"] == "submitted"
    signed = as_json(home, "sign", "cli/a", "--by", parts["cdo"], "--key", str(home / "cdo.key"))
    assert (signed["code"], signed["state"]) == ("cli/a", "cdo_signed")
    code, printed = run(home, "show", "cli/a")
    assert code == 0 and "[bold]" in printed and "general_2" in printed
