"""The commands that erase texts do so only after a confirmation."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.support.actors.erasing import COURT, REQUEST, erasures
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT


@pytest.fixture(scope="module")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments])


def test_the_erase_command_is_refused_without_a_confirmation(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    home, number = str(ledger.settings.home), persons.certificate(person)
    asked = run("certificate", "erase", number, "--reason", REQUEST, "--home", home, "--json")
    assert (asked.exit_code, json.loads(asked.stdout)["error"]) == (2, "NOT_CONFIRMED")
    assert erasures(ledger, person) == []
    done = run("certificate", "erase", number, "--reason", REQUEST, "--yes", "--home", home, "--json")
    answer = json.loads(done.stdout)
    assert (answer["by"], answer["certificates"], answer["scrubbed"]) == (person, [number], True)
    whole = run("party", "erase", person, "--reason", COURT, "--by", "authority", "--yes", "--home", home)
    assert whole.exit_code == 0 and "删除 Erasure" in whole.stdout
    assert erasures(ledger, person)[-1]["by"] == ledger.installation.authority_party
    wrong = run("party", "erase", person, "--reason", COURT, "--by", persons.bank, "--yes", "--home", home, "--json")
    assert (wrong.exit_code, json.loads(wrong.stdout)["error"]) == (2, "PARTY_LACKS_ROLE")


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("y\n", 0)])
def test_the_erase_command_asks_for_confirmation_on_a_terminal(persons: PersonActors, answer: str, code: int) -> None:
    person = persons.person()
    number = persons.certificate(person)
    command = [sys.executable, "-c", "from ledger.cli.main import app; app()", "certificate", "erase", number]
    command += ["--reason", REQUEST, "--home", str(persons.ledger.settings.home)]
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer.encode())
    with os.fdopen(keyboard, "wb"):
        asked = subprocess.run(command, stdin=terminal, capture_output=True, text=True, timeout=60, cwd=PROJECT)
        os.close(terminal)
    assert asked.returncode == code, asked.stderr
    assert "Continue?" in asked.stderr
    assert len(erasures(persons.ledger, person)) == (code == 0)
