"""Signing in, API keys, readings and enrolment on the command line, with a service on its own port."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from api.app import create_app
from ledger.cli.main import app
from ledger.demo.data.cast import assemble
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from tests.cli.provider_machine import ProviderMachine, written
from tests.support.actors.pilots import FIRMS, Pilot
from tests.support.actors.providers import SCENARIOS, Town

ID_NUMBER = "440899195001010017"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """A pilot whose service runs at the address in its settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = Settings(home=tmp_path_factory.mktemp("platform"), origin=origin, delay=0)
    with create_ledger(settings) as ledger, serving(ledger):
        cast, now = assemble(ledger, FIRMS), ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, SCENARIOS, now - 86_400, now + 10**9
        )
        yield Pilot(ledger, cast)


@contextmanager
def serving(ledger: Ledger) -> Iterator[None]:
    @contextmanager
    def already_open() -> Iterator[Ledger]:
        yield ledger

    port = int(ledger.sessions.origin.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(create_app(already_open), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


class Machine:
    """The machine of a firm that no other test uses: a folder with its key and its session."""

    def __init__(self, pilot: Pilot, folder: Path) -> None:
        self.pilot, self.ledger, self.folder = pilot, pilot.ledger, folder
        self.home = folder / "home"
        self.firm = pilot.firm()
        self.party = pilot.cast.firms[self.firm]
        account = self.ledger.parties.register.get(self.party).account
        self.key = written(folder / "firm.key", self.ledger.custody.private_key(account).hex())
        self.deployment = str(self.ledger.settings.home / "deployment.json")

    def run(self, *arguments: object, code: int = 0, typed: str | None = None) -> Any:
        done = CliRunner().invoke(app, [*map(str, arguments), "--json"], input=typed)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def at_home(self, *arguments: object, code: int = 0) -> Any:
        return self.run(*arguments, "--home", self.home, code=code)

    def login(self, *other: object, code: int = 0) -> Any:
        own = ("--party", self.party, "--key", self.key, "--deployment", self.deployment)
        return self.at_home("login", "--service", self.ledger.sessions.origin, *own, *other, code=code)


@pytest.fixture
def machine(pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PINGZHENG_API_KEY", raising=False)
    return Machine(pilot, tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_party_signs_in_and_out_with_its_key_on_the_command_line(machine: Machine) -> None:
    printed = machine.login()
    assert printed["party"] == machine.party
    kept = machine.home / "session.json"
    assert mode(kept) == 0o600
    (session,) = machine.at_home("sessions", "list")
    assert session["current"]
    machine.login()
    assert len(machine.at_home("sessions", "list")) == 2
    assert machine.at_home("sessions", "end", session["id"])["ended"]
    assert machine.at_home("sessions", "end", session["id"], code=2)["error"] == "SESSION_NOT_FOUND"
    kept.chmod(0o644)
    assert len(machine.at_home("sessions", "list")) == 1
    assert mode(kept) == 0o600
    assert machine.at_home("logout")["signed_out"]
    assert not kept.exists()
    assert machine.at_home("sessions", "list", code=2)["error"] == "SESSION_MISSING"


def test_signing_in_at_a_service_whose_own_address_differs_is_refused(machine: Machine) -> None:
    """The service is called at an address that is not its own, as if the call came through a relay."""
    elsewhere = machine.ledger.sessions.origin.replace("127.0.0.1", "localhost")
    assert machine.login("--service", elsewhere, code=2)["error"] == "SESSION_ORIGIN_DIFFERS"
    assert machine.login("--party", "91440803MA9X0002X5", code=2)["error"] == "LOGIN_PARTY_FORM"


def test_the_platform_signs_in_with_the_key_in_its_folder(machine: Machine) -> None:
    home = machine.ledger.settings.home
    printed = machine.run("login", "--service", machine.ledger.sessions.origin, "--home", home)
    assert printed["party"] == machine.ledger.installation.operator
    assert machine.run("logout", "--home", home)["party"] == printed["party"]


def test_the_logout_command_deletes_a_stored_session_even_if_the_session_has_ended(machine: Machine) -> None:
    machine.login()
    kept = machine.home / "session.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"token": "ps_over"}))
    assert machine.at_home("sessions", "list", code=2)["error"] == "SESSION_UNKNOWN"
    assert machine.at_home("logout")["signed_out"]
    kept.write_text("{}")
    assert machine.at_home("sessions", "list", code=2)["error"] == "SESSION_FILE_DAMAGED"


def test_api_keys_can_be_made_and_listed_and_revoked(machine: Machine) -> None:
    machine.login()
    out = machine.folder / "machine.api"
    made = machine.at_home("api-key", "new", "scales", "--scope", "read", "--out", out)
    assert made["scopes"] == ["read"] and mode(out) == 0o600
    assert "api_key" not in made and out.read_text().startswith("pz_")
    shown = machine.at_home("api-key", "new", "gate", "--scope", "act", "--days", "1")
    assert shown["api_key"].startswith("pz_")
    listed = machine.at_home("api-key", "list")
    assert [each["name"] for each in listed] == ["gate", "scales"]
    assert machine.at_home("api-key", "revoke", made["id"])["revoked"]
    assert [each["name"] for each in machine.at_home("api-key", "list")] == ["gate"]
    assert machine.at_home("api-key", "revoke", "../parties", code=2)["error"] == "ID_FORM"


def test_a_subject_lists_who_read_its_data(machine: Machine) -> None:
    machine.login()
    assert machine.at_home("certificate", "readings").keys() == {"items", "next_cursor"}


def test_a_provider_submits_its_answer_in_its_own_session(machine: Machine) -> None:
    (machine.folder / "grid").mkdir()
    town = Town(machine.pilot, machine.folder / "grid")
    provider, origin = ProviderMachine(town, machine.firm), machine.ledger.sessions.origin
    online = ("provision", "run", town.party, "--sources", provider.sources, "--key", provider.key, "--service", origin)
    assert machine.run(*online, code=2)["error"] == "SESSION_MISSING"
    assert machine.run(*online, "--deployment", machine.deployment)["answered"] == {"supplied": 1}


def test_a_person_submits_its_first_key_with_a_code(machine: Machine) -> None:
    home = ("--home", machine.ledger.settings.home)
    person = machine.folder / "person.json"
    person.write_text(json.dumps({"name": "示例某人", "identifier": ID_NUMBER}), "utf-8")
    adding = ("party", "add", "--kind", "person", "--region", "440825", "--no-key")
    added = machine.run(*adding, "--file", person, *home)
    assert (added["account"], added["no"]) == (None, None)
    assert mode(person) == 0o600
    given = machine.run("party", "enrolment", added["id"], *home)
    key = machine.folder / "mine.key"
    machine.run("key", "new", key)
    enrolling = ("enrol", "--key", key, "--deployment", machine.deployment, "--service", machine.ledger.sessions.origin)
    printed = json.dumps({"code": given["code"]})
    enrolled = machine.run(*enrolling, "--code", "-", typed=printed)
    assert (enrolled["party"], enrolled["proposal"]) == (added["id"], None)
    assert machine.run(*enrolling, "--code", "-", typed=printed, code=2)["error"] == "ENROLMENT_UNKNOWN"
    assert machine.login("--party", added["id"], "--key", key)["party"] == added["id"]
    assert machine.run("party", "enrolment", added["id"], *home, code=2)["error"] == "PARTY_HAS_KEY"


def test_names_and_id_numbers_are_refused_as_command_line_arguments(machine: Machine) -> None:
    home = ("--home", machine.ledger.settings.home)
    adding = ("party", "add", "--kind", "person", "--region", "440825")
    refused = CliRunner().invoke(app, [*adding, "--identifier", ID_NUMBER])
    assert refused.exit_code == 2 and "No such option" in refused.output
    assert machine.run(*adding, *home, code=2)["error"] == "PERSONAL_MISSING"
    assert machine.run(*adding, "--file", "-", *home, typed="[]", code=2)["error"] == "PERSONAL_FORM"
    printed = machine.run("consent", "list", ID_NUMBER, *home, code=2)
    assert printed["error"] == "ID_NUMBER_ARGUMENT" and ID_NUMBER not in json.dumps(printed)
