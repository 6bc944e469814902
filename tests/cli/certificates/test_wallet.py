"""``pingzheng wallet`` without a ledger: adding bundles, presenting, and three ways to give the passphrase."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.canonical import canonical
from ledger.proof.bundle import parse_bundle
from ledger.wallet.file import WalletFile
from tests.support.actors.wallets import ASSET, ASSET_NUMBER, CHEAP, KEY, NUMBER, PASSPHRASE, USAGE
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import BANK, HIDDEN, SUBJECT
from tests.support.places import PROJECT

VARIABLE = "PINGZHENG_WALLET_PASSPHRASE"


def run(*arguments: str, typed: str | None = None, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["wallet", *arguments], input=typed, env=environment)
    return result.exit_code, result.stdout


def as_json(*arguments: str, **environment: str) -> Any:
    code, answer = run(*arguments, "--json", **{VARIABLE: PASSPHRASE} | environment)
    assert code == 0, answer
    return json.loads(answer)


def refusal(*arguments: str, typed: str | None = None, **environment: str) -> str:
    code, answer = run(*arguments, "--json", typed=typed, **environment)
    assert code == 2, answer
    return str(json.loads(answer)["error"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two bundle files and a key, and no ledger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGZHENG_HOME", str(tmp_path / "var"))
    (tmp_path / "bundle.json").write_bytes(USAGE.to_bytes())
    (tmp_path / "asset.jsonl").write_bytes(canonical(ASSET.to_dict()) + b"\n")
    (tmp_path / "firm.key").write_text(KEY.private_key.hex() + "\n")
    (tmp_path / "pass").write_text(PASSPHRASE + "\n", "utf-8")
    return tmp_path


@pytest.fixture
def wallet(folder: Path) -> WalletFile:
    """A wallet that has the usage certificate but not the key; it uses a cheap key derivation."""
    file = WalletFile(folder / "holder.wallet", CHEAP)
    file.change(PASSPHRASE, lambda held: held.adding([USAGE]))
    return file


def test_a_wallet_takes_in_bundle_files_and_presents_their_certificates(folder: Path) -> None:
    added = as_json("add", "bundle.json", "asset.jsonl", "--key", "firm.key")
    assert added == {"wallet": "holder.wallet", "certificates": 2, "key": True, "added": 2}
    assert [row["certificate_no"] for row in as_json("list")] == [ASSET_NUMBER, NUMBER]
    to_bank = ("--consumer", BANK.id, "--nonce", "n-0S6_WzA2Mj", "--fields", "tax_band")
    assert as_json("present", NUMBER, *to_bank, "--out", "shown.json")["disclosed"] == ["tax_band"]
    assert parse_bundle((folder / "shown.json").read_bytes()).certificate.count("~") == 2
    assert not (folder / "var").exists()


def test_the_wallet_show_command_prints_a_certificate_and_writes_its_bundle(folder: Path, wallet: WalletFile) -> None:
    wallet.change(PASSPHRASE, lambda held: held.adding([ASSET]))
    assert as_json("show", NUMBER)["disclosable"] == HIDDEN
    as_json("show", ASSET_NUMBER, "--out", "asset.json")
    assert parse_bundle((folder / "asset.json").read_bytes()) == ASSET


def test_a_wallet_presents_with_a_key_file_outside_the_wallet(folder: Path, wallet: WalletFile) -> None:
    to_bank = ("--consumer", BANK.id, "--nonce", "n" * 16)
    assert refusal("present", NUMBER, *to_bank, **{VARIABLE: PASSPHRASE}) == "HOLDER_KEY_MISSING"
    (folder / "other.key").write_text(SUBJECT.secret.hex())
    assert refusal("present", NUMBER, *to_bank, "--key", "other.key", **{VARIABLE: PASSPHRASE}) == "HOLDER_KEY_DIFFERS"
    assert as_json("present", NUMBER, *to_bank, "--key", "firm.key")["disclosed"] == list(HIDDEN)


def test_the_passphrase_comes_from_a_file_or_the_environment_or_the_terminal(folder: Path, wallet: WalletFile) -> None:
    assert len(as_json("list")) == 1
    assert json.loads(run("list", "--json", "--passphrase-file", "pass")[1])[0]["certificate_no"] == NUMBER
    code, answer = run("list", typed=f"{PASSPHRASE}\n", COLUMNS="200")
    assert code == 0 and NUMBER in answer and PASSPHRASE not in answer
    assert refusal("list", typed="") == "PASSPHRASE_MISSING"
    assert refusal("list", typed="wrong passphrase\n") == "WALLET_NOT_OPENED"


def test_a_passphrase_is_not_asked_for_if_it_would_be_visible(folder: Path, wallet: WalletFile) -> None:
    program = "from ledger.cli.program import run; run()"
    command = [sys.executable, "-c", program, "wallet", "list", "--wallet", "holder.wallet"]
    environment = {"PYTHONPATH": str(PROJECT), "PATH": ""}
    # The process runs in a new session, which has no terminal.
    done = subprocess.run(
        command,
        input=f"{PASSPHRASE}\n",
        env=environment,
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "PASSPHRASE_MISSING" in done.stderr
    assert "echo" not in done.stderr


def test_the_wallet_commands_accept_a_consumers_party_id_and_no_other_identifier(wallet: WalletFile) -> None:
    given = ("present", NUMBER, "--consumer", "91440803MA9X0002X5", "--nonce", "n-0S6_WzA2Mj")
    assert refusal(*given, **{VARIABLE: PASSPHRASE}) == "PARTY_ID_FORM"


def test_a_new_passphrase_is_typed_twice(folder: Path) -> None:
    code, answer = run("add", "bundle.json", "--json", typed=f"{PASSPHRASE}\nanother\n{PASSPHRASE}\n{PASSPHRASE}\n")
    assert code == 0, answer
    assert json.loads(answer)["certificates"] == 1
    assert len(as_json("list")) == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe\xfd"])
def test_a_passphrase_file_must_have_exactly_one_line(folder: Path, content: bytes) -> None:
    (folder / "pass").write_bytes(content)
    assert refusal("list", "--passphrase-file", "pass") == "PASSPHRASE_MISSING"


def test_no_command_takes_a_passphrase_as_an_argument(folder: Path) -> None:
    for command in ("export", "add", "list", "show", "present", "passphrase"):
        code, answer = run(command, "--help", COLUMNS="200")
        assert code == 0 and "--passphrase-file" in answer and "Example" in answer
    assert run("list", "--passphrase", PASSPHRASE)[0] == 2


def test_the_passphrase_of_a_wallet_can_be_changed(folder: Path, wallet: WalletFile) -> None:
    (folder / "new").write_text("another passphrase")
    assert as_json("passphrase", "--new-passphrase-file", "new")["certificates"] == 1
    assert refusal("list", **{VARIABLE: PASSPHRASE}) == "WALLET_NOT_OPENED"
    assert len(as_json("list", "--passphrase-file", "new")) == 1


REFUSED = {
    "a bundle presented before": ("BUNDLE_PRESENTED", usage().bundle.to_bytes()),
    "no bundle": ("JSON_MALFORMED", b"PK\x03\x04"),
    "an invalid line": ("BUNDLE_FORM", b"{}\n"),
}


@pytest.mark.parametrize(("code", "raw"), REFUSED.values(), ids=REFUSED)
def test_a_wallet_refuses_incomplete_bundles(folder: Path, code: str, raw: bytes) -> None:
    (folder / "odd.json").write_bytes(raw)
    assert refusal("add", "bundle.json", "odd.json", **{VARIABLE: PASSPHRASE}) == code
    assert not (folder / "holder.wallet").exists()


def test_a_missing_wallet_or_key_file_is_reported(folder: Path) -> None:
    assert refusal("list", **{VARIABLE: PASSPHRASE}) == "WALLET_MISSING"
    assert refusal("add", "nothing.json", **{VARIABLE: PASSPHRASE}) == "FILE_MISSING"
    assert refusal("add", "bundle.json", **{VARIABLE: "short"}) == "PASSPHRASE_UNFIT"


def test_an_unknown_number_in_a_wallet_is_refused(wallet: WalletFile) -> None:
    assert refusal("show", ASSET_NUMBER, **{VARIABLE: PASSPHRASE}) == "CERTIFICATE_NOT_IN_WALLET"
    assert refusal("show", "DAC", **{VARIABLE: PASSPHRASE}) == "CERTIFICATE_NO_FORM"
