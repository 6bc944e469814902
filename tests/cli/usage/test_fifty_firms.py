"""Fifty firms of one list get certificates with three commands: onboard the firms, send requests, issue
certificates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.credit_bureau import SCENARIO, SOURCE
from tests.support.actors.pilots import SUPPLIED, Pilot, assembled

FIRMS = [(f"湛江试点企业{number}", synthetic_uscc("440803", number)) for number in range(6_000, 6_050)]


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("fifty"), delay=0)) as ledger:
        yield assembled(ledger)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a list of firms as a department keeps it: names and codes."""
    path, book = tmp_path_factory.mktemp("list") / "firms.xlsx", openpyxl.Workbook()
    book.active.append(["name", "identifier"])
    for firm in FIRMS:
        book.active.append(list(firm))
    book.save(path)
    return path


def printed(pilot: Pilot, *arguments: str, code: int = 0) -> Any:
    command = [*arguments, "--home", str(pilot.ledger.settings.home), "--json"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def asking(pilot: Pilot, listed: Path, folder: Path) -> list[str]:
    (folder / "note.json").write_text(json.dumps({"contact": "Credit department"}))
    bank = pilot.ledger.parties.directory.of([pilot.cast.bank])[pilot.cast.bank].name
    source = f"{SOURCE}={pilot.cast.provider}"
    options = ["--scenario", SCENARIO, "--consumer", bank, "--source", source, "--note", str(folder / "note.json")]
    return ["request", "import", str(listed), *options]


def test_one_list_of_firms_leads_to_a_certificate_for_each_listed_firm(
    pilot: Pilot, listed: Path, tmp_path: Path
) -> None:
    options = ("--kind", "enterprise", "--region", "440803", "--make-keys")
    parties = printed(pilot, "party", "import", str(listed), *options)
    asked = printed(pilot, *asking(pilot, listed, tmp_path))
    assert [(row["line"], row["name"], row["uscc"]) for row in asked] == [
        (line, *firm) for line, firm in enumerate(FIRMS, start=2)
    ]
    assert [row["subject"] for row in asked] == [row["id"] for row in parties]
    again = printed(pilot, *asking(pilot, listed, tmp_path))
    assert again == [row | {"asked_before": True} for row in asked]

    # Two requests are not ready: the last firm does not consent, and for the firm before it the provider does not
    # answer.
    consents = pilot.actors.agree([row["request"] for row in asked[:-1]])
    pilot.actors.answer({consent.id: SUPPLIED for consent in consents[:-1]})
    issued = printed(pilot, "certificate", "issue", "--all-ready")
    assert {(row["request"], row["name"], row["uscc"], row["code"]) for row in issued} == {
        (row["request"], row["name"], row["uscc"], None) for row in asked[:-2]
    }
    states = [pilot.ledger.verification.status(row["certificate_no"])["state"] for row in issued]
    assert states == ["active"] * 48
    assert printed(pilot, "certificate", "issue", "--all-ready") == []
    assert printed(pilot, "certificate", "issue", code=2)["error"] == "REQUEST_OR_ALL"


def test_the_issue_command_issues_all_certificates_except_those_that_are_refused(pilot: Pilot) -> None:
    firms = [pilot.firm() for _ in range(3)]
    consents = {firm: pilot.authorise(firm) for firm in firms}
    for firm, consent in consents.items():
        pilot.supply(firm, consent)
    held = pilot.ledger.usage.authorizations.get(consents[firms[1]])
    pilot.ledger.certificates.holds.hold_statements([held.digest], "investigation", pilot.cast.supervisor)
    issued = {row["request"]: row["code"] for row in printed(pilot, "certificate", "issue", "--all-ready", code=1)}
    requests = [pilot.ledger.usage.authorizations.get(consents[firm]).request_id for firm in firms]
    assert [issued[request] for request in requests] == [None, "AUTHORIZATION_HELD", None]
    # The request that cannot be issued is cancelled, because the other tests of this file issue all requests that are
    # ready.
    pilot.ledger.usage.requests.cancel(requests[1])


def test_no_request_is_sent_if_a_line_of_the_list_names_an_unknown_subject(pilot: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "firms.csv"
    firm = pilot.cast.firms[pilot.firm()]
    for row, error in (("湛江没有的企业", "PARTY_UNKNOWN"), ("9144080", "PARTY_FORM"), ("", "SUBJECT_MISSING")):
        file.write_text(f"party,remark\n{firm},a\n{row},b\n")
        refused = printed(pilot, *asking(pilot, file, tmp_path), code=2)
        assert (refused["error"], refused["where"]) == (error, "firms.csv, line 3")
    assert firm not in pilot.ledger.usage.requests.open_of(pilot.cast.bank, SCENARIO)
