"""The search finds personal text at every position and in every form, and reports nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.codes import synthetic_resident_id
from tests.support.personal_text import Needles, forms_of, patterns_in

ID_NUMBER = synthetic_resident_id(7)
TEXTS = (ID_NUMBER, "湛江陈某某0007号", "10000000007", "13800138000")
NEEDLES = Needles(TEXTS)


@given(st.sampled_from(TEXTS), st.data(), st.binary(max_size=40), st.binary(max_size=40))
def test_the_search_finds_every_form_of_a_personal_text_at_every_position(
    text: str, data: st.DataObject, before: bytes, after: bytes
) -> None:
    name, form = data.draw(st.sampled_from(sorted(forms_of(text).items())))
    assert text in {found for found, _ in NEEDLES.found_in(before + b"|" + form + b"|" + after)}, name


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_the_search_finds_encoded_text(text: str, before: str) -> None:
    import base64
    import json

    whole = f"{before} {text} and more"
    for data in (
        whole.encode(),
        whole.encode("utf-16"),
        whole.encode().hex().encode(),
        base64.b64encode(whole.encode()),
        base64.urlsafe_b64encode(whole.encode()),
        json.dumps({"a": whole}).encode(),
    ):
        assert text in {found for found, _ in NEEDLES.found_in(data)}


@given(st.binary(max_size=300))
def test_the_search_finds_nothing_in_random_bytes(data: bytes) -> None:
    """Random bytes almost never contain the eighteen characters of a valid ID number."""
    assert NEEDLES.found_in(data) == set()


def test_a_phone_number_within_a_longer_number_is_not_reported() -> None:
    """Eleven digits can occur by chance in a contract's hex code. An ID number is so long that it is reported even
    inside other digits.
    """
    assert NEEDLES.found_in(b"6" + TEXTS[2].encode() + b"0160") == set()
    assert NEEDLES.found_in(b"6" + ID_NUMBER.encode() + b"0160") != set()


@pytest.mark.parametrize("data", [form[:-1] for form in forms_of(ID_NUMBER).values() if not form.endswith(b"=")])
def test_a_truncated_or_changed_text_is_not_reported(data: bytes) -> None:
    assert ID_NUMBER not in {found for found, name in NEEDLES.found_in(data) if not name.startswith("base64")}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"of {ID_NUMBER}.", [ID_NUMBER]),
        (f"of {ID_NUMBER[:-1]}{'0' if ID_NUMBER[-1] != '0' else '1'}", []),
        ("call 13800138000, please", ["13800138000"]),
        ("12800138000 1380013800 138001380000 x13800138000 0.13800138000", []),
        ("1790000000 44080219491231002", []),
        (f"0x{ID_NUMBER}", []),
    ],
)
def test_patterns_match_id_numbers_and_phone_numbers_only(text: str, found: list[str]) -> None:
    assert patterns_in(text) == found
