"""Statements and databases of one ledger are refused by another ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.demo.actors import NOTE
from ledger.errors import InvalidInput, Misconfigured
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.rulebooks.templates import template_reference
from ledger.store.tables import LedgerIdentity
from ledger.usage.requests import Asked
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.department import department
from tests.support.actors.pilots import SUPPLIED, Pilot
from tests.support.actors.withdrawals import signed_withdrawal

ELSEWHERE = "e" * 64


def elsewhere(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the statement that names another ledger; all other members stay correct."""
    return {**entry, "ledger": ELSEWHERE}


def handed_in(pilot: Pilot) -> dict[str, Callable[[], object]]:
    """Return a call for each type of statement. Each submits a statement that its party signed for another ledger."""
    ledger, actors, cast, firm = pilot.ledger, pilot.actors, pilot.cast, pilot.firm()
    asked = ledger.usage.requests.draft(actors.request(firm), NOTE)
    (request,) = actors.ask([actors.request(firm)])
    (consent,) = ledger.usage.authorizations.draft(request)
    given = pilot.authorise(pilot.firm())
    supply = actors.draft(given, SUPPLIED)
    withdrawal = signed_withdrawal(actors, given)
    subject = ledger.usage.authorizations.get(given).subject
    office, code = department(ledger, cast), f"ledgers-{firm}"
    office.put(code)
    ledger.catalogue.data.submit(office.provider, code)
    publication = ledger.catalogue.publications.draft(office.cdo, code)

    def signed(party: str, entry: dict[str, Any]) -> dict[str, Any]:
        return actors.sign(party, elsewhere(entry))

    return {
        "request": lambda: ledger.usage.requests.submit([Asked(signed(cast.bank, asked.entry), asked.note)]),
        "authorization": lambda: ledger.usage.authorizations.submit([signed(cast.firms[firm], consent.entry)]),
        "provision": lambda: ledger.usage.provisions.submit(
            [replace(supply, entry=signed(cast.provider, supply.entry))]
        ),
        "withdrawal": lambda: ledger.usage.withdrawals.withdraw(signed(subject, withdrawal.entry), withdrawal.act),
        "publication": lambda: ledger.catalogue.publications.sign(office.cdo, signed(office.cdo.party, publication)),
    }


@pytest.mark.parametrize("kind", ["request", "authorization", "provision", "withdrawal", "publication"])
def test_a_statement_signed_for_another_ledger_is_refused(pilot: Pilot, kind: str) -> None:
    with pytest.raises(InvalidInput, match="LEDGER_DIFFERS") as refused:
        handed_in(pilot)[kind]()
    assert refused.value.details == {"expected": pilot.ledger.reader.chain.ledger, "found": ELSEWHERE}


def test_a_request_cannot_name_the_template_of_another_ledger(pilot: Pilot) -> None:
    ledger, scenario = pilot.ledger, pilot.ledger.scenarios.get(SCENARIO)
    asked = ledger.usage.requests.draft(pilot.actors.request(pilot.firm()), NOTE)
    named = {"template": template_reference(scenario, ELSEWHERE)}
    assert named["template"] != asked.entry["template"]
    with pytest.raises(InvalidInput, match="TEMPLATE_NOT_IN_FORCE"):
        ledger.usage.requests.submit([Asked(pilot.actors.sign(pilot.cast.bank, asked.entry | named), asked.note)])


@pytest.fixture(scope="module")
def copied(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a copy of a running ledger's database."""
    path = tmp_path_factory.mktemp("copied") / "ledger.db"
    with sqlite3.connect(ledger.settings.home / "ledger.db") as database:
        database.execute("VACUUM INTO ?", (str(path),))
    return path


def parties(path: Path) -> int:
    with sqlite3.connect(path) as database:
        return int(database.execute("SELECT count(*) FROM party").fetchone()[0])


def test_the_database_of_one_ledger_is_refused_in_the_folder_of_another_ledger(copied: Path, tmp_path: Path) -> None:
    with create_ledger(Settings(home=tmp_path)) as other:
        found = other.reader.chain.ledger
    before = parties(copied)
    with pytest.raises(Misconfigured, match="LEDGER_DIFFERS") as refused:
        open_ledger(Settings(home=tmp_path, database_url=f"sqlite:///{copied}")).__enter__()
    assert refused.value.details["found"] == found != refused.value.details["expected"]
    assert parties(copied) == before > 0


def test_a_database_gets_no_second_set_of_contracts(copied: Path, tmp_path: Path) -> None:
    before = parties(copied)
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING"):
        create_ledger(Settings(home=tmp_path, database_url=f"sqlite:///{copied}")).__enter__()
    assert parties(copied) == before
    assert not (tmp_path / "deployment.json").exists()


def test_the_service_is_ready_only_if_database_deployment_and_chain_are_one_ledger(pilot: Pilot) -> None:
    ledger = pilot.ledger
    digest = ledger.reader.chain.ledger
    assert ledger.inspection.readiness()["ledger"] == {"ok": True, "digest": digest}
    with ledger.database.write() as session:
        session.get_one(LedgerIdentity, digest).digest = ELSEWHERE
    try:
        assert ledger.inspection.readiness()["ledger"] == {"ok": False, "code": "LEDGER_DIFFERS"}
    finally:
        with ledger.database.write() as session:
            session.get_one(LedgerIdentity, ELSEWHERE).digest = digest
