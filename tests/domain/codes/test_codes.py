"""Check digits of codes: published examples, and the errors that a check digit must catch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import uscc

from ledger.domain.codes import (
    check_institution,
    check_resident_id,
    check_uscc,
    organisation_agrees,
    resident_check,
    synthetic_resident_id,
    synthetic_uscc,
    uscc_check,
)
from ledger.errors import InvalidInput, PingzhengError
from tests.domain.codes.code_vectors import (
    ALPHANUMERIC,
    CHECKS,
    NUMBER,
    UNCAUGHT,
    VECTORS,
    by_stdnum,
    city_regions,
    swap,
)

CASES = Path(__file__).parents[1] / "cases"
# Region codes of places that exist today, that were abolished, and that never existed.
PLACES = ("110101", "110103", "440802", "440811", "440899", "440183", "500231", "710000", "810000", "830000")
VALID = [(kind, value) for kind in CHECKS for value in VECTORS[kind]["valid"]]
INVALID = [
    pytest.param(kind, item["value"], item["why"], id=f"{kind}: {item['why']}")
    for kind in CHECKS
    for item in VECTORS[kind]["invalid"]
]
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC = "91440802MA9X00011Y"
RESIDENT_ID = "11010519491231002X"
synthetic_usccs = st.builds(synthetic_uscc, city_regions, st.integers(0, 9_999))


def refusal(kind: str, value: str) -> PingzhengError:
    with pytest.raises(InvalidInput) as caught:
        CHECKS[kind](value, "row 7")
    return caught.value


@pytest.mark.parametrize(("kind", "value"), VALID + UNCAUGHT, ids=[value for _, value in VALID + UNCAUGHT])
def test_valid_vector_is_accepted(kind: str, value: str) -> None:
    assert CHECKS[kind](value) == value


@pytest.mark.parametrize(("kind", "value", "why"), INVALID)
def test_invalid_vector_is_refused(kind: str, value: str, why: str) -> None:
    error = refusal(kind, value)
    assert error.code.startswith(f"{kind.upper()}_"), why
    assert error.where == "row 7"


REFUSALS = {
    "uscc: wrong check character": ("uscc", "11440800MB9X000150", "USCC_CHECK_DIGIT"),
    "uscc: empty": ("uscc", "", "USCC_LENGTH"),
    "uscc: 17 characters": ("uscc", USCC[:-1], "USCC_LENGTH"),
    "uscc: trailing space": ("uscc", USCC + " ", "USCC_LENGTH"),
    "uscc: trailing line feed": ("uscc", USCC + "\n", "USCC_LENGTH"),
    "uscc: space inside": ("uscc", " " + USCC[1:], "USCC_SYMBOL"),
    "uscc: lower case": ("uscc", USCC.lower(), "USCC_SYMBOL"),
    "uscc: one small letter": ("uscc", "91440802mA9X00011Y", "USCC_SYMBOL"),
    "uscc: full-width first digit": ("uscc", "９" + USCC[1:], "USCC_SYMBOL"),
    "uscc: Arabic-Indic digit": ("uscc", "٩" + USCC[1:], "USCC_SYMBOL"),
    "uscc: all zeros": ("uscc", "0" * 18, "USCC_OFFICE"),
    "uscc: letter O for zero": ("uscc", USCC.replace("0", "O", 1), "USCC_SYMBOL"),
    "resident id: empty": ("resident_id", "", "RESIDENT_ID_FORM"),
    "resident id: 17 characters": ("resident_id", RESIDENT_ID[:-1], "RESIDENT_ID_FORM"),
    "resident id: trailing space": ("resident_id", RESIDENT_ID + " ", "RESIDENT_ID_FORM"),
    "resident id: trailing line feed": ("resident_id", RESIDENT_ID + "\n", "RESIDENT_ID_FORM"),
    "resident id: full-width digit": ("resident_id", "１" + RESIDENT_ID[1:], "RESIDENT_ID_FORM"),
    "resident id: full-width X": ("resident_id", RESIDENT_ID[:-1] + "Ｘ", "RESIDENT_ID_FORM"),
    "resident id: X in the middle": ("resident_id", "X" + RESIDENT_ID[1:], "RESIDENT_ID_FORM"),
    "resident id: 31 February": ("resident_id", "110105194902310026", "RESIDENT_ID_DATE"),
    "resident id: 29 February of a common year": ("resident_id", "110105194902290026", "RESIDENT_ID_DATE"),
    "resident id: month 13": ("resident_id", "110105194913010026", "RESIDENT_ID_DATE"),
    "resident id: year 0": ("resident_id", "110105000001010026", "RESIDENT_ID_DATE"),
    "resident id: no province": ("resident_id", "00000019900101123X", "RESIDENT_ID_REGION"),
    "resident id: born in 1801": ("resident_id", "440802180101010013", "RESIDENT_ID_DATE"),
    "resident id: wrong check character": ("resident_id", "110105194912310021", "RESIDENT_ID_CHECK_DIGIT"),
    "number: empty": ("certificate_no", "", "CERTIFICATE_NO_FORM"),
    "number: lower case": ("certificate_no", NUMBER.lower(), "CERTIFICATE_NO_FORM"),
    "number: trailing space": ("certificate_no", NUMBER + " ", "CERTIFICATE_NO_FORM"),
    "number: trailing line feed": ("certificate_no", NUMBER + "\n", "CERTIFICATE_NO_FORM"),
    "number: full-width digits": ("certificate_no", NUMBER.replace("123", "１２３"), "CERTIFICATE_NO_FORM"),
    "number: no hyphens": ("certificate_no", NUMBER.replace("-", ""), "CERTIFICATE_NO_FORM"),
    "number: another city": ("certificate_no", "DAC-440399-2026-S01-00000123-V", "CERTIFICATE_NO_FORM"),
    "number: no such district": ("certificate_no", "DAC-440801-2026-S01-00000123-V", "CERTIFICATE_NO_REGION"),
    "number: wrong check": ("certificate_no", "DAC-440802-2026-S01-00000123-0", "CERTIFICATE_NO_CHECK_DIGIT"),
    "number: transposed": ("certificate_no", "DAC-440802-2026-S01-00001023-V", "CERTIFICATE_NO_CHECK_DIGIT"),
}


@pytest.mark.parametrize(("kind", "value", "code"), REFUSALS.values(), ids=REFUSALS.keys())
def test_each_invalid_identifier_is_refused_with_the_expected_code_and_is_not_repeated_in_the_error(
    kind: str, value: str, code: str
) -> None:
    error = refusal(kind, value)
    assert error.code == code
    assert_silent(error, value)


def assert_silent(error: PingzhengError, value: str) -> None:
    """Assert that the error contains no six consecutive symbols of the identifier. The error's code, and the example
    number in its text, are not searched.
    """
    shown = f"{error} {error.details}".replace(NUMBER, "").replace(error.code, "")
    assert not value.strip() or value.strip() not in shown
    assert not any(value[start : start + 6] in shown for start in range(len(value) - 5))
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@given(kind=st.sampled_from(sorted(CHECKS)), value=st.text(alphabet=ALPHANUMERIC + "-", min_size=8, max_size=32))
def test_no_error_repeats_the_identifier(kind: str, value: str) -> None:
    assume(not any(part in NUMBER for part in (value[start : start + 6] for start in range(len(value) - 5))))
    try:
        CHECKS[kind](value)
    except InvalidInput as error:
        assert_silent(error, value)


def test_lower_case_x_of_a_resident_id_becomes_a_capital() -> None:
    assert check_resident_id(RESIDENT_ID.lower()) == RESIDENT_ID


def test_error_names_no_place_if_the_caller_gives_none() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_uscc("")
    assert caught.value.where is None


def test_the_check_character_for_a_sum_of_zero_is_accepted() -> None:
    value = VECTORS["uscc"]["check_char_zero"]
    body = value[:17]
    assert sum(USCC_ALPHABET.index(symbol) * 3**place for place, symbol in enumerate(body)) % 31 == 0
    assert uscc_check(body) == value[-1] == "0"
    assert check_uscc(value) == value


@given(synthetic_usccs)
def test_synthetic_uscc_and_the_organisation_code_in_it_have_valid_check_characters(value: str) -> None:
    assert check_uscc(value) == value
    organisation, check = value[8:16], value[16]
    total = sum(
        weight * ALPHANUMERIC.index(symbol)
        for weight, symbol in zip((3, 7, 9, 10, 5, 8, 4, 2), organisation, strict=True)
    )
    last = 10 if check == "X" else int(check)
    assert (total + last) % 11 == 0
    assert value.startswith("91")


def test_synthetic_usccs_are_unique_and_contain_every_organisation_code_check_character() -> None:
    values = [synthetic_uscc("440802", serial) for serial in range(1_000)]
    assert len(set(values)) == len(values)
    assert {value[16] for value in values} == set("0123456789X")


def test_synthetic_uscc_of_a_zone_uses_the_city_code() -> None:
    assert synthetic_uscc("440800-KF", 1) == synthetic_uscc("440800", 1)


@pytest.mark.parametrize("serial", [10_000, -1])
def test_synthetic_uscc_has_a_serial_of_four_digits(serial: int) -> None:
    with pytest.raises(ValueError):
        synthetic_uscc("440802", serial)


@given(value=synthetic_usccs, place=st.integers(0, 17), symbol=st.sampled_from(USCC_ALPHABET))
def test_one_changed_symbol_of_a_uscc_is_caught(value: str, place: int, symbol: str) -> None:
    assume(value[place] != symbol)
    with pytest.raises(InvalidInput) as caught:
        check_uscc(value[:place] + symbol + value[place + 1 :])
    no_office = symbol not in ("123456789ANY", "123456789")[place] if place < 2 else False
    no_region = 2 <= place < 8 and not symbol.isdigit()
    code = "USCC_OFFICE" if no_office else "USCC_REGION" if no_region else "USCC_CHECK_DIGIT"
    assert caught.value.code == code


@given(value=synthetic_usccs, place=st.integers(2, 7), letter=st.sampled_from("ABCDEFGHJKLMNPQRTUWXY"))
def test_region_with_letters_is_refused_even_with_a_valid_check_character(value: str, place: int, letter: str) -> None:
    body = value[:place] + letter + value[place + 1 : 17]
    with pytest.raises(InvalidInput, match="USCC_REGION"):
        check_uscc(body + uscc_check(body))


@given(value=synthetic_usccs, place=st.integers(0, 15))
def test_swapped_neighbouring_characters_in_a_uscc_are_caught(value: str, place: int) -> None:
    swapped = swap(value, place)
    assume(swapped != value)
    with pytest.raises(InvalidInput):
        check_uscc(swapped)


def test_our_check_of_resident_ids_agrees_with_the_stdnum_library_except_for_counties() -> None:
    """For random numbers with a valid check character: if we accept a number and stdnum refuses it, the reason is
    always an unlisted county.
    """
    chance, stricter = Random(11643), Counter[str]()
    for _ in range(10_000):
        body = f"{chance.choice(PLACES)}{chance.randint(1870, 2030)}{chance.randint(1, 13):02d}"
        number = body + f"{chance.randint(1, 31):02d}{chance.randint(0, 999):03d}"
        number += resident_check(number)
        ours, theirs = refusal_code(check_resident_id, number, today=date(2026, 11, 30)), by_stdnum(number)
        if (ours is None) == theirs:
            continue
        stricter["county lapsed or not listed" if ours is None else ours] += 1
    # stdnum checks the county and refuses residence permits. It accepts birth dates in the future, which we refuse.
    assert set(stricter) == {"county lapsed or not listed", "RESIDENT_ID_DATE"}


def test_our_check_of_usccs_agrees_with_the_stdnum_library_except_for_the_registration_authority() -> None:
    """For random codes with a valid check character: we check the registration authority, and accept the authorities A,
    N and Y; stdnum does neither.
    """
    chance, differing = Random(32100), Counter[str]()
    for _ in range(10_000):
        first, second = chance.choice(USCC_ALPHABET), chance.choice(USCC_ALPHABET)
        region = "".join(chance.choices("0123456789A", k=6))
        body = f"{first}{second}{region}{''.join(chance.choices(USCC_ALPHABET, k=9))}"
        number = body + uscc_check(body)
        ours, theirs = refusal_code(check_uscc, number), uscc.is_valid(number)
        if (ours is None) != theirs:
            differing[ours or first] += 1
    # GB 32100-2015 uses Y for all authorities without a letter of their own. Its amendment 1 added A for the army and N
    # for agriculture.
    assert set(differing) == {"USCC_OFFICE", "A", "N", "Y"}


def refusal_code(check: Callable[..., str], value: str, **more: Any) -> str | None:
    try:
        check(value, **more)
    except InvalidInput as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("000000000000000000", "USCC_OFFICE"),
        ("0" + USCC[1:], "USCC_OFFICE"),
        ("9N" + USCC[2:], "USCC_OFFICE"),
        (RESIDENT_ID, "USCC_IS_ID_NUMBER"),
        (synthetic_resident_id(7), "USCC_IS_ID_NUMBER"),
        (synthetic_resident_id(7)[:-1] + "0", "USCC_CHECK_DIGIT"),
    ],
)
def test_invalid_institution_code_is_refused(value: str, code: str) -> None:
    assert refusal_code(check_institution, value) == code


def test_id_number_with_a_valid_uscc_check_character_is_refused() -> None:
    both = [number for number in map(synthetic_resident_id, range(5_000)) if refusal_code(check_uscc, number) is None]
    assert both
    refused = {number for number in both if refusal_code(check_institution, number) == "USCC_IS_ID_NUMBER"}
    assert refused == {number for number in both if not organisation_agrees(number)}


@pytest.mark.parametrize("value", VECTORS["uscc"]["valid"])
def test_the_institution_codes_in_the_test_vectors_are_accepted(value: str) -> None:
    assert check_institution(value) == value


def test_uscc_with_a_wrong_organisation_code_is_accepted() -> None:
    wrong = "91440802MA9X00012"
    wrong += uscc_check(wrong)
    assert check_institution(wrong) == wrong
    assert not organisation_agrees(wrong)
    assert organisation_agrees(USCC)
    assert organisation_agrees("91350100M000100Y43")  # This example is printed in GB 32100-2015.


@pytest.mark.parametrize("line", (CASES / "resident-id-future" / "refuse.txt").read_text().split())
def test_each_resident_id_in_the_test_cases_has_the_expected_result(line: str) -> None:
    assert refusal_code(check_resident_id, line, today=date(2026, 11, 30)) in {"RESIDENT_ID_DATE", "RESIDENT_ID_REGION"}


@pytest.mark.parametrize(
    ("born", "today", "code"),
    [
        ("20261130", date(2026, 11, 30), None),
        ("20261201", date(2026, 11, 30), "RESIDENT_ID_DATE"),
        ("20261201", None, None),
        ("18800101", date(2026, 11, 30), None),
        ("18791231", date(2026, 11, 30), "RESIDENT_ID_DATE"),
    ],
)
def test_birth_date_of_today_is_accepted(born: str, today: date | None, code: str | None) -> None:
    body = f"440811{born}000"
    assert refusal_code(check_resident_id, body + resident_check(body), today=today) == code


@pytest.mark.parametrize("region", ["000000", "100000", "160000", "472300", "990000"])
def test_unknown_province_is_refused(region: str) -> None:
    body = f"{region}19900101123"
    assert refusal_code(check_resident_id, body + resident_check(body)) == "RESIDENT_ID_REGION"
