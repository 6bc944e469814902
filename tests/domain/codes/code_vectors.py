"""Test vectors for codes, and functions that several tests of codes use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from stdnum.cn import ric

from ledger.domain.codes import check_certificate_no, check_resident_id, check_uscc
from ledger.domain.regions import REGIONS

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text("utf-8"))
CHECKS = {"uscc": check_uscc, "resident_id": check_resident_id, "certificate_no": check_certificate_no}
# These numbers have two neighbouring digits swapped, but their check character is still valid, because MOD 37,36 does
# not catch every swap.
UNCAUGHT = [(kind, item["value"]) for kind in CHECKS for item in VECTORS[kind].get("uncaught", ())]
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBER = "DAC-440802-2026-S01-00000123-V"
city_regions = st.sampled_from([region for region in REGIONS if region.isdigit()])


def swap(text: str, place: int) -> str:
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def by_stdnum(number: str) -> bool:
    """Return whether the library stdnum accepts the number. Raise ``KeyError`` if stdnum does not know the number's
    province.
    """
    try:
        return bool(ric.is_valid(number))
    except KeyError:
        return False
