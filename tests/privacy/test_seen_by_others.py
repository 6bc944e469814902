"""Other users of a machine can see arguments, temporary files and readable databases. None of these may
contain personal text.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.store.database import open_engine
from tests.support.machine.file_contents import checkpoint
from tests.support.machine.onlookers import watched
from tests.support.personal_text import NEWCOMER, Needles


def test_onlookers_see_the_command_line_arguments_and_temporary_files_of_processes(tmp_path: Path) -> None:
    """The onlookers also see the arguments of a child process, and a temporary folder that is soon deleted."""
    text = NEWCOMER["name"]
    script = f'd=$(mktemp -d -p "{tmp_path}"); printf %s "$1" > "$d/slip"; sleep 1; rm -r "$d"'
    with watched(tmp_path) as seen:
        subprocess.run(["/bin/sh", "-c", 'sh -c "$0" name "$1"', script, text], timeout=60, check=True)
    assert not list(tmp_path.iterdir())
    assert any(text.encode() in arguments for arguments in seen.arguments)
    assert text.encode() in seen.temporary


def test_opening_a_database_makes_it_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE slip (content TEXT)")
    # The files that SQLite keeps beside the database exist only while the database is open.
    files = [path, *tmp_path.glob("ledger.db-*")]
    assert len(files) > 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    for file in files:
        file.chmod(0o644)
    with open_engine(f"sqlite:///{path}").connect() as again:
        assert again.exec_driver_sql("SELECT content FROM slip").all() == []
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    engine.dispose()


def test_onboarding_shows_no_name_in_command_line_arguments_or_temporary_files(tmp_path: Path) -> None:
    """The identity is given once in a file, and once through standard input."""
    temporary, answer = tmp_path / "tmp", json.dumps(NEWCOMER, ensure_ascii=False)
    temporary.mkdir()
    with create_ledger(Settings(home=tmp_path / "var")):
        pass
    with watched(temporary) as seen:
        for file in ("party.json", "-"):
            (tmp_path / "party.json").write_text(answer, "utf-8")
            (tmp_path / "party.json").chmod(0o644)
            done = onboarding(tmp_path, file, answer if file == "-" else "")
            assert done.returncode == 0, done.stderr
            seen.temporary |= {done.stdout, done.stderr}
            if file != "-":
                assert (tmp_path / file).stat().st_mode & 0o777 == 0o600
    assert any(b"party\0add" in arguments for arguments in seen.arguments)
    (tmp_path / "party.json").unlink()
    checkpoint(tmp_path / "var" / "ledger.db")
    shown = [*seen.arguments, *seen.temporary, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]
    needles = Needles(NEWCOMER.values())
    assert not [texts for data in shown if (texts := needles.found_in(data))]


def onboarding(folder: Path, file: str, given: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``pingzheng party add`` in ``folder``; its temporary files are in the subfolder ``tmp``."""
    command = [str(Path(sys.executable).with_name("pingzheng")), "party", "add", "--kind", "person"]
    command += ["--region", "440802", "--file", file, "--home", "var"]
    environment = os.environ | {"TMPDIR": str(folder / "tmp"), "PINGZHENG_LOG": "DEBUG"}
    return subprocess.run(
        command, cwd=folder, env=environment, input=given.encode(), capture_output=True, timeout=300, check=False
    )
