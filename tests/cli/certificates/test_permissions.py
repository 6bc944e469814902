"""With the commands about certificates, each role may do what the API lets it do: the acts of the role matrix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.accounts import new_private_key
from ledger.cli.main import app
from ledger.proof.bundle import parse_bundle
from tests.support.actors.pilots import Pilot


def run(pilot: Pilot, *command: str) -> tuple[int, Any]:
    """Run ``pingzheng certificate`` and return its exit code and its JSON output."""
    home = str(pilot.ledger.settings.home)
    printed = CliRunner().invoke(app, ["certificate", *command, "--json", "--home", home])
    return printed.exit_code, json.loads(printed.stdout)


@pytest.fixture
def subject_key(pilot: Pilot, tmp_path: Path) -> tuple[str, Path]:
    """Issue a certificate; return its number, and the file with the private key of its subject."""
    firm = pilot.firm()
    account = pilot.ledger.parties.register.get(pilot.cast.firms[firm]).account
    key = tmp_path / "firm.key"
    key.write_text(pilot.ledger.custody.private_key(account).hex())
    return pilot.certificate(firm), key


def test_only_the_subject_gets_a_bundle(pilot: Pilot, subject_key: tuple[str, Path], tmp_path: Path) -> None:
    (number, key), out = subject_key, tmp_path / "bundle.json"
    code, answer = run(pilot, "bundle", number, "--out", str(out))
    assert (code, answer["error"], out.exists()) == (2, "PARTY_LACKS_ROLE", False)
    code, answer = run(pilot, "bundle", number, "--out", str(out), "--key", str(key))
    assert (code, answer["certificate_no"]) == (0, number)
    assert parse_bundle(out.read_bytes()).certificate == pilot.ledger.certificates.bundles.build(number).certificate


def test_the_subject_sees_who_read_its_bundle(pilot: Pilot, subject_key: tuple[str, Path], tmp_path: Path) -> None:
    number, key = subject_key
    subject = pilot.ledger.usage.holdings.get(number).subject
    pilot.ledger.flush()
    before = len(pilot.ledger.readings.page(subject, None, 100))
    assert run(pilot, "bundle", number, "--out", str(tmp_path / "bundle.json"), "--key", str(key))[0] == 0
    assert len(pilot.ledger.readings.page(subject, None, 100)) == before + 1


def test_a_stranger_does_not_see_a_certificate(pilot: Pilot, subject_key: tuple[str, Path], tmp_path: Path) -> None:
    number, key = subject_key
    assert run(pilot, "show", number)[0] == 0
    assert run(pilot, "show", number, "--key", str(key))[0] == 0
    account = pilot.ledger.parties.register.get(pilot.cast.firms[pilot.firm()]).account
    other = tmp_path / "other.key"
    other.write_text(pilot.ledger.custody.private_key(account).hex())
    code, answer = run(pilot, "show", number, "--key", str(other))
    assert (code, answer["error"]) == (2, "PARTY_LACKS_ROLE")
    other.write_text(new_private_key().hex())
    code, answer = run(pilot, "show", number, "--key", str(other))
    assert (code, answer["error"]) == (2, "SESSION_KEY_NOT_LIVE")


@pytest.mark.parametrize("act", ["hold", "lift"])
def test_only_an_authority_or_supervisor_can_place_and_lift_holds(
    pilot: Pilot, subject_key: tuple[str, Path], act: str
) -> None:
    number, _ = subject_key
    code, answer = run(pilot, act, number, "--reason", "court", "--by", pilot.cast.bank)
    assert (code, answer["error"]) == (2, "PARTY_LACKS_ROLE")


def test_an_authority_or_supervisor_places_a_hold_with_the_command(pilot: Pilot, subject_key: tuple[str, Path]) -> None:
    number, _ = subject_key
    code, answer = run(pilot, "hold", number, "--reason", "court", "--by", pilot.cast.supervisor)
    assert (code, answer["state"], answer["reason"]) == (0, "suspended", "court")
