"""The filter of holdings accepts conditions with valid values and refuses all others."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.usage.holdings.filter import CLASSES, PARTS, STATES, HoldingsFilter

PARTY = "a" * 64
UNFIT = [
    ("part", {"part": "subject"}),
    ("part", {"party": PARTY, "part": "owner"}),
    ("party", {"party": "a"}),
    ("provider", {"provider": "A" * 64}),
    ("scenario", {"scenario": "S５1"}),
    ("class", {"cls": "both"}),
    ("state", {"state": "valid"}),
]


@pytest.mark.parametrize(("where", "members"), UNFIT, ids=[str(members) for _, members in UNFIT])
def test_an_invalid_filter_is_refused_with_the_name_of_the_wrong_member(where: str, members: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="FILTER_INVALID") as refusal:
        HoldingsFilter(**members)
    assert refusal.value.where == where


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"party": PARTY},
        {"party": PARTY, "provider": PARTY, "scenario": "S51", "issued_from": 5, "issued_to": 5, "expires_before": 0},
        *({"party": PARTY, "part": part} for part in PARTS),
        *({"cls": cls} for cls in CLASSES),
        *({"state": state} for state in STATES),
    ],
    ids=str,
)
def test_a_valid_filter_is_accepted(members: dict[str, Any]) -> None:
    wanted = HoldingsFilter(**members)
    assert {name: getattr(wanted, name) for name in members} == members
