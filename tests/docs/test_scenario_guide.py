"""docs/guides/adding-a-scenario.md, run: a file is checked, approved and put in force, and a firm gets a certificate."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.domain.powers import DEFAULT_DELAY
from ledger.installation.local_chain import LocalClock
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.parties.newcomers import NewParty
from ledger.proof.sdjwt import parse_certificate
from ledger.rulebooks.scenarios import ScenarioBook
from tests.docs.test_guides import BLOCK
from tests.support.actors.signing_in import token_of
from tests.support.places import GUIDES

GUIDE = (GUIDES / "adding-a-scenario.md").read_text("utf-8")
BLOCKS = BLOCK.findall(GUIDE)
SCENARIO = next(body for name, _, body in BLOCKS if name == "scenarios/S13.yaml")
MISTAKES = re.findall(r"^`([^`\n]+)` → `([^`\n]+)`:\n\n```text\n([^`]*)```", GUIDE, re.MULTILINE)
REQUESTS = re.findall(r"^(\w+) +POST (\S+)$", GUIDE, re.MULTILINE)
CLAIMS = {"staff_band": "50–200", "insured_six_months": True, "arrears_in_a_year": False}


class Reader:
    """Does what the guide says, from top to bottom, and keeps what was printed for the words in capitals."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.printed: dict[str, str] = {}
        self.last: Any = None
        self.commands = 0

    def follow(self, name: str, kind: str, body: str) -> None:
        if name:
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(body, "utf-8")
        for line in body.splitlines() if kind == "sh" else ():
            if setting := re.fullmatch(r"export (\w+)=(\S+)", line):
                self.monkeypatch.setenv(*setting.groups())
            else:
                self.run(line)

    def run(self, line: str) -> None:
        program, *arguments = (self.printed.get(word, word) for word in shlex.split(line))
        assert program == "pingzheng", line
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exit_code == 0, f"{line}\n{result.output}{result.exception!r}"
        self.last = json.loads(result.stdout)
        for told in self.last if isinstance(self.last, list) else [self.last]:
            named = {"public_key": "KEY", "id": "PARTY", "request": "REQUEST", "authorization": "AUTHORIZATION"}
            named |= {"certificate_no": "CERTIFICATE", "digest": "DIGEST", "proof": "PROOF"}
            self.printed |= {word: told[member] for member, word in named.items() if member in told}
        self.commands += 1


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES)
def test_a_mistake_is_told_as_the_guide_shows_it(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert SCENARIO.count(old) == 1
    path = tmp_path / "S13.yaml"
    path.write_text(SCENARIO.replace(old, new), "utf-8")
    result = CliRunner().invoke(app, ["scenario", "check", str(path)])
    assert result.exit_code == 2
    # The terminal's width decides where lines break.
    assert "".join(result.output.split()) == "".join(told.split())


def test_the_guide_shows_mistakes_and_links_to_the_rules() -> None:
    assert len(MISTAKES) == 7
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (GUIDES / target).exists(), target


def test_a_new_scenario_runs_without_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # As it is for whoever sets nothing.
    monkeypatch.delenv("PINGZHENG_DELAY")
    assert "S13" not in {scenario.code for scenario in ScenarioBook.load().all()}
    reader = Reader(tmp_path, monkeypatch)
    with ExitStack() as stack:
        ledger: Ledger | None = None
        for block in BLOCKS:
            reader.follow(*block)
            if block[2] == "pingzheng init\n":
                # Beside an open ledger, as beside a running server, the commands share one chain and start none.
                ledger = stack.enter_context(open_ledger(Settings(home=tmp_path / "var")))
            if block[1] == "http":
                assert ledger is not None
                lay_before_the_offices(ledger, reader.printed["DIGEST"])
        assert ledger is not None
        approved = in_force(ledger.settings)
    assert reader.commands == 28
    assert (reader.last["valid"], reader.last["disclosed"]) == (True, CLAIMS)
    assert reader.last["claims"]["scenario"] == "S13"
    assert reader.last["claims"]["scenario_digest"] == reader.printed["DIGEST"]
    assert approved == ["authority", "supervisor"]
    told = parse_certificate(json.loads((tmp_path / "bundle.json").read_bytes())["certificate"])
    assert told.claims["components"][0]["rule_version"].startswith("S13/1/engine-")


@contextmanager
def served(ledger: Ledger) -> Iterator[TestClient]:
    @contextmanager
    def already_open() -> Iterator[Ledger]:
        yield ledger

    with TestClient(create_app(already_open)) as client:
        yield client


def lay_before_the_offices(ledger: Ledger, digest: str) -> None:
    """The guide's HTTP requests, each by its part's API key."""
    key = ledger.custody.public_key(*ledger.custody.create())
    newcomer = NewParty(PartyKind.SUPERVISOR, "示例监管方", synthetic_uscc("440800", 77), "440800", key)
    (supervisor,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    # An office waits too.
    LocalClock(ledger.settings).skip(ledger.reader.connection, DEFAULT_DELAY)
    ledger.proposals.tick()
    own = ledger.installation
    parties = {"platform": own.operator, "authority": own.authority_party, "supervisor": supervisor.id}
    keys = {part: token_of(ledger, party) for part, party in parties.items()}
    assert [part for part, _ in REQUESTS] == list(parties)
    with served(ledger) as client:
        for part, path in REQUESTS:
            body = {"scenario": yaml.safe_load(SCENARIO)} if part == "platform" else None
            headers = {"Authorization": f"Bearer {keys[part]}"}
            answer = client.post(path.replace("DIGEST", digest), json=body, headers=headers)
            assert answer.status_code in (200, 201), answer.text
            assert answer.json()["digest"] == digest


def in_force(settings: Settings) -> list[str]:
    """Which offices approved what the restarted service has in force as S13."""
    with open_ledger(Settings(home=settings.home)) as ledger, served(ledger) as client:
        found: list[str] = client.get("/v1/scenarios/S13").json()["approved_by"]
        return found
