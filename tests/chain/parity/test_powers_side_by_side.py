"""Makes random acts of officers and parties, with the contracts and with ``tests.reference``. Both must give the same
results, the same events and the same records.

By default a few fixed runs are made. With ``SIDE_BY_SIDE_EXAMPLES=5000``, 5,000 random runs are made instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from tests.chain.parity.drawn_asset_acts import Choices
from tests.chain.parity.drawn_power_acts import BUILDERS, WEIGHTED, wait
from tests.chain.parity.power_world import ACCOUNTS, DELAY, FOUNDED, PAYER, PairedAct, SideBySide, World
from tests.reference.powers.acts import Powers
from tests.reference.powers.state import AUTHORITY, MAX_PAUSE, NO_PROOF, OPEN_FOR, REGISTRY, RIGHT, SUBJECT, Act
from tests.support.chain.deployed import PARTIES
from tests.support.chain.scripted_ledger import digest

EXAMPLES = int(os.environ.get("SIDE_BY_SIDE_EXAMPLES", "0"))
MOVES = 60
SEED = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    funded = [PARTIES["founder"].account]
    directory = tmp_path_factory.mktemp("powers")
    with LocalNode(directory, program=JOURNAL, chain_id=4414, funded=funded, persistent=False) as node:
        yield World(node)


def play(sides: SideBySide, chosen: bytes) -> None:
    choices = Choices(chosen)
    if choices.of(range(8)) >= 6:
        wait(sides, choices)
        note(f"at {sides.now}")
        return
    move = BUILDERS[choices.of(WEIGHTED)](sides, choices)
    note(f"{move.name}: {sides.named(move.args)}")
    sides.make(move)


def test_contracts_and_reference_implementation_agree_on_random_acts(world: World) -> None:
    @settings(max_examples=EXAMPLES or 30, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=MOVES * SEED // 2, max_size=MOVES * SEED))
    def lives(seeds: bytes) -> None:
        sides = SideBySide(world)
        for place in range(0, len(seeds), SEED):
            # Each byte is hashed with its position, because hypothesis often draws equal bytes, which would choose the
            # same act each time.
            play(sides, sha256(seeds[place : place + SEED] + bytes([place])).digest())
        sides.compare()

    lives()
    assert world.done.keys() >= BUILDERS.keys() - {"call alone"}
    assert len(world.refused) > 25


def test_a_key_can_veto_a_proposal_if_the_key_was_live_when_the_proposal_was_made(world: World) -> None:
    """A key can veto if it was live at the time of the proposal, counted in whole seconds. A key that was bound or
    retired in the same second as the proposal counts as live. A key that was retired one second earlier, or bound one
    second later, does not count as live.
    """
    sides = SideBySide(world)
    officer, other, first, second = (ACCOUNTS[place] for place in (0, 2, 12, 13))
    listed = Act(REGISTRY, "register", (((digest("newcomer"), ((first, RIGHT),), SUBJECT),),))
    proposed = calls.propose_registration(world.digest_of(listed))
    assert make(sides, officer, proposed, Powers.propose_registration, officer, listed)
    confirmed = Call(PARTY_REGISTRY, "confirm", (1, *world.sent(listed)))
    assert make(sides, other, confirmed, Powers.confirm, other, 1, listed)
    no = len(FOUNDED) + 1
    rotation = Act(REGISTRY, "changeKey", (no, second, first, RIGHT))
    recovery = Act(REGISTRY, "changeKey", (no, ACCOUNTS[14], "", NO_PROOF))
    propose(sides, officer, recovery)
    assert make(sides, first, calls.veto(2), Powers.veto, first, 2)
    propose(sides, first, rotation)
    sides.now += DELAY - 1
    propose(sides, officer, recovery)
    sides.now += 1
    propose(sides, officer, recovery)
    carried = Call(PARTY_REGISTRY, "carryOut", (3, *world.sent(rotation)))
    assert make(sides, PAYER, carried, Powers.carry_out, 3, rotation)
    assert not make(sides, second, calls.veto(4), Powers.veto, second, 4)
    assert make(sides, second, calls.veto(5), Powers.veto, second, 5)
    propose(sides, officer, recovery)
    assert make(sides, first, calls.veto(6), Powers.veto, first, 6)
    sides.now += 1
    propose(sides, officer, recovery)
    assert not make(sides, first, calls.veto(7), Powers.veto, first, 7)
    sides.compare()


def test_an_accused_officer_cannot_cancel_until_the_accusation_expires(world: World) -> None:
    """Time during a pause does not count, so a pause makes the accusation last longer. No officer can ever cancel a
    proposal that has no waiting period or is about this officer.
    """
    sides = SideBySide(world)
    first, second, third = (ACCOUNTS[place] for place in (0, 2, 4))
    accusation = Act(REGISTRY, "setRoles", (3, 0))
    propose(sides, first, accusation)
    assert not make(sides, third, calls.cancel(1), Powers.cancel, third, 1)
    sides.now += 7
    confirm(sides, second, 1, accusation)
    appointment = Act(REGISTRY, "setRoles", (7, AUTHORITY))
    propose(sides, first, appointment)
    assert not make(sides, third, calls.cancel(2), Powers.cancel, third, 2)
    # Officers that are not accused can cancel.
    propose(sides, second, appointment)
    assert make(sides, first, calls.cancel(3), Powers.cancel, first, 3)
    pause = Act(REGISTRY, "endPause")
    propose(sides, first, pause)
    for canceller in (first, second, third):
        assert not make(sides, canceller, calls.cancel(4), Powers.cancel, canceller, 4)
    guardian = ACCOUNTS[6]
    assert make(sides, guardian, calls.pause(), Powers.pause, guardian)
    sides.now += MAX_PAUSE + DELAY + OPEN_FOR - 7
    assert not make(sides, third, calls.cancel(2), Powers.cancel, third, 2)
    sides.now += 1
    propose(sides, first, appointment)
    assert make(sides, third, calls.cancel(5), Powers.cancel, third, 5)
    sides.compare()
    assert {"PartyAccused", "PartySelfGrant", "PartyNotCancellable"} <= set(world.refused)


def test_a_party_without_a_proven_key_is_silent_after_the_waiting_period(world: World) -> None:
    """The party stays silent while it has only an SM2 key, because the chain cannot check SM2 signatures. The silence
    ends with a key whose possession is proven.
    """
    sides = SideBySide(world)
    officer, other, own = (ACCOUNTS[place] for place in (0, 2, 10))
    clerk = len(FOUNDED)
    recovery = Act(REGISTRY, "changeKey", (clerk, ACCOUNTS[12], own, RIGHT))
    unproven = Act(REGISTRY, "changeKey", (clerk, ACCOUNTS[13], "", NO_PROOF))
    sides.now += 5
    assert make(sides, officer, calls.report(clerk, own), Powers.report, officer, clerk, own)
    for number, act in enumerate((unproven, recovery), start=1):
        propose(sides, officer, act)
        confirm(sides, other, number, act)
    sides.now += DELAY - 1
    sides.compare()
    assert not sides.powers.is_silent(clerk)
    sides.now += 1
    # The contract answers as of the time of its newest block. This proposal is made only so that there is a block at
    # the present time.
    propose(sides, officer, unproven)
    sides.compare()
    assert sides.powers.is_silent(clerk)
    for number, act, silent in ((1, unproven, True), (2, recovery, False)):
        carried = Call(PARTY_REGISTRY, "carryOut", (number, *world.sent(act)))
        assert make(sides, PAYER, carried, Powers.carry_out, number, act)
        sides.compare()
        assert sides.powers.is_silent(clerk) is silent


def confirm(sides: SideBySide, by: str, number: int, act: Act) -> None:
    confirmed = Call(PARTY_REGISTRY, "confirm", (number, *sides.world.sent(act)))
    assert make(sides, by, confirmed, Powers.confirm, by, number, act)


def propose(sides: SideBySide, by: str, act: Act) -> None:
    assert make(sides, by, Call(PARTY_REGISTRY, "propose", sides.world.sent(act)), Powers.propose, by, act)


def make(sides: SideBySide, sender: str, call: Call, act: Callable[..., None], *args: object) -> bool:
    return sides.make(PairedAct(call.function, sender, call, act, args))
