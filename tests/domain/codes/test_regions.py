"""Regions of the city, and synthetic ID numbers of persons with a region that is no county."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.codes import SYNTHETIC_REGION, check_region, check_resident_id, synthetic_resident_id
from ledger.domain.regions import REGIONS
from ledger.errors import InvalidInput
from tests.domain.codes.code_vectors import VECTORS, by_stdnum


@pytest.mark.parametrize("region", REGIONS)
def test_region_in_the_citys_list_is_accepted(region: str) -> None:
    assert check_region(region) == region


@pytest.mark.parametrize("region", ["", "440399", "44080", "440802 ", "４４０８０２", "440800-kf"])
def test_region_outside_the_citys_list_is_refused(region: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_region(region, "region")
    assert (caught.value.code, caught.value.where) == ("REGION_UNKNOWN", "region")


def test_the_known_regions_are_those_in_the_test_vectors_and_two_zones() -> None:
    assert {code for code in REGIONS if code.isdigit()} == VECTORS["regions"].keys()
    for code, name in VECTORS["regions"].items():
        assert REGIONS[code].startswith(name)


@given(serial=st.integers(0, 999_998))
def test_synthetic_resident_ids_are_valid_and_unique_and_of_the_synthetic_region(serial: int) -> None:
    number = synthetic_resident_id(serial)
    assert check_resident_id(number) == number
    assert number.startswith(SYNTHETIC_REGION)
    assert int(number[14:17]) % 100 > 0
    assert synthetic_resident_id(serial + 1) != number


def test_synthetic_region_is_not_a_county() -> None:
    assert SYNTHETIC_REGION not in REGIONS
    assert not by_stdnum(synthetic_resident_id(7))  # No county had this code at any time since 1980.
