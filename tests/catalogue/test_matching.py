"""Matching of demands and resources: which resources match a demand, how well, and the parts of the score."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.catalogue.matching import Wanted, rank, score, words
from ledger.domain.resource import DataResource, ResourceField

POWER = DataResource(
    code="power/meters",
    title="企业用电量 Electricity use",
    package="power",
    rows=1,
    columns=2,
    fields=(ResourceField("usci_code", "text"), ResourceField("kWh", "decimal"), ResourceField("month", "date")),
    content_digest=f"sha-256:{'0' * 64}",
    domain="energy",
)
WANTED = Wanted("企业用电", "loan check", "energy", ("Usci Code", "kwh", "arrears"))


def test_the_score_of_a_resource_is_returned_with_the_points_for_fields_and_domain_and_words() -> None:
    found = score(WANTED, POWER)
    assert found.to_dict() == {
        "code": "power/meters",
        "score": 400 + 200 + 120,
        "points": {"fields": 400, "domain": 200, "words": 120},
        "fields": ["kwh", "Usci Code"],
        "words": ["业用", "企业", "用电"],
    }


SCORES: dict[str, tuple[Wanted, tuple[int, int, int]]] = {
    "everything": (Wanted("用电量", "", "energy", ("kwh", "month")), (600, 200, 200)),
    "no field": (Wanted("用电量", "", "energy", ("area",)), (0, 200, 200)),
    "no fields asked": (Wanted("用电量", "", "energy", ()), (0, 200, 200)),
    "another domain": (Wanted("用电量", "", "transport", ("kwh",)), (600, 0, 200)),
    "no domain": (Wanted("用电量", "", "", ("kwh",)), (600, 0, 200)),
    "no words": (Wanted("?", "", "energy", ("kwh",)), (600, 200, 0)),
    "half a field": (Wanted("?", "", "", ("kwh", "a", "b")), (200, 0, 0)),
    "nothing": (Wanted("车辆", "", "transport", ("plate",)), (0, 0, 0)),
}


@pytest.mark.parametrize(("wanted", "points"), SCORES.values(), ids=SCORES.keys())
def test_a_resource_gets_points_for_fields_and_a_domain_and_words_that_equal_those_of_the_demand(
    wanted: Wanted, points: tuple[int, int, int]
) -> None:
    found = score(wanted, POWER)
    assert (found.field_points, found.domain_points, found.word_points) == points
    assert found.score == sum(points)


def test_two_empty_domains_do_not_count_as_equal_domains() -> None:
    assert score(replace(WANTED, domain=""), replace(POWER, domain="")).domain_points == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("企业用电", {"企业", "业用", "用电"}),
        ("电", set()),
        ("GDP of 2025, a b", {"gdp", "of", "2025"}),
        ("用电kWh", {"用电", "kwh"}),
        ("", set()),
    ],
)
def test_words_for_the_matching_are_latin_words_and_pairs_of_chinese_characters(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_candidates_are_ranked_by_score_then_by_code() -> None:
    twin = replace(POWER, code="power/a")
    less = replace(POWER, code="power/0", fields=POWER.fields[:1])
    none = replace(POWER, code="none", title="x", domain="", fields=())
    assert [found.code for found in rank(WANTED, [less, POWER, none, twin], 5)] == [
        "power/a",
        "power/meters",
        "power/0",
    ]
    assert [found.code for found in rank(WANTED, [less, POWER, none, twin], 1)] == ["power/a"]


names = st.lists(st.sampled_from(["kwh", "month", "area", "plate"]), unique=True, max_size=4)


@given(st.lists(st.tuples(names, st.sampled_from(["energy", "transport"])), max_size=5), names, st.randoms())
def test_the_ranking_does_not_depend_on_the_input_order(
    rows: list[tuple[list[str], str]], asked: list[str], random: object
) -> None:
    resources = [
        replace(POWER, code=f"r{place}", domain=domain, fields=tuple(ResourceField(name, "text") for name in fields))
        for place, (fields, domain) in enumerate(rows)
    ]
    wanted = Wanted("月份", "", "energy", tuple(asked))
    shuffled = list(resources)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ranked = rank(wanted, resources, 10)
    assert ranked == rank(wanted, shuffled, 10)
    assert all(0 < found.score <= 1000 for found in ranked)
