"""Check digits: the published vectors, and what a check digit must catch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.domain.codes import (
    MAX_SERIAL,
    certificate_no,
    check_certificate_no,
    check_region,
    check_resident_id,
    check_uscc,
    synthetic_resident_id,
    synthetic_uscc,
    uscc_check,
)
from ledger.domain.regions import REGIONS
from ledger.errors import InvalidInput, PingzhengError

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text("utf-8"))
CHECKS = {"uscc": check_uscc, "resident_id": check_resident_id, "certificate_no": check_certificate_no}
VALID = [(kind, value) for kind in CHECKS for value in VECTORS[kind]["valid"]]
INVALID = [
    pytest.param(kind, item["value"], item["why"], id=f"{kind}: {item['why']}")
    for kind in CHECKS
    for item in VECTORS[kind]["invalid"]
]
# Wrong, and valid by their form: MOD 37,36 does not catch every swap of neighbours.
UNCAUGHT = [(kind, item["value"]) for kind in CHECKS for item in VECTORS[kind].get("uncaught", ())]

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC = "91440802MA9X00011Y"
RESIDENT_ID = "11010519491231002X"
NUMBER = "DAC-440802-2026-S01-00000123-V"

city_regions = st.sampled_from([region for region in REGIONS if region.isdigit()])
numbers = st.builds(
    certificate_no,
    city_regions,
    st.integers(2000, 9999),
    st.integers(0, 99).map("S{:02d}".format),
    st.integers(1, MAX_SERIAL),
)
synthetic_usccs = st.builds(synthetic_uscc, city_regions, st.integers(0, 9_999))


def refusal(kind: str, value: str) -> PingzhengError:
    with pytest.raises(InvalidInput) as caught:
        CHECKS[kind](value, "row 7")
    return caught.value


@pytest.mark.parametrize(("kind", "value"), VALID + UNCAUGHT, ids=[value for _, value in VALID + UNCAUGHT])
def test_valid_vector(kind: str, value: str) -> None:
    assert CHECKS[kind](value) == value


@pytest.mark.parametrize(("kind", "value", "why"), INVALID)
def test_invalid_vector(kind: str, value: str, why: str) -> None:
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
def test_refusal_by_code_and_without_the_value(kind: str, value: str, code: str) -> None:
    error = refusal(kind, value)
    assert error.code == code
    assert_silent(error, value)


def assert_silent(error: PingzhengError, value: str) -> None:
    """No run of six symbols of the identifier stands in what the error tells (its hint shows a fixed example)."""
    told = f"{error} {error.details}".replace(NUMBER, "")
    assert not value.strip() or value.strip() not in told
    assert not any(value[start : start + 6] in told for start in range(len(value) - 5))
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@given(kind=st.sampled_from(sorted(CHECKS)), value=st.text(alphabet=ALPHANUMERIC + "-", min_size=8, max_size=32))
def test_no_error_repeats_the_identifier(kind: str, value: str) -> None:
    assume(not any(part in NUMBER for part in (value[start : start + 6] for start in range(len(value) - 5))))
    try:
        CHECKS[kind](value)
    except InvalidInput as error:
        assert_silent(error, value)


def test_small_x_of_a_resident_id_is_the_capital() -> None:
    assert check_resident_id(RESIDENT_ID.lower()) == RESIDENT_ID


def test_where_may_be_left_out() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_uscc("")
    assert caught.value.where is None


# --- unified social credit code


def test_check_character_of_a_sum_of_zero() -> None:
    value = VECTORS["uscc"]["check_char_zero"]
    body = value[:17]
    assert sum(USCC_ALPHABET.index(symbol) * 3**place for place, symbol in enumerate(body)) % 31 == 0
    assert uscc_check(body) == value[-1] == "0"
    assert check_uscc(value) == value


@given(synthetic_usccs)
def test_synthetic_uscc_passes_both_checks(value: str) -> None:
    assert check_uscc(value) == value
    organisation, check = value[8:16], value[16]
    total = sum(
        weight * ALPHANUMERIC.index(symbol)
        for weight, symbol in zip((3, 7, 9, 10, 5, 8, 4, 2), organisation, strict=True)
    )
    last = 10 if check == "X" else int(check)
    assert (total + last) % 11 == 0
    assert value.startswith("91")


def test_synthetic_usccs_differ_and_reach_every_inner_check_character() -> None:
    values = [synthetic_uscc("440802", serial) for serial in range(1_000)]
    assert len(set(values)) == len(values)
    assert {value[16] for value in values} == set("0123456789X")


def test_synthetic_uscc_of_a_zone_uses_the_city() -> None:
    assert synthetic_uscc("440800-KF", 1) == synthetic_uscc("440800", 1)


@pytest.mark.parametrize("serial", [10_000, -1])
def test_synthetic_uscc_has_four_digits_of_serial(serial: int) -> None:
    with pytest.raises(ValueError):
        synthetic_uscc("440802", serial)


@given(value=synthetic_usccs, place=st.integers(0, 17), symbol=st.sampled_from(USCC_ALPHABET))
def test_one_changed_symbol_of_a_uscc_is_caught(value: str, place: int, symbol: str) -> None:
    assume(value[place] != symbol)
    with pytest.raises(InvalidInput) as caught:
        check_uscc(value[:place] + symbol + value[place + 1 :])
    of_a_region = 2 <= place < 8 and not symbol.isdigit()
    assert caught.value.code == ("USCC_REGION" if of_a_region else "USCC_CHECK_DIGIT")


@given(value=synthetic_usccs, place=st.integers(2, 7), letter=st.sampled_from("ABCDEFGHJKLMNPQRTUWXY"))
def test_a_region_of_letters_is_caught_whatever_its_check_character(value: str, place: int, letter: str) -> None:
    body = value[:place] + letter + value[place + 1 : 17]
    with pytest.raises(InvalidInput, match="USCC_REGION"):
        check_uscc(body + uscc_check(body))


@given(value=synthetic_usccs, place=st.integers(0, 15))
def test_swapped_neighbours_in_a_uscc_are_caught(value: str, place: int) -> None:
    swapped = swap(value, place)
    assume(swapped != value)
    with pytest.raises(InvalidInput):
        check_uscc(swapped)


# --- certificate number


@given(region=city_regions, year=st.integers(2000, 9999), serial=st.integers(1, MAX_SERIAL))
def test_certificate_number_reads_back(region: str, year: int, serial: int) -> None:
    number = certificate_no(region, year, "S01", serial)
    assert check_certificate_no(number) == number
    assert number.split("-")[:-1] == ["DAC", region, str(year), "S01", f"{serial:08d}"]


def test_certificate_number_of_the_vectors() -> None:
    assert certificate_no("440802", 2026, "S01", 123) == NUMBER
    assert certificate_no("440883", 2027, "S12", 99_999_999) == "DAC-440883-2027-S12-99999999-8"


@pytest.mark.parametrize("serial", [0, -1, MAX_SERIAL + 1])
def test_serials_end(serial: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        certificate_no("440802", 2026, "S01", serial)
    assert (caught.value.code, caught.value.where) == ("SERIAL_EXHAUSTED", "serial")


@given(number=numbers, place=st.integers(0, 29), symbol=st.sampled_from(ALPHANUMERIC))
def test_one_changed_symbol_of_a_certificate_number_is_caught(number: str, place: int, symbol: str) -> None:
    assume(number[place] != symbol)
    with pytest.raises(InvalidInput):
        check_certificate_no(number[:place] + symbol + number[place + 1 :])


def test_every_changed_digit_of_a_certificate_number_is_caught() -> None:
    for place in [place for place, symbol in enumerate(NUMBER) if symbol.isdigit()]:
        for digit in set("0123456789") - {NUMBER[place]}:
            with pytest.raises(InvalidInput):
                check_certificate_no(NUMBER[:place] + digit + NUMBER[place + 1 :])


@given(number=numbers, place=st.integers(0, 29))
def test_swapped_neighbours_in_a_certificate_number_are_caught(number: str, place: int) -> None:
    """Except some pairs of consecutive digits: the hybrid systems of ISO 7064 do not catch every transposition."""
    digits = [at for at, symbol in enumerate(number) if symbol.isdigit()]
    at, after = digits[place % len(digits)], digits[(place + 1) % len(digits)]
    first, second = sorted((at, after))
    assume(abs(int(number[first]) - int(number[second])) > 1)
    assume(second - first <= 2)
    swapped = number[:first] + number[second] + number[first + 1 : second] + number[first] + number[second + 1 :]
    with pytest.raises(InvalidInput):
        check_certificate_no(swapped)


def test_swapped_consecutive_digits_are_caught_almost_always() -> None:
    swaps = missed = 0
    for serial in range(1, 100_000, 17):
        number = certificate_no("440802", 2026, "S01", serial)
        for place in range(20, 27):
            if number[place] != number[place + 1]:
                swaps += 1
                missed += passes(swap(number, place))
    assert 0 < missed / swaps < 0.01
    assert passes(swap(NUMBER, 26))
    assert ("certificate_no", swap(NUMBER, 26)) in UNCAUGHT


def test_check_character_agrees_with_the_verification_form_of_the_standard() -> None:
    """ISO 7064 verifies a string with its check character: the last sum is 1 modulo 36."""
    for serial in range(1, 2_000, 13):
        assert last_sum(certificate_no("440881", 2027, "S12", serial).replace("-", "")) == 1
    assert last_sum("A12425GABC1234002M") == 1  # the published example of a release identifier


def last_sum(text: str) -> int:
    product = 36
    for symbol in text[:-1]:
        product = ((product + ALPHANUMERIC.index(symbol)) % 36 or 36) * 2 % 37
    return (product + ALPHANUMERIC.index(text[-1])) % 36


def passes(number: str) -> bool:
    try:
        check_certificate_no(number)
    except InvalidInput:
        return False
    return True


def swap(text: str, place: int) -> str:
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


# --- regions


@pytest.mark.parametrize("region", REGIONS)
def test_region_of_the_city(region: str) -> None:
    assert check_region(region) == region


@pytest.mark.parametrize("region", ["", "440399", "44080", "440802 ", "４４０８０２", "440800-kf"])
def test_no_region_of_the_city(region: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_region(region, "region")
    assert (caught.value.code, caught.value.where) == ("REGION_UNKNOWN", "region")


def test_regions_are_those_of_the_vectors_and_two_zones() -> None:
    assert {code for code in REGIONS if code.isdigit()} == VECTORS["regions"].keys()
    for code, name in VECTORS["regions"].items():
        assert REGIONS[code].startswith(name)


@given(serial=st.integers(0, 999_999), region=st.sampled_from(["440802", "440881"]))
def test_synthetic_resident_ids_are_valid_differ_and_belong_to_nobody_alive(region: str, serial: int) -> None:
    number = synthetic_resident_id(region, serial)
    assert check_resident_id(number) == number
    assert 1801 <= int(number[6:10]) <= 1803
    assert synthetic_resident_id(region, (serial + 1) % 1_000_000) != number
