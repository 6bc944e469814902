"""Commands accept the id, USCC or name of a party, refuse other texts, and import lists of firms from tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from ledger.demo.data.cast import assemble
from ledger.domain.codes import synthetic_resident_id, synthetic_uscc, uscc_check
from ledger.domain.parties import PartyKind
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.parties.newcomers import NewParty

BANK = "湛江第一银行（演示） First Bank of Zhanjiang (demo)"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("naming"), delay=0)) as opened:
        assemble(opened, ["1"])
        yield opened


def run(ledger: Ledger, *arguments: str) -> Result:
    command = [*arguments, "--home", str(ledger.settings.home)]
    return CliRunner().invoke(app, command, env={"COLUMNS": "300"}, catch_exceptions=False)


def answer(ledger: Ledger, *arguments: str, code: int = 0) -> Any:
    result = run(ledger, *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def uscc_of(ledger: Ledger, name: str) -> str:
    return ledger.parties.directory.named(name).uscc


@pytest.mark.parametrize(
    "typed",
    [BANK, BANK.upper(), " 湛江第一银行(演示) First  Bank of Zhanjiang (demo) "],
    ids=["whole", "case", "width"],
)
def test_an_institution_can_be_given_by_its_name_or_uscc_or_id(ledger: Ledger, typed: str) -> None:
    by_name = answer(ledger, "party", "show", typed)
    assert (by_name["name"], by_name["uscc"]) == (BANK, uscc_of(ledger, BANK))
    assert answer(ledger, "party", "show", by_name["uscc"]) == by_name == answer(ledger, "party", "show", by_name["id"])
    assert answer(ledger, "request", "list", typed) == []


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("91440802MA9X00011A", "USCC_CHECK_DIGIT"),
        ("9144080", "PARTY_FORM"),
        ("9f" * 31, "PARTY_FORM"),
        ("9F" * 32, "PARTY_FORM"),
        ("9f8e7d6c5b4a…", "PARTY_FORM"),
        ("湛江没有的银行", "PARTY_UNKNOWN"),
        (synthetic_uscc("440803", 7_777), "PARTY_UNKNOWN"),
        (synthetic_resident_id(7), "ID_NUMBER_ARGUMENT"),
    ],
)
def test_a_text_that_names_no_party_is_refused_with_the_reason(ledger: Ledger, typed: str, error: str) -> None:
    assert answer(ledger, "party", "show", typed, code=2)["error"] == error
    assert answer(ledger, "certificate", "list", "--party", typed, code=2)["error"] == error


def test_an_ambiguous_name_is_refused(ledger: Ledger) -> None:
    pair = [
        NewParty(PartyKind.ENTERPRISE, "同名公司", synthetic_uscc("440803", serial), "440803", key)
        for serial, key in zip((501, 502), map(ledger.custody.public_key, ledger.custody.create(2)), strict=True)
    ]
    rows = ledger.parties.onboarding.onboard(ledger.authority, pair)
    refused = answer(ledger, "party", "show", "同名公司", code=2)
    assert refused["error"] == "PARTY_NAME_AMBIGUOUS"
    assert all(row.id in refused["hint"] for row in rows)


def test_a_person_is_not_found_or_shown_by_name(ledger: Ledger) -> None:
    key = ledger.custody.public_key(*ledger.custody.create())
    (row,) = ledger.parties.onboarding.onboard(
        ledger.authority, [NewParty(PartyKind.PERSON, "湛江某人", synthetic_resident_id(8), "440803", key)]
    )
    assert answer(ledger, "party", "show", "湛江某人", code=2)["error"] == "PARTY_UNKNOWN"
    shown = answer(ledger, "party", "show", row.id)
    assert (shown["name"], shown["uscc"]) == (None, None)
    assert "湛江某人" not in run(ledger, "party", "list", "--limit", "1000").stdout


def firms(count: int, first: int) -> list[tuple[str, str]]:
    return [(f"湛江试点企业{number}", synthetic_uscc("440803", number)) for number in range(first, first + count)]


def test_fifty_firms_are_imported_from_an_excel_table_with_new_keys(ledger: Ledger, tmp_path: Path) -> None:
    listed, book = firms(50, 600), openpyxl.Workbook()
    book.active.append(["name", "identifier"])
    for row in listed:
        book.active.append(list(row))
    book.save(tmp_path / "firms.xlsx")
    options = ("--kind", "enterprise", "--region", "440803", "--make-keys")
    made = answer(ledger, "party", "import", str(tmp_path / "firms.xlsx"), *options)
    assert [(each["line"], each["name"], each["uscc"]) for each in made] == [
        (line, *firm) for line, firm in enumerate(listed, start=2)
    ]
    assert all(each["no"] and each["account"] for each in made)
    assert len({each["account"] for each in made}) == 50
    # Importing the same table again keeps the parties and their keys.
    again = answer(ledger, "party", "import", str(tmp_path / "firms.xlsx"), *options)
    assert again == made


def test_an_incomplete_row_of_a_csv_file_is_reported(ledger: Ledger, tmp_path: Path) -> None:
    (name, uscc), (other, number) = firms(2, 700)
    file = tmp_path / "firms.csv"
    file.write_bytes(f"kind,name,identifier,region\nenterprise,{name},{uscc},440803\n".encode("gb18030"))
    (made,) = answer(ledger, "party", "import", str(file), "--make-keys", "--encoding", "gb18030")
    assert (made["line"], made["name"], made["uscc"]) == (2, name, uscc)
    file.write_text(f"kind,name,identifier,region\nenterprise,{name},{uscc},440803\nenterprise,{other},{number},\n")
    refused = answer(ledger, "party", "import", str(file), "--make-keys", code=2)
    assert (refused["error"], refused["where"]) == ("CSV_COLUMN_MISSING", "firms.csv, line 3")
    assert answer(ledger, "party", "show", number, code=2)["error"] == "PARTY_UNKNOWN"
    assert answer(ledger, "party", "import", str(file), code=2)["error"] == "CSV_COLUMN_MISSING"
    file.write_text(
        f"kind,name,identifier,region\nenterprise,{name},{uscc},440803\nenterprise,{other},{number[:-1]}I,440803\n"
    )
    wrong = answer(ledger, "party", "import", str(file), "--make-keys", code=2)
    assert (wrong["error"], wrong["where"]) == ("USCC_SYMBOL", "firms.csv, line 3")


def test_an_invalid_organisation_code_gives_a_warning_with_the_line(ledger: Ledger, tmp_path: Path) -> None:
    (name, uscc), (other, good) = firms(2, 720)
    body = uscc[:16] + ("0" if uscc[16] != "0" else "1")
    file = tmp_path / "firms.csv"
    rows = f"enterprise,{other},{good},440803\nenterprise,{name},{body + uscc_check(body)},440803\n"
    file.write_text(f"kind,name,identifier,region\n{rows}")
    done = run(ledger, "party", "import", str(file), "--make-keys", "--json")
    assert (done.exit_code, len(json.loads(done.stdout))) == (0, 2)
    assert done.stderr.count("ORGANISATION_CODE") == 1 and "firms.csv, line 3" in done.stderr


def test_the_verify_command_accepts_the_consumers_uscc_or_name(ledger: Ledger, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_text("{}")
    for typed in (BANK, uscc_of(ledger, BANK), ledger.parties.directory.named(BANK).party):
        # The error is about the file, which is not a bundle. So the command has already found the consumer.
        judged = run(ledger, "verify", str(bundle), "--consumer", typed, "--json")
        assert judged.exit_code == 1 and "error" not in json.loads(judged.stdout)
    for typed, error in (("9144080", "PARTY_FORM"), ("湛江没有的银行", "PARTY_UNKNOWN")):
        assert answer(ledger, "verify", str(bundle), "--consumer", typed, code=2)["error"] == error
    nowhere = [
        "verify",
        str(bundle),
        "--consumer",
        BANK,
        "--facts",
        str(bundle),
        "--home",
        str(tmp_path / "none"),
        "--json",
    ]
    refused = CliRunner().invoke(app, nowhere)
    assert (refused.exit_code, json.loads(refused.stdout)["error"]) == (2, "PARTY_FORM")
