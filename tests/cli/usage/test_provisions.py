"""``pingzheng provision``: a provider answers tasks online, offline and by hand, and a clerk confirms a party id that
is new to the provider.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from ledger.demo.forgeries import under_second_id
from ledger.provider.task import TaskList, parse_tasks
from tests.cli.provider_machine import ProviderMachine, written
from tests.support.actors.pilots import ROWS
from tests.support.actors.providers import NAME, Files, Town
from tests.support.actors.signing_in import token_of


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("PINGZHENG_API_KEY", "PINGZHENG_RECORDS", "PINGZHENG_SOURCES"):
        monkeypatch.delenv(variable, raising=False)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["provision", *arguments])


def printed(*arguments: str, code: int = 0) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_a_provider_can_answer_over_http(town: Town, service: str) -> None:
    machine = ProviderMachine(town, "1", "2")
    key = written(town.folder / "api.key", token_of(town.ledger, town.party) + "\n")
    online = (
        "run",
        town.party,
        "--sources",
        machine.sources,
        "--key",
        machine.key,
        "--service",
        service,
        "--api-key",
        key,
    )
    assert printed(*online) == {"answered": {"supplied": 2}, "not_supplied": [], "left": []}
    assert printed(*online) == {"answered": {}, "not_supplied": [], "left": []}
    assert all(town.verified(town.certified(consent)).valid for consent in machine.consents)


def test_the_api_key_can_come_from_the_environment(town: Town, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = ProviderMachine(town, "3")
    online = ("run", town.party, "--sources", machine.sources, "--key", machine.key, "--service", service)
    assert printed(*online, code=2)["error"] == "SESSION_MISSING"
    monkeypatch.setenv("PINGZHENG_API_KEY", token_of(town.ledger, town.party))
    assert printed(*online)["answered"] == {"supplied": 1}


def test_a_provider_can_answer_within_the_operators_installation(town: Town) -> None:
    machine = ProviderMachine(town, "4")
    result = call("run", town.party, "--sources", machine.sources, "--key", machine.key, "--home", machine.home)
    assert result.exit_code == 0, result.output
    assert "提供 Answered" in result.stdout and "supplied" in result.stdout
    assert NAME not in result.output
    (row,) = town.provisions(machine.consents[0])
    assert row.result == "supplied"


def test_a_provider_name_that_is_no_party_id_is_refused_with_the_service_option(town: Town, service: str) -> None:
    machine = ProviderMachine(town, "5")
    online = ("--sources", machine.sources, "--key", machine.key, "--service", service, "--api-key", machine.key)
    assert printed("run", "91440881MA9X000384", *online, code=2)["error"] == "PROVIDER_ID_FORM"


def test_an_unanswered_task_is_printed_with_the_reason_and_the_exit_code_is_1(town: Town) -> None:
    machine = ProviderMachine(town, "6")
    text = machine.definition.read_text("utf-8").replace("name_column: name\n", "")
    written(machine.definition, text)
    at_home = ("run", town.party, "--sources", machine.sources, "--key", machine.key, "--home", machine.home)
    (left,) = printed(*at_home, code=1)["left"]
    assert (left["about"], left["code"]) == (f"authorization {machine.consents[0]}", "SOURCE_NAME_MISSING")
    assert "name_column" in left["hint"]
    shown = call(*at_home)
    assert shown.exit_code == 1 and "SOURCE_NAME_MISSING" in shown.stdout, shown.output


def test_the_reason_for_a_refusal_is_printed_with_the_line_of_the_bad_cell(town: Town) -> None:
    """The signed answer contains only the reason. The place of the bad cell is shown only to the provider's
    operator.
    """
    machine = ProviderMachine(town, "61")
    file = town.folder / "sources" / "statistics.csv"
    written(file, file.read_text("utf-8").replace(",14.0,", ",#REF!,"))
    printed("tasks", town.party, "--home", machine.home)
    answer = ("answer", "tasks.json", "--sources", machine.sources, "--key", machine.key)
    (refused,) = printed(*answer)["not_supplied"]
    assert refused == {
        "about": f"authorization {machine.consents[0]}",
        "result": "refused",
        "reason": "data_unusable",
        "message": "数据有误，无法提供。The record contains errors and cannot be supplied.",
        "where": "statistics.csv, line 2, column wage",
    }
    assert "line 2" not in Path("answers.json").read_text("utf-8")
    (again,) = printed("run", town.party, "--sources", machine.sources, "--key", machine.key, "--home", machine.home)[
        "not_supplied"
    ]
    assert (again["reason"], again["message"]) == (refused["reason"], refused["message"]), (
        "the same reason is sent to the platform"
    )


def test_the_reason_for_a_refusal_is_printed_in_chinese_and_english(town: Town) -> None:
    machine = ProviderMachine(town, "62")
    file = town.folder / "sources" / "statistics.csv"
    written(file, file.read_text("utf-8").replace(",14.0,", ",#REF!,"))
    shown = call("run", town.party, "--sources", machine.sources, "--key", machine.key, "--home", machine.home)
    assert shown.exit_code == 0, shown.output
    text = "".join(shown.stdout.replace("│", "").split())
    for part in ("未提供Not", "data_unusable", "数据有误", "cannot", "line2"):
        assert part in text, shown.stdout


SPOILT = {
    "a row without a key": (lambda lines: [lines[0], lines[1], "," + lines[2].partition(",")[2]], "SOURCE_KEY_DAMAGED"),
    "no row": (lambda lines: lines[:1], "SOURCE_EMPTY"),
    "semicolons": (lambda lines: [line.replace(",", ";") for line in lines], "SOURCE_SEPARATOR"),
}


@pytest.mark.parametrize(("spoil", "code"), SPOILT.values(), ids=SPOILT)
def test_no_answer_is_signed_if_a_source_file_is_damaged(
    town: Town, spoil: Callable[[list[str]], list[str]], code: str
) -> None:
    machine = ProviderMachine(town, "63")
    file = town.folder / "sources" / "statistics.csv"
    whole = file.read_text("utf-8")
    written(file, "\n".join(spoil(whole.splitlines())) + "\n")
    at_home = ("run", town.party, "--sources", machine.sources, "--key", machine.key, "--home", machine.home)
    found = printed(*at_home, code=1)
    assert (found["answered"], [left["code"] for left in found["left"]]) == ({}, [code])
    assert town.provisions(machine.consents[0]) == []
    written(file, whole)
    assert printed(*at_home)["answered"] == {"supplied": 1}


def test_an_offline_provider_can_answer_with_files(town: Town) -> None:
    machine = ProviderMachine(town, "7", "8")
    tasks = town.folder / "tasks.json"
    assert printed("tasks", town.party, "--out", str(tasks), "--home", machine.home)["tasks"] == 2
    assert stat.S_IMODE(tasks.stat().st_mode) == 0o600, "the file holds the identifiers of subjects"
    answer = ("answer", str(tasks), "--sources", machine.sources, "--key", machine.key)
    first = printed(*answer)
    assert (first["answered"], first["answers"], first["left"]) == ({"supplied": 2}, 2, [])
    answers = Path("answers.json").read_bytes()
    assert stat.S_IMODE(Path("answers.json").stat().st_mode) == 0o600
    assert b'"emp"' not in answers and b"rows" not in answers
    printed(*answer)
    assert Path("answers.json").read_bytes() == answers, "the repeated command writes the same answers"
    assert printed("submit", "answers.json", "--home", machine.home)["received"] == 2
    assert printed("submit", "answers.json", "--home", machine.home)["received"] == 2
    assert printed("received", "receipt.json") == {"settled": 2, "waiting": 0}
    assert all(town.verified(town.certified(consent)).valid for consent in machine.consents)


def test_an_offline_correction_is_signed_only_if_the_command_names_the_authorization(town: Town) -> None:
    machine = ProviderMachine(town, "9")
    (consent,) = machine.consents
    town.go_round(Files(rows=({**ROWS[0], "wage": "9.0"},)))
    number = town.certified(consent)
    printed("tasks", town.party, "--authorization", consent, "--home", machine.home)
    records = ("--records", str(town.folder / "records"))
    answer = ("answer", "tasks.json", "--sources", machine.sources, "--key", machine.key, *records)
    assert [left["code"] for left in printed(*answer, code=1)["left"]] == ["CORRECTION_NOT_MEANT"]
    assert printed(*answer, "--authorization", consent)["answers"] == 1
    assert printed("submit", "answers.json", "--home", machine.home)["received"] == 1
    failed = town.verified(number).first_failure
    assert failed is not None and failed.code == "PROVISION_WITHDRAWN"


BY_HAND = {
    "rows": (("--rows", "rows.csv", "--as-of", "1984-12-31", "--name-column", "name"), "supplied"),
    "refusal": (("--refuse", "disputed"), "refused"),
    "nothing": (("--no-data",), "no_data"),
}


@pytest.mark.parametrize(("options", "result"), BY_HAND.values(), ids=BY_HAND)
def test_a_clerk_can_answer_one_task_by_hand(town: Town, options: tuple[str, ...], result: str) -> None:
    machine = ProviderMachine(town, "10", "11")
    head = ",".join([*ROWS[0], "name", "phone"])
    lines = [",".join([*row.values(), NAME, "13800000000"]) for row in ROWS]
    written(town.folder / "rows.csv", "\n".join([head, *lines]) + "\n")
    printed("tasks", town.party, "--home", machine.home)
    answer = ("answer", "tasks.json", "--key", machine.key, *options)
    assert printed(*answer, code=2)["error"] == "ANSWER_AMBIGUOUS"
    assert printed(*answer, "--authorization", machine.consents[0])["answered"] == {result: 1}
    assert printed("submit", "answers.json", "--home", machine.home)["received"] == 1
    assert [row.result for row in town.provisions(machine.consents[0])] == [result]
    assert town.provisions(machine.consents[1]) == []


WRONG = {
    "no answer": ((), "ANSWER_AMBIGUOUS"),
    "two answers": (("--no-data", "--refuse", "disputed"), "ANSWER_AMBIGUOUS"),
    "no such task": (("--no-data", "--authorization", "01K" + "0" * 23), "ANSWER_AMBIGUOUS"),
    "no file": (("--rows", "none.csv"), None),
    "an unknown reason": (("--refuse", "because"), None),
    "half a node": (("--no-data", "--rpc-url", "http://127.0.0.1:9"), "NODE_INCOMPLETE"),
}


@pytest.mark.parametrize(("options", "code"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_an_answer_given_by_hand_is_reported(
    town: Town, options: tuple[str, ...], code: str | None
) -> None:
    """A mistake in the options stops the whole command. A mistake in an answer is reported for its task only."""
    machine = ProviderMachine(town, "12")
    printed("tasks", town.party, "--home", machine.home)
    answer = ("answer", "tasks.json", "--key", machine.key, *options)
    if code is not None:
        assert printed(*answer, code=2)["error"] == code
        return
    (left,) = printed(*answer, code=1)["left"]
    assert left["code"] in ("FILE_MISSING", "REASON_UNKNOWN")


def test_the_receipt_lists_refused_answers(town: Town) -> None:
    machine = ProviderMachine(town, "13", "14")
    printed("tasks", town.party, "--home", machine.home)
    printed("answer", "tasks.json", "--sources", machine.sources, "--key", machine.key)
    town.ledger.usage.requests.cancel(town.ledger.usage.authorizations.get(machine.consents[0]).request_id)
    submitted = printed("submit", "answers.json", "--home", machine.home)
    assert (submitted["received"], submitted["refused"]) == (1, ["REQUEST_NOT_AUTHORIZED"])
    assert printed("received", "receipt.json") == {"settled": 2, "waiting": 0}


def test_the_clerk_confirms_a_new_party_id(town: Town) -> None:
    """A dishonest platform made a second party id for the subject's identifier, with keys of the platform. The provider
    can reach no node of the chain to check the new id, so it answers only after the clerk has confirmed the id.
    """
    machine = ProviderMachine(town, "15")
    printed("tasks", town.party, "--home", machine.home)
    answer = ("answer", "tasks.json", "--sources", machine.sources, "--key", machine.key)
    printed(*answer)
    assert printed("confirm") == []
    (task,) = parse_tasks(Path("tasks.json").read_bytes()).tasks
    second = under_second_id(task)
    Path("tasks.json").write_bytes(TaskList((second,), ()).to_bytes())
    assert [left["code"] for left in printed(*answer, code=1)["left"]] == ["SUBJECT_CHANGED"]
    (waiting,) = printed("confirm")
    assert (waiting["party"], waiting["before"]) == (second.subject, task.subject)
    assert waiting["identifier"] == task.opening.identifier
    assert printed("confirm", "ab" * 32, code=2)["error"] == "PARTY_NOT_WAITING"
    assert printed("confirm", second.subject)["confirmed"]
    assert printed(*answer)["answered"] == {"supplied": 1}
