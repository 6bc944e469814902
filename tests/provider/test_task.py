"""Tasks and answers as files. A file that does not have exactly the required form is refused, and the error names the
wrong place in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.canonical import canonical
from ledger.domain.entries import erasure_entry
from ledger.errors import InvalidInput
from ledger.provider.supply import Receipt, Supply, answers_to_bytes, parse_answers, parse_receipt
from ledger.provider.task import MAX_TASK_BYTES, TaskList, parse_task, parse_tasks
from tests.provider.stage import AT, BANK, CHAIN, FIRM, FIRST, Source, Stage, provider_at, ulid

TASK = Stage().task()
ERASURE = erasure_entry(ledger=CHAIN.ledger, id=ulid(7), subject=FIRST.id, by=BANK, targets=[], reason="court", iat=AT)


def test_a_task_is_unchanged_after_serialising_and_parsing() -> None:
    assert parse_task(canonical(TASK.to_dict())) == TASK
    listed = TaskList((TASK, Stage(number=2).task(corrects="sha-256:" + "ab" * 32)), (ERASURE,))
    assert parse_tasks(listed.to_bytes()) == listed


def test_the_repr_of_a_task_does_not_show_the_subject() -> None:
    assert FIRM not in repr(TASK) and FIRST.id_key not in repr(TASK)


Change = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Change, str]] = {
    "another format": (lambda task: task.update(format="pingzheng-task/2"), "task.format"),
    "a member more": (lambda task: task.update(rows=[]), "task"),
    "a member less": (lambda task: task.pop("corrects"), "task"),
    "a template for the request": (lambda task: task.update(request=task["template"]), "task.request"),
    "no entry": (lambda task: task.update(authorization="e30"), "task.authorization"),
    "a chain of seven values": (lambda task: task["chain"].pop("origin"), "task.chain"),
    "an address in capitals": (lambda task: task["chain"].update(forwarder="0x" + "C0" * 20), "task.chain.forwarder"),
    "three keys": (lambda task: task["keys"].update({"0x" + "1" * 40: {}}), "task.keys"),
    "an invalid account": (
        lambda task: task.update(keys={"x": next(iter(task["keys"].values()))}),
        "task.keys",
    ),
    "an opening with more": (lambda task: task["opening"].update(name="某公司"), "task.opening"),
    "an unknown kind": (lambda task: task["opening"].update(kind="state"), "task.opening.kind"),
    "a blank identifier": (lambda task: task["opening"].update(identifier="  "), "task.opening.identifier"),
    "an endless identifier": (lambda task: task["opening"].update(identifier="9" * 65), "task.opening.identifier"),
    "a short id key": (lambda task: task["opening"].update(key="07" * 31), "task.opening.key"),
    "a correction by SM3": (lambda task: task.update(corrects="sm3:" + "ab" * 32), "task.corrects"),
}


@pytest.mark.parametrize(("change", "where"), WRONG.values(), ids=WRONG)
def test_a_task_with_a_wrong_member_is_refused(change: Change, where: str) -> None:
    raw = json.loads(json.dumps(TASK.to_dict()))
    change(raw)
    with pytest.raises(InvalidInput) as caught:
        parse_task(canonical(raw))
    assert (caught.value.code, caught.value.where) == ("TASK_FORM", where)
    assert FIRM not in str(caught.value)


@pytest.mark.parametrize(
    ("member", "change", "code"),
    [
        ("authorization", {"v": 1}, "PROTOCOL_UNSUPPORTED"),
        ("authorization", {"v": 3}, "ENTRY_SHAPE"),
        ("request", {"subject": "x"}, "ENTRY_SHAPE"),
        ("template", {"rows": []}, "ENTRY_SHAPE"),
    ],
)
def test_a_task_with_a_wrong_entry_is_refused(member: str, change: dict[str, Any], code: str) -> None:
    raw = TASK.to_dict()
    with pytest.raises(InvalidInput, match=code):
        parse_task(canonical({**raw, member: raw[member] | change}))


HOSTILE = {
    "too large": (b'"' + b"9" * MAX_TASK_BYTES + b'"', "JSON_TOO_LARGE"),
    "too deep": (b"[" * 40 + b"]" * 40, "JSON_TOO_DEEP"),
    "a member twice": (canonical(TASK.to_dict()).replace(b'{"auth', b'{"format":"x","auth', 1), "JSON_DUPLICATE_KEY"),
    "a float": (canonical(TASK.to_dict()).replace(b'"delay":0', b'"delay":0.0'), "JSON_FLOAT"),
    "no JSON": (b"task", "JSON_MALFORMED"),
}


@pytest.mark.parametrize(("raw", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_before_parsing(raw: bytes, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        parse_task(raw)


def test_a_task_list_has_limits_for_tasks_and_erasures() -> None:
    listed = json.loads(TaskList((TASK,), (ERASURE,)).to_bytes())
    wrong = (
        listed | {"format": "pingzheng-task/1"},
        listed | {"tasks": listed["tasks"] * 1_001},
        listed | {"erasures": [TASK.authorization]},
        {name: listed[name] for name in ("format", "tasks")},
    )
    for each in wrong:
        with pytest.raises(InvalidInput, match="TASK_FORM"):
            parse_tasks(canonical(each))


def test_answers_and_receipts_are_unchanged_after_serialising_and_parsing(tmp_path: Path) -> None:
    supply = provider_at(tmp_path).answer(TASK, Source())
    withdrawn = {
        "type": "withdrawal",
        "v": 2,
        "ledger": CHAIN.ledger,
        "id": ulid(9),
        "statement": "sha-256:" + "0" * 64,
    }
    withdrawn |= {"party": BANK, "reason": "data_error", "iat": AT, "signature": "e..e"}
    corrected = Supply(supply.entry, supply.disclosures, bytes(64), withdrawn)
    assert parse_answers(answers_to_bytes([supply, corrected])) == (supply, corrected)
    receipt = Receipt(frozenset({"ab" * 32}), {"cd" * 32: "ALREADY_ANSWERED"})
    assert parse_receipt(receipt.to_bytes()) == receipt


@pytest.mark.parametrize(
    "change",
    [
        {"rows": []},
        {"disclosures": "e30"},
        {"disclosures": [""]},
        {"disclosures": ["e30"] * 65},
        {"withdrawal": "AB" * 64},
        {"withdrawal": "ab" * 63},
        {"withdrawn": TASK.template},
        {"statement": TASK.authorization},
    ],
)
def test_answers_with_a_wrong_member_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    altered = provider_at(tmp_path).answer(TASK, Source()).to_dict() | change
    with pytest.raises(InvalidInput, match="ANSWERS_FORM"):
        parse_answers(canonical({"format": "pingzheng-answers/1", "answers": [altered]}))
