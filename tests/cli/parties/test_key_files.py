"""`pingzheng key new` writes key files. A statement is signed with the signature suite of the key in the file."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.canonical import canonical, digest
from ledger.proof.jws import entry_signature, entry_signed_by, public_jwk
from tests.support.places import PROJECT

STATEMENT = {"type": "withdrawal", "v": 2}


def run(*arguments: str | Path, code: int = 0) -> dict[str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == code, done.output
    printed: dict[str, str] = json.loads(done.output)
    return printed


@pytest.mark.parametrize(("suite", "alg"), [("es256k", "ES256K"), ("es256", "ES256"), ("sm2", "SM2SM3")])
def test_a_new_key_signs_a_statement_offline(tmp_path: Path, suite: str, alg: str) -> None:
    key, statement = tmp_path / "firm.key", tmp_path / "statement.json"
    printed = run("key", "new", key, "--suite", suite)
    assert key.stat().st_mode & 0o777 == 0o600
    statement.write_text(json.dumps(STATEMENT))
    run("sign", statement, "--key", key)
    signed = json.loads(statement.read_text())
    assert entry_signed_by(signed, printed["account"], printed["public_key"])
    assert entry_signature(signed).suite.alg == alg


@pytest.mark.parametrize("text", ["", "sm2:", "sm2:" + "0" * 64, "sm2:" + "1" * 62, "sm3:" + "1" * 64, "1" * 62, "no"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    key, statement = tmp_path / "firm.key", tmp_path / "statement.json"
    key.write_text(text)
    statement.write_text(json.dumps(STATEMENT))
    assert run("sign", statement, "--key", key, code=2)["error"] == "KEY_FILE_DAMAGED"
    assert json.loads(statement.read_text()) == STATEMENT


def test_creating_a_key_file_changes_no_existing_file(tmp_path: Path) -> None:
    beside = [tmp_path / name for name in ("firm.new", "firm.key.new", ".firm.key.new")]
    for path in beside:
        path.write_text("mine")
        path.chmod(0o644)
    run("key", "new", tmp_path / "firm.key")
    assert [path.read_text() for path in beside] == ["mine"] * 3
    assert (tmp_path / "firm.key").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("group", ["request", "consent"])
def test_an_unsigned_statement_is_refused(tmp_path: Path, group: str) -> None:
    """The statement is checked before a ledger is opened, so this test needs no ledger."""
    statement = tmp_path / "statement.json"
    home = ("--home", tmp_path / "statement.json")
    entry = {"type": "request"}
    notice = {"text": "read me"}
    statement.write_text(json.dumps({"entry": entry, "drafts": [{"entry": entry, "notice": notice}]}))
    printed = run(group, "submit", statement, *home, code=2)
    assert printed["error"] == "NOT_SIGNED" and f"pingzheng sign {statement}" in printed["hint"]
    statement.write_text(json.dumps({"note": {}}))
    assert run(group, "submit", statement, *home, code=2)["error"] == "ENTRY_TYPE"


def drafted(**changes: object) -> dict[str, list[dict[str, dict[str, object]]]]:
    """Write a file with a drafted authorization and its notice; ``changes`` apply only to the authorization."""
    notice: dict[str, object] = {
        "text": "告知书 Notice",
        "scenario": "S51",
        "source": "statistics",
        "kinds": [{"name": "wage_band"}],
        "method": {"channel": "subject_carried"},
        "valid_from": 1,
        "valid_to": 2,
        "max_uses": 1,
    }
    entry = {name: notice[name] for name in ("scenario", "source", "valid_from", "valid_to", "max_uses")}
    entry |= {"fields": ["wage_band"], "channel": "subject_carried", "consumer": "c" * 64, "holder_key": {}}
    entry["notice_digest"] = digest(canonical(notice))
    return {"drafts": [{"notice": notice, "entry": entry | changes}]}


def test_signing_an_authorization_names_the_consumer_and_the_key_that_presents_the_certificate(tmp_path: Path) -> None:
    key, statement = tmp_path / "firm.key", tmp_path / "authorization.json"
    made = run("key", "new", key)
    statement.write_text(json.dumps(drafted()))
    shown = run("sign", statement, "--key", key)
    assert (shown["consumer"], shown["presented_with"]) == ("c" * 64, "another key")
    statement.write_text(json.dumps(drafted(holder_key=public_jwk(made["public_key"]).to_dict())))
    assert run("sign", statement, "--key", key)["presented_with"] == "this key"


@pytest.mark.parametrize(
    "changes",
    [
        {"max_uses": 65_535},
        {"fields": ["wage_band", "capital_band"]},
        {"valid_to": 3},
        {"source": "tax"},
        {"channel": "government_platform"},
        {"scenario": "S01"},
        {"notice_digest": "sha-256:" + "0" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_authorization_that_differs_from_its_notice_is_not_signed(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    key, statement = tmp_path / "firm.key", tmp_path / "authorization.json"
    run("key", "new", key)
    statement.write_text(json.dumps(drafted(**changes)))
    assert run("sign", statement, "--key", key, code=2)["error"] == "NOTICE_DIFFERS"
    assert "signature" not in statement.read_text()


@pytest.mark.parametrize(("answer", "options", "code"), [("n\n", [], 2), ("y\n", [], 0), ("", ["--yes"], 0)])
def test_the_sign_command_shows_the_statement_and_asks_on_a_terminal(
    tmp_path: Path, answer: str, options: list[str], code: int
) -> None:
    key, statement = tmp_path / "firm.key", tmp_path / "statement.json"
    run("key", "new", key)
    statement.write_text(json.dumps(STATEMENT))
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer.encode())
    command = [
        sys.executable,
        "-c",
        "from ledger.cli.main import app; app()",
        "sign",
        str(statement),
        "--key",
        str(key),
        *options,
    ]
    with os.fdopen(keyboard, "wb"):
        done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, timeout=60, cwd=PROJECT)
        os.close(terminal)
    assert done.returncode == code, done.stderr
    assert "withdrawal" in done.stdout
    assert ("Sign " in done.stderr) == (options == [])
    assert ("signature" in json.loads(statement.read_text())) == (code == 0)
