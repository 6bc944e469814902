"""The output of the command line: errors, tables, JSON, times."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer import Exit
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.cli.shell import output, progress_lines
from ledger.cli.shell.naming import seconds_of
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.proof.bundle import MAX_BUNDLE_BYTES
from tests.support.bundles.builder import usage
from tests.support.places import PROJECT

NOON = 1_793_505_600  # 2026-11-01 12:00 in Shanghai


def refused(*arguments: str | Path, **environment: str) -> dict[str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], env=environment)
    assert done.exit_code == output.EXIT_ERROR, done.output
    result: dict[str, str] = json.loads(done.stdout)
    assert result["hint"]
    return result


@pytest.mark.parametrize(
    ("name", "value"), [("BATCH_SIZE", "0"), ("SUITE", "sm4"), ("KEY_PROVIDER", "vault"), ("BATCH_AGE", "soon")]
)
def test_the_error_about_an_invalid_setting_names_its_environment_variable(name: str, value: str) -> None:
    variable = f"PINGZHENG_{name}"
    result = refused("scenario", "list", **{variable: value})
    assert (result["error"], result["where"]) == ("SETTING_INVALID", variable)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a ledger."""
    home = tmp_path_factory.mktemp("made") / "var"
    with create_ledger(Settings(home=home)):
        return home


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nobody://host/ledger", "oracle://host/ledger"])
def test_an_invalid_database_url_is_reported(made: Path, url: str) -> None:
    result = refused("status", "--home", made, PINGZHENG_DATABASE_URL=url)
    assert (result["error"], result["where"]) == ("DATABASE_URL_INVALID", "PINGZHENG_DATABASE_URL")


def test_a_file_that_is_not_a_database_is_reported(made: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(made, tmp_path / "var"))
    (home / "ledger.db").write_text("a letter, or what was left of a disk that was full\n" * 99)
    assert refused("status", "--home", home)["error"] == "DATABASE_DAMAGED"


def test_a_missing_database_is_reported(made: Path) -> None:
    result = refused("status", "--home", made, PINGZHENG_DATABASE_URL="sqlite:////dev/null/ledger.db")
    assert result["error"] == "DATABASE_MISSING"


