"""Tests the list of acts that are possible next for an asset in a given state.

``tests/chain/parity/test_assets_side_by_side.py`` checks that no possible act is missing from the list.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chain.parity.assets_in_states import (
    APPLIED,
    AT,
    CONFIRMED,
    FROZEN,
    IMPORTANT,
    LAPSED,
    LICENCE,
    LICENSED,
    NEW,
    OBJECTED,
    OFFERED,
    OVER,
    PLEDGED,
    WIDE,
    objected,
    staged,
)
from tests.reference.assets.life import AssetLife, Lien
from tests.reference.assets.next_moves import next_moves
from tests.reference.lifecycles import APPLICATION, OBJECTION

NEXT = {
    "new": (NEW, "register"),
    "submitted": (APPLIED, "link accept return freeze assess"),
    "returned": (staged("returned", "first"), "link file_again freeze assess"),
    "linked to the full": (replace(APPLIED, ancestors=128), "accept return freeze assess"),
    "reviewed": (staged("reviewed", "first"), "notice reject freeze assess"),
    "noticed": (staged("noticed", "first", until=AT), "object freeze assess"),
    "noticed in time": (staged("noticed", "first", until=AT - 1), "confirm freeze assess"),
    "confirmed": (
        CONFIRMED,
        "file_change file_correct file_renew file_cancel object offer freeze annul grant pledge replace assess",
    ),
    "important": (
        IMPORTANT,
        "file_change file_correct file_renew file_cancel clear object offer freeze annul grant pledge replace assess",
    ),
    "renewal under review": (
        staged("reviewed", "renew"),
        "notice reject confirm object freeze annul grant pledge replace assess",
    ),
    "offered": (
        OFFERED,
        "object accept_transfer reject_transfer withdraw_offer freeze annul pledge replace assess",
    ),
    "offered with a right": (
        replace(OFFERED, rights=(WIDE,)),
        "object accept_transfer reject_transfer withdraw_offer freeze annul grant transfer_right end_right pledge "
        "replace assess",
    ),
    "lapsed": (
        LAPSED,
        "file_change file_correct file_renew file_cancel object offer reject_transfer withdraw_offer freeze annul "
        "grant pledge replace assess",
    ),
    "frozen": (FROZEN, "file_correct object unfreeze annul replace assess"),
    "over": (OVER, "file_cancel object freeze annul assess"),
    "objected": (
        OBJECTED,
        "file_change file_correct file_renew file_cancel object admit refuse freeze annul replace assess",
    ),
    "pledged": (
        PLEDGED,
        "file_change file_correct file_renew file_cancel object freeze annul grant pledge consent release replace "
        "assess",
    ),
    "pledged to one alone and let go": (
        replace(CONFIRMED, liens={0: Lien(3, 1, True, 900, consent_to=2)}),
        "file_change file_correct file_renew file_cancel object offer freeze annul grant consent release replace "
        "assess",
    ),
    "with rights": (
        LICENSED,
        "file_change file_correct file_renew file_cancel object offer freeze annul grant transfer_right end_right "
        "pledge replace assess",
    ),
    "with rights that ended": (
        replace(CONFIRMED, rights=(replace(WIDE, end=AT), LICENCE)),
        "file_change file_correct file_renew file_cancel object offer freeze annul grant pledge replace assess",
    ),
    "returned and over": (staged("returned", "renew", valid_to=AT), "object freeze annul assess"),
    "returned and frozen": (staged("returned", frozen=True), "object unfreeze annul replace assess"),
    "a correction returned and frozen": (
        staged("returned", "correct", frozen=True),
        "file_again object unfreeze annul replace assess",
    ),
    "a cancellation returned and over": (
        staged("returned", "cancel", valid_to=AT),
        "file_again object freeze annul assess",
    ),
    "full of applications": (
        replace(CONFIRMED, applications=255),
        "object offer freeze annul grant pledge replace assess",
    ),
    "annulled": (replace(CONFIRMED, state="annulled"), "assess"),
}


@pytest.mark.parametrize(("life", "moves"), NEXT.values(), ids=NEXT)
def test_each_state_has_the_expected_possible_next_acts(life: AssetLife, moves: str) -> None:
    assert next_moves(life, AT) == moves.split()


def test_every_act_that_the_tables_allow_is_a_possible_next_act() -> None:
    """The tables of transitions allow acts in each state; each of these acts must be in the list for this state."""
    for (stage, move), _ in APPLICATION.moves.items():
        life = staged(stage, "correct", until=AT - 1)
        if move != "uphold":
            assert {"file": "file_again"}.get(move, move) in next_moves(life, AT)
    for (state, move), _ in OBJECTION.moves.items():
        assert move in next_moves(objected(state), AT)
