"""Runs commands of the product as users do, and returns their output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.cli.shell.output import EXIT_DISK_FULL, EXIT_ERROR

ENVIRONMENT: Final = {"PINGZHENG_DELAY": "0", "PINGZHENG_BATCH_AGE": "0", "COLUMNS": "200"}
# Error codes that say nothing about the cause.
NAMELESS: Final = {"INTERNAL"}
ERRORS: Final = {EXIT_ERROR, EXIT_DISK_FULL}


@dataclass(frozen=True)
class Answer:
    """The exit code of a command, and the JSON that it printed."""

    exit_code: int
    printed: Any
    text: str

    @property
    def code(self) -> str | None:
        """The error code, or None if there was no error. For an error without a code, the exit code as text."""
        if self.exit_code == 0:
            return None
        named = self.printed.get("error") if isinstance(self.printed, dict) else None
        if not isinstance(named, str) or self.exit_code not in ERRORS:
            return f"EXIT_{self.exit_code}"
        return f"NAMELESS {named}: {self.printed.get('message')}" if named in NAMELESS else named


def cli(home: Path, *arguments: str, **environment: str) -> Answer:
    """Run a command in this process, with JSON output."""
    line = [*arguments, "--home", str(home), "--json"]
    done = CliRunner().invoke(app, line, env=ENVIRONMENT | environment)
    return answer_of(done.exit_code, done.stdout, done.stderr)


def program(home: Path, *arguments: str, **environment: str) -> Answer:
    """Run a command in a new process, with JSON output."""
    return ended(command(home, *arguments), home, **environment)


def ended(line: Sequence[str], home: Path, **environment: str) -> Answer:
    """Run a command on the ledger in ``home`` in a new process. Wait for its end, and return the process."""
    done = subprocess.run(
        line,
        cwd=home.parent,
        env=environment_of(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return answer_of(done.returncode, done.stdout, done.stderr)


def command(home: Path, *arguments: str) -> list[str]:
    """Return the command line with which a new process runs the command."""
    start = "from ledger.cli.program import run; run()"
    return [sys.executable, "-c", start, *arguments, "--home", str(home), "--json"]


def environment_of(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a new process: that of the test run, with the project on the import path."""
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


def answer_of(exit_code: int, stdout: str, stderr: str) -> Answer:
    """Parse the outputs of a completed command into its ``Answer``."""
    try:
        printed = json.loads(stdout)
    except ValueError:
        printed = None
    return Answer(exit_code, printed, stdout + stderr)
