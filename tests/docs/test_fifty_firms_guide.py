"""Twelve firms in one workbook with Chinese headings get certificates. The test uses only the guide's commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.usage.authorizations import Authorizations
from tests.docs.documents import blocks
from tests.support.places import GUIDES

FIRMS = [(f"湛江名单企业{number}", synthetic_uscc("440803", number)) for number in range(7_000, 7_012)]
HEADINGS = ["企业名称", " 统一社会 信用代码", "类别", "行政区划"]
BANK, GRID = ("湛江名单银行", synthetic_uscc("440881", 7_100)), ("湛江名单供电", synthetic_uscc("440803", 7_101))
# The requests that are not from the workbook name this provider, so that GRID has only the tasks of the workbook.
OTHER_GRID = ("湛江名单另一供电", synthetic_uscc("440803", 7_102))
DIGEST = f"sha-256:{'d2' * 32}"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("list") / "var", delay=0)) as made:
        folder = made.settings.home.parent
        for kind, (name, uscc) in (("bank", BANK), ("utility", GRID), ("utility", OTHER_GRID)):
            (folder / "party.json").write_text(json.dumps({"name": name, "identifier": uscc}))
            answer(made, "party", "add", "--kind", kind, "--region", "440803", "--file", str(folder / "party.json"))
        answer(made, "party", "accredit", "platform", "S01", "--last-day", "2030-12-31")
        (folder / "note.json").write_text(json.dumps({"contact": "信贷部"}))
        yield made


def run(ledger: Ledger, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(ledger.settings.home)], catch_exceptions=False)


def answer(ledger: Ledger, *arguments: str, code: int = 0) -> Any:
    result = run(ledger, *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def workbook(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    book = openpyxl.Workbook()
    for row in [HEADINGS, *rows]:
        book.active.append(list(row))
    book.save(path)
    return path


def asked(ledger: Ledger, file: Path, grid: tuple[str, str]) -> list[dict[str, Any]]:
    note = ledger.settings.home.parent / "note.json"
    options = ["--scenario", "S01", "--consumer", BANK[0], "--source", f"electricity={grid[0]}", "--note", str(note)]
    rows: list[dict[str, Any]] = answer(ledger, "request", "import", str(file), *options)
    return rows


def new_requests(ledger: Ledger, folder: Path, first: int, count: int) -> list[str]:
    """Make ``count`` requests, each to a new firm whose key the installation keeps; return the ids of the requests."""
    firms = [(f"湛江新增企业{number}", synthetic_uscc("440803", number)) for number in range(first, first + count)]
    file = workbook(folder / "more.xlsx", [(*firm, "enterprise", "440803") for firm in firms])
    answer(ledger, "party", "import", str(file), "--make-keys")
    return [row["request"] for row in asked(ledger, file, OTHER_GRID)]


def sources(folder: Path) -> Path:
    """Write the source file of the grid company as the guide shows it, with a row for each firm, and return
    its folder.
    """
    text = {block.name: block.body for block in blocks(GUIDES / "fifty-firms.md")}
    (folder / "electricity.yaml").write_text(text["electricity.yaml"], "utf-8")
    head = text["monthly_use.csv"].splitlines()[0]
    rows = [f"{uscc},{name},202603,48210,yes,no,202401,{DIGEST}" for name, uscc in FIRMS]
    (folder / "monthly_use.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return folder


def test_a_workbook_with_chinese_headings_leads_to_a_certificate_for_each_firm(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(*firm, "enterprise", "440803") for firm in FIRMS]
    bad = workbook(tmp_path / "firms.xlsx", [*rows, ("湛江错码企业", f"{FIRMS[0][1][:-1]}I", "enterprise", "440803")])
    refused = answer(ledger, "party", "import", str(bad), "--make-keys", code=2)
    assert (refused["error"], refused["where"]) == ("USCC_SYMBOL", "firms.xlsx, line 14")
    assert answer(ledger, "party", "show", FIRMS[0][1], code=2)["error"] == "PARTY_UNKNOWN"

    file = workbook(tmp_path / "firms.xlsx", rows)
    made = answer(ledger, "party", "import", str(file), "--make-keys")
    assert [(row["line"], row["name"], row["uscc"]) for row in made] == [
        (line, *firm) for line, firm in enumerate(FIRMS, start=2)
    ]
    requests = [row["request"] for row in asked(ledger, file, GRID)]

    given = answer(ledger, "consent", "give", "--all", "--yes")
    assert [(row["request"], row["name"], row["outcome"], row["code"]) for row in given] == [
        (request, name, "given", None) for request, (name, _) in zip(requests, FIRMS, strict=True)
    ]
    assert answer(ledger, "consent", "give", "--all", "--yes") == []
    again = answer(ledger, "consent", "give", *requests[:2], "--yes")
    assert [row["outcome"] for row in again] == ["given_before"] * 2

    answered = answer(ledger, "provision", "run", GRID[0], "--sources", str(sources(tmp_path)))
    assert answered == {"answered": {"supplied": 12}, "not_supplied": [], "left": []}
    issued = answer(ledger, "certificate", "issue", "--all-ready")
    assert {(row["name"], row["code"]) for row in issued} == {(name, None) for name, _ in FIRMS}
    listed = answer(ledger, "certificate", "list", "--scenario", "S01")
    assert {row["certificate_no"] for row in listed} == {row["certificate_no"] for row in issued}
    assert {row["state"] for row in listed} == {"active"}


def test_a_request_is_shown_and_signed_only_after_confirmation(ledger: Ledger, tmp_path: Path) -> None:
    one, other = new_requests(ledger, tmp_path, 7_200, 2)
    refused = run(ledger, "consent", "give", one)
    assert refused.exit_code == 2 and "CONSENT_NOT_CONFIRMED" in refused.output
    # For a single request the command shows the whole notice. For several requests it shows one line for each request.
    assert "您可以随时撤回" in refused.stdout and BANK[0] in refused.stdout
    several = run(ledger, "consent", "give", one, other)
    assert several.stdout.count(f"→ {BANK[0]}：S01") == 2 and "您可以随时撤回" not in several.stdout
    assert answer(ledger, "consent", "give", code=2)["error"] == "REQUESTS_OR_ALL"
    assert answer(ledger, "consent", "give", one, "--all", code=2)["error"] == "REQUESTS_OR_ALL"
    assert {ledger.usage.requests.get(each).state for each in (one, other)} == {"sent"}
    # A consent may cover fewer fields and days than requested, but not more.
    beyond = answer(ledger, "consent", "give", one, "--fields", "kwh", "--yes", code=1)
    assert (beyond[0]["outcome"], beyond[0]["code"]) == ("refused", "FIELD_OUTSIDE_REQUEST")
    answer(ledger, "consent", "give", one, "--fields", "usage_band", "--days", "3", "--yes")
    (consent,) = ledger.usage.authorizations.of_request(one)
    assert [kind["name"] for kind in ledger.usage.authorizations.notice(consent.id)["kinds"]] == ["usage_band"]
    assert answer(ledger, "request", "decline", other, code=2)["error"] == "PARTY_LACKS_ROLE"
    answer(ledger, "request", "decline", other, "--by", ledger.usage.requests.get(other).subject)
    declined = answer(ledger, "consent", "give", other, "--yes", code=1)
    assert (declined[0]["outcome"], declined[0]["code"]) == ("refused", "REQUEST_ANSWERED")


def test_only_the_firm_itself_can_sign_with_a_key_that_it_keeps(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, kept = new_requests(ledger, tmp_path, 7_300, 2)
    account = ledger.parties.register.get(ledger.usage.requests.get(own).subject).account
    custody = type(ledger.custody)
    holds = custody.__contains__
    monkeypatch.setattr(custody, "__contains__", lambda self, each: each != account and holds(self, each))
    rows = answer(ledger, "consent", "give", "--all", "--yes")
    assert {row["request"]: row["outcome"] for row in rows} == {own: "no_key", kept: "given"}
    (row,) = answer(ledger, "consent", "give", own, "--yes", code=1)
    assert (row["outcome"], row["code"]) == ("no_key", "KEY_NOT_HELD")
    monkeypatch.undo()
    answer(ledger, "consent", "give", own, "--yes")


def test_the_next_run_of_an_interrupted_command_continues_where_the_command_stopped(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = new_requests(ledger, tmp_path, 7_400, 3)
    submit, calls = Authorizations.submit, iter(range(9))

    def interrupted(self: Authorizations, entries: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return submit(self, entries)

    monkeypatch.setattr(Authorizations, "submit", interrupted)
    rows = answer(ledger, "consent", "give", *requests, "--yes", code=130)
    assert [row["outcome"] for row in rows] == ["given", "not_reached", "not_reached"]
    rows = answer(ledger, "consent", "give", *requests, "--yes")
    assert [row["outcome"] for row in rows] == ["given_before", "given", "given"]


def test_the_sign_command_without_a_key_file_uses_the_partys_stored_key(ledger: Ledger, tmp_path: Path) -> None:
    (request,) = new_requests(ledger, tmp_path, 7_500, 1)
    file = tmp_path / "authorization.json"
    answer(ledger, "consent", "draft", request, "--by", ledger.usage.requests.get(request).subject, "--out", str(file))
    signed = answer(ledger, "sign", str(file))
    assert signed["presented_with"] == "this key"
    (row,) = answer(ledger, "consent", "submit", str(file))
    assert (row["request"], row["state"]) == (request, "active")
    file.write_text(json.dumps({"entry": {"type": "template"}}))
    assert answer(ledger, "sign", str(file), code=2)["error"] == "STATEMENT_SIGNER_UNKNOWN"


def test_a_file_with_two_headings_for_the_same_column_is_refused_with_the_line(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "firms.csv"
    file.write_text(f"企业名称,单位名称,USCC\n甲,乙,{FIRMS[0][1]}\n")
    refused = answer(ledger, "party", "import", str(file), code=2)
    assert (refused["error"], refused["where"]) == ("HEADING_TWICE", "firms.csv, line 1")
    # Blank lines are counted too, so that the line numbers are those of the spreadsheet.
    file.write_text(f"姓名,USCC\n\n甲,{FIRMS[0][1]}\n,\n乙,{FIRMS[1][1][:-1]}\n")
    options = ("--kind", "enterprise", "--region", "440803", "--make-keys")
    assert answer(ledger, "party", "import", str(file), *options, code=2)["where"] == "firms.csv, line 5"
