"""`pingzheng try` issues a certificate in an empty folder and verifies it offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app


def test_the_try_command_issues_a_certificate_and_verifies_it_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGZHENG_RPC_URL", "http://127.0.0.1:9")
    (tmp_path / "try-out").mkdir()
    done = CliRunner().invoke(app, ["try"])
    assert done.exit_code == 0, done.output
    assert "有效 VALID" in done.stdout and "usage_band" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["try-out", "try-out-2"]
    *_, offline = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    # The ledger's folder is moved away, because the printed command must work without a ledger.
    (tmp_path / "try-out-2" / "var").rename(tmp_path / "gone")
    again = CliRunner().invoke(app, offline.split()[2:])
    assert again.exit_code == 0, again.output
    assert (tmp_path / "try-out-2" / "bundle.json").name in done.stdout.partition("Next:")[0]
