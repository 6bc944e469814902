"""The printed report explains every check in Chinese and English, and shows the titles of the disclosed fields."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ledger.cli.certificates.printed_report import print_report, reason_of
from ledger.proof.report import NAMES, Check, Report, Verdict
from ledger.rulebooks.scenarios import ScenarioBook

SCENARIOS = ScenarioBook.load()
SENTENCE = re.compile(r"^[一-鿿][^A-Za-z]*。 [A-Z0-9].*\.$")


def report(digest: str) -> Report:
    """Return the report of a valid certificate that discloses only the band of the electricity used."""
    checks = tuple(Check(number, Verdict.PASSED, "OK", "Fine.") for number in range(1, len(NAMES) + 1))
    return Report(checks, 0, 0, 0, "DAC", {"scenario_digest": digest}, {"usage_band": "1000–10000"}, delay=259_200)


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.NOT_APPLICABLE, Verdict.NOT_REACHED])
@pytest.mark.parametrize("number", range(1, len(NAMES) + 1))
def test_each_check_without_an_error_is_explained_in_chinese_and_english(number: int, verdict: Verdict) -> None:
    assert SENTENCE.match(reason_of(Check(number, verdict, "OK", "Fine.")))


@pytest.mark.parametrize(("compared", "words"), [(True, "规则为核验方所认可"), (False, "规则没有与场景文件比较")])
def test_the_check_of_the_authorization_says_whether_the_rules_were_compared_with_accepted_rules(
    compared: bool, words: str
) -> None:
    assert words in reason_of(Check(11, Verdict.PASSED, "OK", "Fine.", {"compared": compared}))


def test_a_disclosed_field_has_its_title_if_this_installation_knows_the_scenario(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = report(SCENARIOS.get("S01").digest)
    for shown, titled in ((known, True), (replace(known, claims={"scenario_digest": "sha-256:00"}), False)):
        print_report(shown, None, SCENARIOS)
        printed = capsys.readouterr().out
        assert ("最近一月用电区间（千瓦时） usage_band" in printed) is titled
        assert "usage_band" in printed
