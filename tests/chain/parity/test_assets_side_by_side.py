"""Makes random sequences of acts on assets, with the contract and with ``tests.reference``. For every act, both must
give the same result and keep the same records.

By default a few fixed sequences are run. With ``SIDE_BY_SIDE_EXAMPLES=5000``, 5,000 random sequences are run instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ledger.chain.contracts.revert import code_of, load_meanings
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.sending import asset_calls
from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError
from tests.chain.parity.asset_world import FUNDED, NOTICE, SideBySide, World, verdict
from tests.chain.parity.drawn_asset_acts import BUILDERS, SAID, Choices, step, wait
from tests.reference.assets import transfers as asset_transfers
from tests.reference.assets.life import AssetLife
from tests.reference.assets.next_moves import next_moves
from tests.reference.assets.refusals import REFUSALS, refused
from tests.reference.lifecycles import REGISTRATION
from tests.support.chain.deployed import PARTIES
from tests.support.chain.scripted_ledger import digest

EXAMPLES = int(os.environ.get("SIDE_BY_SIDE_EXAMPLES", "0"))
MOVES = 60
SEED = 4
STARTS = ("confirmed", "burdened", "important", "noticed", "submitted")
OTHERS = ("other", "unregistered")
# Acts that continue an asset's history are tried more often than acts that end or stop it.
WEIGHTS = dict.fromkeys(("accept", "review", "notice", "confirm", "offer", "admit", "grant"), 20)
WEIGHTS |= dict.fromkeys(("accept_transfer", "reject_transfer", "withdraw_offer", "file_again", "clear"), 40)
WEIGHTS |= dict.fromkeys(("verify", "uphold", "dismiss"), 60)
WEIGHTS |= dict.fromkeys(("annul", "assess", "file_cancel", "freeze", "object"), 2)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world with assets in several states, the same on the contract and in the reference."""
    funded = [PARTIES[FUNDED].account]
    directory = tmp_path_factory.mktemp("sides")
    with LocalNode(directory, program=JOURNAL, chain_id=4410, funded=funded, persistent=False) as node:
        made = World(node)
        sides = SideBySide(made)
        important = bytes(7) + b"\1"
        for asset in (*STARTS, "other"):
            assert sides.make(step(sides, "register", asset, Choices(important if asset == "important" else b"")))
        likely(sides, "important", "clear")
        later = ("confirmed", "burdened", "important", "other")
        for asset in later:
            likely(sides, asset, "accept", "review", "notice")
        sides.now += NOTICE + 1
        for asset in later:
            likely(sides, asset, "confirm")
        likely(sides, "burdened", "grant", "pledge")
        likely(sides, "noticed", "accept", "review", "notice")
        made.keep(sides)
        yield made


def likely(sides: SideBySide, asset: str, *moves: str) -> None:
    """Make the acts, and fail if one is refused. For each choice that an act needs, the first option is taken."""
    for move in moves:
        assert sides.make(step(sides, move, asset, Choices()))


def play(sides: SideBySide, asset: str, chosen: bytes) -> None:
    choices = Choices(chosen)
    others = [*STARTS, *OTHERS]
    alive = [asset] * 20 if sides.life(asset).state not in REGISTRATION.final else []
    asset = choices.of([*alive, *others])
    what = choices.of(range(16))
    if what == 15:
        absent = [name for name, party in sides.parties.items() if not party.active]
        name = choices.of(absent or sorted(sides.parties.keys() - {"founder"}))
        sides.set_status(name, "active" if absent else "suspended")
    elif what >= 13:
        wait(sides, asset, choices)
        note(f"at {sides.now}")
    else:
        possible = next_moves(sides.life(asset), sides.now)
        weighted = [move for move in possible for _ in range(WEIGHTS.get(move, 8))]
        move = step(sides, choices.of([*weighted, *BUILDERS, *tempting(sides.life(asset))]), asset, choices)
        note(f"{move.name} {asset} by {move.by.no}: {move.call.function} {move.call.args[1:]}")
        sides.make(move)


def tempting(life: AssetLife) -> list[str]:
    """Return acts that the asset's state allows, but that may be too early or too late."""
    late = ["accept_transfer"] * 9 if life.offered_to else []
    early = ["confirm"] * 9 if life.stage in ("reviewed", "noticed") else []
    return late + early


