"""Every error code that the sources raise has a message and a hint in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from ledger import errors
from ledger.chain.contracts.revert import code_of, load_meanings
from ledger.installation.explanations import error_texts, explanation
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
    """Yield code, message and hint of every error that the sources construct with a literal code."""
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
    """Return the constant parts of a text, with ``xx`` in place of each inserted value."""
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
    explained = explanation(code, message, hint)
    assert in_both(explained.message), explained
    assert in_both(explained.hint), explained


def test_the_search_finds_the_errors_in_the_sources() -> None:
    assert len(RAISED) > 350
    assert {"PARTY_UNKNOWN", "WALLET_NOT_OPENED", "LOG_NOT_CONTIGUOUS", "SESSION_MISSING"} <= {
        each[0] for each in RAISED
    }


def test_every_row_of_the_table_of_errors_belongs_to_a_code_in_use() -> None:
    spelled = {node.value for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)} | {
        code_of(name) for name in load_meanings()
    }
    made = re.compile(r"HTTP_\d{3}|(SCENARIO|RULESET|SOURCE)_(INVALID|UNKNOWN)|OFFICE_UNKNOWN|AUTHORIZATION_[A-Z_]+")
    assert [code for code in error_texts() if code not in spelled and not made.fullmatch(code)] == []


def test_every_failed_check_has_a_chinese_text() -> None:
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
    assert [code for code in sorted(found) if "zh" not in error_texts().get(code, {})] == []


def test_an_explanation_keeps_the_values_in_the_errors_message() -> None:
    explained = explanation("BATCH_UNKNOWN", "The log has no batch 7.", "See the head for the newest batch.")
    assert explained.message == "日志中没有这一批次。 The log has no batch 7."
    assert explained.hint == "请用 `pingzheng log head` 查看最新批次。 See the head for the newest batch."


def test_an_error_without_a_hint_gets_the_hint_of_the_table() -> None:
    explained = explanation("DAY_FORM", "A day reads YYYY-MM-DD.")
    assert (
        explained.hint == "请按 YYYY-MM-DD 书写日期，如 2026-03-31。 Write the day as YYYY-MM-DD, such as 2026-03-31."
    )


def test_an_error_that_is_already_bilingual_is_not_translated_again() -> None:
    explained = explanation("SCENARIO_INVALID", "应为列表。A list is expected.", "对照。Compare.")
    assert (explained.message, explained.hint) == ("应为列表。A list is expected.", "对照。Compare.")


def test_an_error_code_without_a_row_in_the_table_keeps_its_message() -> None:
    assert explanation("A_NEW_CODE", "A new kind of error.").message == "A new kind of error."