def test_a_file_in_place_of_the_home_folder_is_reported(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    assert refused("status", "--home", home)["where"] == str(home)


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert refused("key", "new", tmp_path / "taken" / "firm.key")["error"] == "FILE_REFUSED"


def test_an_unexpected_exception_is_reported_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(output.LOG, raising=False)
    with pytest.raises(Exit) as ended, output.errors_explained():
        raise LookupError("440899195001010017")
    result = capsys.readouterr().err
    assert ended.value.exit_code == output.EXIT_ERROR
    assert (
        "INTERNAL" in result
        and f"LookupError in {Path(__file__).name}" in result
        and "440899195001010017" not in result
    )


def test_the_debug_log_level_shows_the_traceback_of_an_unexpected_exception(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(output.LOG, "debug")
    with pytest.raises(Exit), output.errors_explained():
        raise LookupError("what went wrong")
    assert "LookupError: what went wrong" in capsys.readouterr().err


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = CliRunner().invoke(app, ["serve", "--home", str(tmp_path), "--port", str(port)])
    assert done.exit_code == output.EXIT_ERROR
    assert "ADDRESS_UNAVAILABLE" in done.output and "--port" in done.output


def test_tables_show_shanghai_time_and_json_shows_times_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"at": NOON, "bound_at": NOON, "retired_at": 0, "until": None, "rows": NOON}
    output.emit(row, as_json=True)
    assert json.loads(capsys.readouterr().out) == row
    output.emit_rows([row], as_json=False, title="Times")
    result = " ".join(capsys.readouterr().out.split())
    assert result.count("2026-11-01 12:00:00") == 2 and result.count(str(NOON)) == 1 and result.count("–") == 2


def test_the_verify_command_prints_its_checks_in_both_languages(tmp_path: Path) -> None:
    bundle, facts, made = tmp_path / "bundle.json", tmp_path / "facts.json", usage()
    bundle.write_bytes(made.bundle.to_bytes()[:MAX_BUNDLE_BYTES])
    facts.write_bytes(made.facts.to_bytes())
    done = CliRunner().invoke(app, ["verify", str(bundle), "--facts", str(facts)], env={"COLUMNS": "200"})
    assert done.exit_code == output.EXIT_NOT_VALID
    for word in (
        "使用方 party",
        "✗ 未通过 failed",
        "✓ 通过 passed",
        "没有指明核验方及其给出的随机串",
        "The verifier did not give its party id",
    ):
        assert word in done.stdout


def test_a_time_can_be_given_as_date_and_time_or_in_seconds(tmp_path: Path) -> None:
    assert seconds_of("2026-11-01T12:00") == seconds_of(str(NOON)) == NOON
    bundle, facts, made = tmp_path / "bundle.json", tmp_path / "facts.json", usage()
    bundle.write_bytes(made.bundle.to_bytes())
    facts.write_bytes(made.facts.to_bytes())
    given = ("verify", str(bundle), "--facts", str(facts), "--json", "--at")
    result = CliRunner().invoke(app, [*given, "2026-11-01T12:00"])
    assert (result.exit_code, json.loads(result.stdout)["at"]) == (output.EXIT_NOT_VALID, NOON)
    assert json.loads(CliRunner().invoke(app, [*given, "noon"]).stdout)["error"] == "TIME_FORM"


def test_ids_are_not_shortened_in_records_and_in_the_first_column_of_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number, party = "DAC-440804-2026-S01-00000009-N", "4a" * 32
    row = {"certificate_no": number, "subject": party, "consumer": party, "state": "active", "class": "usage"}
    monkeypatch.setattr(output.console, "width", 100)
    output.emit_rows([row], as_json=False, title="Certificates")
    printed = capsys.readouterr().out
    assert number in printed and party not in printed and "4a4a4a" in printed
    output.emit(row, as_json=False)
    assert party in capsys.readouterr().out


def test_a_narrow_terminal_breaks_no_code_or_key_into_two_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number, key = "DAC-440804-2026-S01-00000009-N", "02" + "4a" * 32
    row = {"certificate_no": number, "subject": "9f" * 32, "public_key": key, "state": "active"}
    for width in (80, 60, 40):
        monkeypatch.setattr(output.console, "width", width)
        output.emit_rows([row], as_json=False, title="Certificates")
        rows = capsys.readouterr().out.splitlines()
        output.emit(row, as_json=False)
        record = capsys.readouterr().out.splitlines()
        for value in (number, "9f" * 32, key):
            assert any(value in line for line in rows) and any(value in line for line in record), (width, value)


def test_members_that_are_lists_or_objects_are_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"states": {"active": 2, "used_up": 1}, "series": [["202601", "7"], ["202602", "8"]], "no": []}, False)
    result = capsys.readouterr().out
    for text in ("active: 2, used_up: 1", "202601, 7; 202602, 8", "–"):
        assert text in result
    output.emit_rows([], as_json=False, title="待审 Waiting")
    assert capsys.readouterr().out == "待审 Waiting：无 none\n"


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_a_command_whose_output_pipe_was_closed_ends_with_a_special_exit_code(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    bundle, facts, made = tmp_path / "bundle.json", tmp_path / "facts.json", usage()
    bundle.write_bytes(made.bundle.to_bytes())
    facts.write_bytes(made.facts.to_bytes())
    reading, writing = os.pipe()
    os.close(reading)
    program = "from ledger.cli.program import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "verify", str(bundle), "--facts", str(facts), *form],
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (output.EXIT_BROKEN_PIPE, "")


def test_tables_show_names_and_codes_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"certificate_no": "DAC-440804-2026-S01-00000009-N", "state": "used_up", "odd": "active"}
    output.emit(row, as_json=False)
    shown = capsys.readouterr().out
    assert "凭证编号 certificate_no" in shown and "已用完 used_up" in shown and "有效" not in shown
    output.emit_rows([row], as_json=False, title="Certificates")
    shown = capsys.readouterr().out
    assert "凭证编号" in shown and "certificate_no" in shown and "已用完 used_up" in shown
    output.emit_rows([row], as_json=True, title="Certificates")
    assert json.loads(capsys.readouterr().out) == [row]


def test_progress_is_printed_as_lines_if_the_output_is_not_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_lines, "SECONDS", 0)
    with output.progress() as bars:
        task = bars.add_task("签发 issue", total=3)
        bars.advance(task, 2)
        monkeypatch.setattr(progress_lines, "SECONDS", 1_000)
        bars.advance(bars.add_task("导入 import", total=9))
        bars.advance(task)
    assert capsys.readouterr().err.splitlines() == ["签发 issue 2/3", "签发 issue 3/3"]


@pytest.mark.parametrize(
    ("terminal", "as_json", "asked"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_command_asks_for_confirmation_only_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, as_json: bool, asked: bool
) -> None:
    questions: list[str] = []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setattr("typer.confirm", lambda question, **_: questions.append(question) or True)
    output.ask("Annul it for good?", False, as_json)
    output.ask("Annul it for good?", True, as_json)
    assert questions == ["Annul it for good?"] * asked