def test_contracts_and_reference_implementation_agree_on_random_acts(world: World) -> None:
    @settings(max_examples=EXAMPLES or 50, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(STARTS), st.binary(min_size=MOVES * SEED // 2, max_size=MOVES * SEED))
    def lives(start: str, seeds: bytes) -> None:
        sides = SideBySide(world)
        for place in range(0, len(seeds), SEED):
            # Each byte is hashed with its position, because hypothesis often draws equal bytes, which would choose the
            # same act each time.
            play(sides, start, sha256(seeds[place : place + SEED] + bytes([place])).digest())

    lives()
    assert world.done.keys() == BUILDERS.keys()
    assert len(world.refused) > 20


def test_an_upheld_objection_does_not_reject_the_next_application(world: World) -> None:
    """Two objections to one application are upheld. The first rejects this application; the second must not reject the
    application after it.
    """
    sides = SideBySide(world)
    to_notice = ("file_change", "accept", "review", "notice")
    likely(sides, "confirmed", *to_notice, "object", "object", "admit", "verify", "uphold")
    assert sides.life("confirmed").stage is None
    likely(sides, "confirmed", *to_notice)
    noticed = sides.life("confirmed")
    likely(sides, "confirmed", "admit", "verify", "uphold")
    assert [objection.state for objection in sides.life("confirmed").objections] == ["upheld", "upheld"]
    assert replace(sides.life("confirmed"), objections=noticed.objections) == noticed
    likely(sides, "confirmed", "object", "admit", "verify", "uphold")
    assert sides.life("confirmed").stage is None


def reassigned(sides: SideBySide, to: str, *, decided: bool = True, silent: bool = True, grounds: str = SAID) -> str:
    """Try to reassign the confirmed and offered asset to party ``to``; return whether both the contract and the
    reference accept this.
    """
    life, by, taker = sides.life("confirmed"), sides.parties["founder"], sides.parties[to]
    call = asset_calls.reassign(digest("confirmed"), taker.no, grounds)
    expected = None
    try:
        life = asset_transfers.reassign(life, by, taker, grounds, sides.now, decided=decided, silent=silent)
    except PingzhengError as error:
        expected = error
    found = sides.world.decide(call, sides.now) if decided else sides.world.send(by, call, sides.now)
    assert verdict(found) == verdict(expected)
    sides.lives["confirmed"] = life
    sides.compare("confirmed")
    return verdict(found)


def test_two_officers_can_reassign_the_asset_of_a_silent_party(world: World) -> None:
    sides = SideBySide(world)
    likely(sides, "confirmed", "offer")
    holder = next(name for name, party in sides.parties.items() if party.no == sides.life("confirmed").holder)
    assert reassigned(sides, "bank", decided=False, silent=False) == "ASSET_NOT_DECIDED"
    assert reassigned(sides, "bank", silent=False) == "ASSET_HOLDER_SPEAKS"
    sides.set_status(holder, "closed")
    assert reassigned(sides, "bank", grounds=asset_calls.NOTHING) == "ASSET_ZERO"
    assert reassigned(sides, holder) == "ASSET_BAD_RECIPIENT"
    sides.set_status("bank", "suspended")
    assert reassigned(sides, "bank") == "ASSET_BAD_RECIPIENT"
    sides.set_status("bank", "active")
    assert reassigned(sides, "bank") == "done"
    assert (sides.life("confirmed").holder, sides.life("confirmed").offered_to) == (sides.parties["bank"].no, 0)


def test_the_reference_implementation_refuses_with_the_same_errors_as_the_chain() -> None:
    """For each refusal, the error of the reference and the contract's error have the same class, message and hint."""
    meanings = {code_of(name): meaning for name, meaning in load_meanings().items()}
    asset_errors = {code for code in meanings if code.startswith("ASSET_")}
    assert REFUSALS.keys() == asset_errors | {"PARTY_NOT_ACTIVE", "PARTY_LACKS_ROLE"}
    kinds = {"conflict": Conflict, "forbidden": Forbidden, "invalid": InvalidInput}
    for code in REFUSALS:
        error, meaning = refused(code), meanings[code]
        assert (type(error), error.message, error.hint) == (
            kinds[meaning["kind"]],
            meaning["message"],
            meaning.get("hint"),
        )
