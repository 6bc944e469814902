"""``pingzheng consent draft`` and ``pingzheng sign`` name each missing option that only the subject can decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from ledger.domain.codes import synthetic_resident_id
from ledger.domain.parties import PartyKind
from ledger.parties.custody import signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)


def run(persons: PersonActors, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(persons.ledger.settings.home)])


def squeezed(printed: str) -> str:
    """Return the text without blanks, line breaks and frames of tables, because these depend on the width of the
    terminal.
    """
    return "".join(printed.replace("│", "").split())


def test_the_draft_command_names_signing_as_the_next_step_only_if_a_person_gave_separate_consent(
    persons: PersonActors, tmp_path: Path
) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    draft = ["consent", "draft", request, "--by", person, "--out", str(tmp_path / "authorization.json")]
    without = run(persons, *draft)
    assert without.exit_code == 0
    shown = squeezed(without.stdout)
    assert squeezed("run this command again with --separate-consent") in shown
    assert squeezed("pingzheng sign") not in shown
    shown = squeezed(run(persons, *draft, "--separate-consent").stdout)
    assert squeezed("pingzheng sign") in shown and "--separate-consent" not in shown


def test_the_sign_command_names_the_option_for_a_key_that_the_ledger_does_not_keep(
    persons: PersonActors, tmp_path: Path
) -> None:
    ledger, owner = persons.ledger, signer_of_key("11" * 32)
    proof = possession_of(ledger.reader.chain, owner)
    number = synthetic_resident_id(9_001)
    newcomer = NewParty(PartyKind.PERSON, "湛江某人", number, "440881", owner.public_key, proof=proof)
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    file = tmp_path / "withdrawal.json"
    file.write_text(json.dumps({"entry": {"type": "withdrawal", "party": row.id}}), "utf-8")
    refused = run(persons, "sign", str(file), "--json")
    error = json.loads(refused.stdout)
    assert (refused.exit_code, error["error"]) == (2, "KEY_NOT_HELD")
    assert "give the key file with --key" in error["hint"]
