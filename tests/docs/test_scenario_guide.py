"""docs/guides/adding-a-scenario.md: a scenario file is checked, approved and used, and a firm gets a certificate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

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
from tests.docs.documents import blocks, commands
from tests.docs.reader import Reader
from tests.support.actors.signing_in import token_of
from tests.support.places import GUIDES

GUIDE = (GUIDES / "adding-a-scenario.md").read_text("utf-8")
BLOCKS = blocks(GUIDE)
SCENARIO = next(block.body for block in BLOCKS if block.name == "scenarios/S13.yaml")
MISTAKES = re.findall(r"^`([^`\n]+)` → `([^`\n]+)`:\n\n```text\n([^`]*)```", GUIDE, re.MULTILINE)
REQUESTS = re.findall(r"^(\w+) +POST (\S+)$", GUIDE, re.MULTILINE)
CLAIMS = {"staff_band": "50–200", "insured_six_months": True, "arrears_in_a_year": False}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_each_mistake_in_the_guide_gives_the_error_that_the_guide_shows(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert SCENARIO.count(old) == 1
    path = tmp_path / "S13.yaml"
    path.write_text(SCENARIO.replace(old, new), "utf-8")
    result = CliRunner().invoke(app, ["scenario", "check", str(path)])
    assert result.exit_code == 2
    # Blanks and line breaks are removed before the comparison, because they depend on the width of the terminal.
    assert "".join(result.output.split()) == "".join(message.split())


def test_the_guide_shows_seven_mistakes() -> None:
    assert len(MISTAKES) == 7


def test_a_new_scenario_can_be_used_without_changing_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The tests set this variable, but a reader of the guide sets no environment variable.
    monkeypatch.delenv("PINGZHENG_DELAY")
    assert "S13" not in {scenario.code for scenario in ScenarioBook.load().all()}
    with ExitStack() as stack:
        reader = Reader(monkeypatch, stack)
        for block in BLOCKS:
            reader.follow([block])
            if block.kind == "http":
                assert reader.ledger is not None
                approve(reader.ledger, reader.words["DIGEST"])
        assert reader.ledger is not None
        approved = in_force(reader.ledger.settings)
    assert reader.ran == len([line for line in commands(GUIDE) if line.startswith("pingzheng ")]) == 28
    assert (reader.last["valid"], reader.last["disclosed"]) == (True, CLAIMS)
    assert reader.last["claims"]["scenario"] == "S13"
    assert reader.last["claims"]["scenario_digest"] == reader.words["DIGEST"]
    assert approved == ["authority", "supervisor"]
    presented = parse_certificate(json.loads((tmp_path / "bundle.json").read_bytes())["certificate"])
    assert presented.claims["components"][0]["rule_version"].startswith("S13/1/engine-")


@contextmanager
def served(ledger: Ledger) -> Iterator[TestClient]:
    @contextmanager
    def already_open() -> Iterator[Ledger]:
        yield ledger

    with TestClient(create_app(already_open)) as client:
        yield client


def approve(ledger: Ledger, digest: str) -> None:
    """Send the HTTP requests of the guide; each party uses its own API key for its request."""
    key = ledger.custody.public_key(*ledger.custody.create())
    newcomer = NewParty(PartyKind.SUPERVISOR, "示例监管方", synthetic_uscc("440800", 77), "440800", key)
    (supervisor,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    # The supervisor also gets its role by a proposal, so the clock is moved to the end of the waiting period.
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
    """Return the parties that approved scenario S13, as the service reports them after a restart."""
    with open_ledger(Settings(home=settings.home)) as ledger, served(ledger) as client:
        found: list[str] = client.get("/v1/scenarios/S13").json()["approved_by"]
        return found
