"""Errors in both languages: every code that the sources raise, and what is told of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from ledger import errors
from ledger.chain.contracts.revert import code_of, load_meanings
from ledger.installation.explanations import error_texts, explanation, in_chinese
from tests.support.places import PROJECT

FAMILY = {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]{2}")
TREES = {
    path.relative_to(PROJECT): ast.parse(path.read_text("utf-8"))
    for package in ("ledger", "api")
    for path in sorted((PROJECT / package).rglob("*.py"))
}


def raised() -> Iterator[tuple[str, str, str | None]]:
    """Code, message and hint of every error of ours that is made with its code spelled out."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILY:
                code, message, *_ = [*node.args, None, None]
                hint = next((each.value for each in node.keywords if each.arg == "hint"), None)
                if isinstance(code, ast.Constant) and message is not None:
                    yield code.value, text_of(message), None if hint is None else text_of(hint) or None
    for name, meaning in load_meanings().items():
        yield code_of(name), meaning["message"], meaning.get("hint")


def text_of(node: ast.expr) -> str:
    """What is spelled out of a text; ``xx`` for each part that the case fills in."""
    if isinstance(node, ast.Constant):
        return str(node.value or "")
    if not isinstance(node, ast.JoinedStr):
        return "别处。elsewhere"
    return "".join(each.value if isinstance(each, ast.Constant) else "xx" for each in node.values)


RAISED = sorted(set(raised()), key=str)


def in_both(text: str | None) -> bool:
    return text is not None and bool(HAN.search(text)) and bool(LATIN.search(text))


@pytest.mark.parametrize(("code", "message", "hint"), RAISED)
def test_every_error_says_what_is_wrong_and_what_to_do_in_both_languages(
    code: str, message: str, hint: str | None
) -> None:
    told = explanation(code, message, hint)
    assert in_both(told.message), told
    assert in_both(told.hint), told


def test_the_sources_were_read() -> None:
    assert len(RAISED) > 350
    assert {"PARTY_UNKNOWN", "WALLET_NOT_OPENED", "LOG_NOT_CONTIGUOUS", "SESSION_MISSING"} <= {
        each[0] for each in RAISED
    }


def test_every_text_is_of_a_code_in_use() -> None:
    spelled = {node.value for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)} | {
        code_of(name) for name in load_meanings()
    }
    made = re.compile(r"HTTP_\d{3}|(SCENARIO|RULESET|SOURCE)_(INVALID|UNKNOWN)|AUTHORIZATION_[A-Z_]+")
    assert [code for code in error_texts() if code not in spelled and not made.fullmatch(code)] == []


def test_every_refusal_of_a_check_is_told_in_chinese() -> None:
    found = {
        str(node.args[0].value)
        for path, tree in TREES.items()
        if path.is_relative_to("ledger/proof")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "failed"
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(found) > 40
    assert [code for code in sorted(found) if not in_chinese(code)] == []


def test_the_facts_of_the_case_stay() -> None:
    told = explanation("BATCH_UNKNOWN", "The log has no batch 7.", "See the head for the newest batch.")
    assert told.message == "日志中没有这一批次。 The log has no batch 7."
    assert told.hint == "用 `pingzheng log head` 查看最新批次。 See the head for the newest batch."


def test_a_hint_of_the_table_stands_in_for_none() -> None:
    told = explanation("DAY_FORM", "A day reads YYYY-MM-DD.")
    assert told.hint == "日期写作 YYYY-MM-DD，如 2026-03-31。 Such as 2026-03-31."


def test_what_is_told_in_both_languages_is_not_told_again() -> None:
    told = explanation("SCENARIO_INVALID", "应为列表。A list is expected.", "对照。Compare.")
    assert (told.message, told.hint) == ("应为列表。A list is expected.", "对照。Compare.")


def test_a_code_of_no_table_is_told_as_it_is() -> None:
    assert explanation("A_NEW_ONE", "Something new.").message == "Something new."
