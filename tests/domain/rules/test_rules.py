"""Rules: their valid forms, the payload modes that allow them, and the page that explains them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ledger.domain.entry_forms import PAYLOAD_MODES
from ledger.domain.rules.predicates import ENGINE, OPS, TYPES, check_rule, rule_version
from ledger.domain.rules.rule_members import MAX_SERIES
from ledger.errors import InvalidInput
from tests.support.places import DOCS
from tests.support.sample_rules import RULES


def test_there_is_a_sample_rule_for_every_operation() -> None:
    assert RULES.keys() == OPS.keys()
    for rule in RULES.values():
        check_rule(rule, "rule")


MEMBERS = [(op, member) for op, rule in RULES.items() for member in rule if member != "op"]


@pytest.mark.parametrize(("op", "member"), MEMBERS)
def test_member_that_is_missing_or_unknown_or_of_a_wrong_type_is_refused(op: str, member: str) -> None:
    rule = RULES[op]
    without = {name: value for name, value in rule.items() if name != member}
    for wrong, where in (
        (without, "rule"),
        (without | {f"{member}s": rule[member]}, "rule"),
        (rule | {"x": 1}, "rule"),
    ):
        assert bad_rule(wrong).where == where
    values: list[Any] = [None, 1.5, True, {}, "", [], [None], [[]], -1, 10**9, float("nan")]
    for value in values:
        assert bad_rule(rule | {member: value}).where == f"rule.{member}"


def bad_rule(rule: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        check_rule(rule, "rule")
    assert caught.value.code == "RULE_INVALID"
    assert caught.value.hint
    return caught.value


BAD_RULES = {
    "no mapping": ("band", "rule"),
    "null": (None, "rule"),
    "list": ([RULES["band"]], "rule"),
    "no op": ({"column": "month"}, "rule"),
    "unknown op": ({"op": "exec", "of": "name"}, "rule"),
    "op of null": ({"op": None}, "rule"),
    "op of a list": ({"op": ["band"]}, "rule"),
    "op of a mapping": ({"op": {"band": 1}}, "rule"),
    "unknown attribute": (RULES["attribute"] | {"of": "phone"}, "rule.of"),
    "column too long": (RULES["count_distinct"] | {"column": "c" * 65}, "rule.column"),
    "column with a space ahead": (RULES["count_distinct"] | {"column": " month"}, "rule.column"),
    "unknown unit": (RULES["periods"] | {"unit": "week"}, "rule.unit"),
    "no months": (RULES["periods"] | {"last": 0}, "rule.last"),
    "too many months": (RULES["periods"] | {"last": 601}, "rule.last"),
    "a series too long for a disclosure": (RULES["series"] | {"last": MAX_SERIES + 1}, "rule.last"),
    "percent above 100": (RULES["trend"] | {"flat_percent": 101}, "rule.flat_percent"),
    "percent a text": (RULES["share_at_least"] | {"percent": "5"}, "rule.percent"),
    "top of 0": (RULES["score"] | {"top": 0}, "rule.top"),
    "21 edges": (RULES["band"] | {"edges": [str(edge) for edge in range(21)]}, "rule.edges"),
    "edges fall": (RULES["band"] | {"edges": ["2", "1"]}, "rule.edges"),
    "edges rise as texts only": (RULES["band"] | {"edges": ["10", "9"]}, "rule.edges"),
    "edge twice": (RULES["band"] | {"edges": ["1", "1.0"]}, "rule.edges"),
    "edge a number": (RULES["band"] | {"edges": [1000]}, "rule.edges"),
    "edge a word": (RULES["band"] | {"edges": ["low"]}, "rule.edges"),
    "edge infinite": (RULES["band"] | {"edges": ["1", "Infinity"]}, "rule.edges"),
    "edge that would fill the memory": (RULES["band"] | {"edges": ["1e999999999"]}, "rule.edges"),
    "threshold a number": (RULES["at_least"] | {"threshold": 95}, "rule.threshold"),
    "threshold NaN": (RULES["at_least"] | {"threshold": "NaN"}, "rule.threshold"),
    "yes and no without quotes": (RULES["any_in"] | {"choices": [True, False]}, "rule.choices"),
    "one choice": (RULES["latest"] | {"choices": ["yes"]}, "rule.choices"),
    "33 choices": (RULES["latest"] | {"choices": [str(number) for number in range(33)]}, "rule.choices"),
    "choice twice": (RULES["latest"] | {"choices": ["a", "b", "a"]}, "rule.choices"),
    "choice with a space": (RULES["latest"] | {"choices": ["a", "b "]}, "rule.choices"),
    "wanted is no choice": (RULES["any_in"] | {"wanted": ["maybe"]}, "rule.wanted"),
    "every choice is wanted": (RULES["any_in"] | {"wanted": ["yes", "no"]}, "rule.wanted"),
    "no choice is wanted": (RULES["any_in"] | {"wanted": []}, "rule.wanted"),
}


@pytest.mark.parametrize(("rule", "where"), BAD_RULES.values(), ids=BAD_RULES.keys())
def test_rule_that_cannot_be_computed_is_refused(rule: Any, where: str) -> None:
    assert bad_rule(rule).where == where


@pytest.mark.parametrize(
    "rule",
    [
        RULES["trend"] | {"flat_percent": 0, "column": "c" * 64},
        RULES["trend"] | {"flat_percent": 100},
        RULES["band"] | {"edges": ["1"]},
        RULES["band"] | {"edges": [str(edge) for edge in range(20)]},
        RULES["band"] | {"edges": ["-1.5", "0", "1000.25"]},
        RULES["at_least"] | {"threshold": "-0.5"},
        RULES["periods"] | {"last": 600, "unit": "day"},
        RULES["series"] | {"last": MAX_SERIES},
        RULES["latest"] | {"choices": [str(number) for number in range(32)]},
    ],
)
def test_rule_at_its_limits_is_accepted(rule: dict[str, Any]) -> None:
    check_rule(rule, "rule")


def test_the_messages_about_an_invalid_rule_are_in_both_languages() -> None:
    for wrong in (RULES["band"] | {"edges": []}, {"op": "sum"}, {"op": "band"}, RULES["latest"] | {"choices": [True]}):
        assert re.search("[一-鿿]", bad_rule(wrong).message)
        assert re.search("[A-Za-z]{4}", bad_rule(wrong).message)


# --- payload modes, versions, and the pages that list the rules


def test_each_payload_mode_allows_the_expected_rules() -> None:
    allowed = {mode: {op for op, known in OPS.items() if mode in known.modes} for mode in PAYLOAD_MODES}
    assert {mode for op in OPS.values() for mode in op.modes} == set(PAYLOAD_MODES)
    assert allowed["component"] == {"band", "total_band", "score"}
    assert allowed["aggregate"] - allowed["predicate"] == {"score", "share_percent", "series", "index_series"}
    assert allowed["raw"] - allowed["aggregate"] == {"text"}
    assert allowed["raw"] == set(OPS)
    assert not {OPS[op].type for op in allowed["predicate"]} & {"series", "index"}


def test_rule_version_names_the_scenario_and_its_version_and_the_engine() -> None:
    assert ENGINE == 2
    assert rule_version("S01", 1) == "S01/1/engine-2"


def test_the_page_for_authors_lists_every_rule_with_an_example() -> None:
    page = (DOCS / "scenarios.md").read_text("utf-8")
    lines = re.findall(r"^\| `(\w+)` \| ([^|]*) \| (\w+) \| ([\w, ]+) \| ([^|]*) \|$", page, re.MULTILINE)
    assert [op for op, *_ in lines] == list(OPS)
    for op, members, kind, modes, explanation in lines:
        assert re.findall(r"`(\w+)`", members) == list(OPS[op].members)
        assert (kind, set(modes.split(", "))) == (OPS[op].type, OPS[op].modes)
        (example,) = re.findall(r"`(\{.*?\})`", explanation)
        rule = yaml.safe_load(example)
        assert rule["op"] == op
        check_rule(rule, "rule")
    assert set(TYPES) == {kind for _, _, kind, *_ in lines}


def test_the_protocol_lists_every_rule_with_its_payload_modes() -> None:
    page = (DOCS / "protocol.md").read_text("utf-8")
    lines = re.findall(r"^\| (`\w+`(?:; `\w+`)?) \| [^|]* \| ([a-z, ]+) \| [^|]* \|$", page, re.MULTILINE)
    modes = {op: frozenset(listed.split(", ")) for ops, listed in lines for op in re.findall(r"\w+", ops)}
    assert modes == {op: known.modes for op, known in OPS.items()}
