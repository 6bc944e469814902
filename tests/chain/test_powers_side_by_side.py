"""Random lives of the powers through the contracts and through ``tests.reference``, side by side: whatever is tried,
both give the same verdict, fold the same events and keep the same records.

``SIDE_BY_SIDE_EXAMPLES=5000`` runs that many lives, others each time, in place of the few that are always the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ledger.chain.node import JOURNAL, LocalNode
from tests.chain.moves import Choices
from tests.chain.power_moves import BUILDERS, WEIGHTED, wait
from tests.chain.power_sides import Sides, World
from tests.conftest import PARTIES

EXAMPLES = int(os.environ.get("SIDE_BY_SIDE_EXAMPLES", "0"))
MOVES = 60
SEED = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    funded = [PARTIES["founder"].account]
    directory = tmp_path_factory.mktemp("powers")
    with LocalNode(directory, program=JOURNAL, chain_id=4414, funded=funded, persistent=False) as node:
        yield World(node)


def play(sides: Sides, chosen: bytes) -> None:
    choices = Choices(chosen)
    if choices.of(range(8)) >= 6:
        wait(sides, choices)
        note(f"at {sides.now}")
        return
    move = BUILDERS[choices.of(WEIGHTED)](sides, choices)
    note(f"{move.name}: {sides.named(move.args)}")
    sides.make(move)


def test_the_same_whatever_is_tried(world: World) -> None:
    @settings(max_examples=EXAMPLES or 30, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=MOVES * SEED // 2, max_size=MOVES * SEED))
    def lives(seeds: bytes) -> None:
        sides = Sides(world)
        for place in range(0, len(seeds), SEED):
            # Hashed with its place: hypothesis likes equal bytes, which would choose the same again and again.
            play(sides, sha256(seeds[place : place + SEED] + bytes([place])).digest())
        sides.compare()

    lives()
    assert world.done.keys() == BUILDERS.keys() - {"call alone"}
    assert len(world.refused) > 25
