"""Compares the state machines of the product and of the reference with tables of all states and transitions."""

from __future__ import annotations

import pytest

from ledger.domain.lifecycle import AUTHORIZATION, REQUEST, StateMachine
from ledger.errors import Conflict
from tests.reference.lifecycles import APPLICATION, REFERENCE_MACHINES, REGISTRATION

MACHINES = (REQUEST, AUTHORIZATION, *REFERENCE_MACHINES)

# Each line has a state and all transitions that are allowed from it, each with the state to which it leads.
WRITTEN_OUT = {
    "request": """
        sent        see→seen decline→declined expire→expired cancel→cancelled
        seen        see→seen decline→declined authorise→authorised expire→expired cancel→cancelled
        authorised  fulfil→fulfilled cancel→cancelled withdraw→cancelled
        declined
        expired
        cancelled
        fulfilled
    """,
    "authorization": """
        active      use_up→used_up expire→expired withdraw→withdrawn supersede→superseded
        used_up
        expired     withdraw→withdrawn
        withdrawn
        superseded
    """,
    "provision": """
        asked       supply→supplied find_nothing→no_data refuse→refused time_out→timed_out
        supplied    withdraw→withdrawn
        withdrawn
        no_data
        refused
        timed_out
    """,
    "usage certificate": """
        building    anchor→issued fail→failed
        failed
        issued      suspend→suspended use_up→used_up expire→expired revoke→revoked
        suspended   resume→issued expire→expired revoke→revoked
        used_up
        expired
        revoked
    """,
    "registration certificate": """
        issued      freeze→frozen supersede→superseded expire→expired cancel→cancelled annul→annulled
        frozen      unfreeze→issued expire→expired annul→annulled
        superseded
        expired
        cancelled
        annulled
    """,
    "registration": """
        none        apply→applied
        applied     confirm→confirmed reject→rejected
        confirmed   cancel→cancelled annul→annulled
        rejected
        cancelled
        annulled
    """,
    "application": """
        submitted   accept→accepted return→returned
        returned    file→submitted
        accepted    review→reviewed return→returned reject→rejected
        reviewed    notice→noticed reject→rejected confirm→confirmed
        noticed     confirm→confirmed uphold→rejected
        confirmed
        rejected
    """,
    "offer": """
        offered     accept→accepted reject→rejected withdraw→withdrawn lapse→lapsed
        lapsed      reject→rejected withdraw→withdrawn
        accepted
        rejected
        withdrawn
    """,
    "objection": """
        filed       admit→admitted refuse→refused
        admitted    verify→verified
        verified    uphold→upheld dismiss→dismissed
        upheld
        dismissed
        refused
    """,
    "lien": """
        standing    consent→standing release→released
        released
    """,
}
INITIAL = {machine: table.split()[0] for machine, table in WRITTEN_OUT.items()}


def table_of(machine: StateMachine) -> dict[str, dict[str, str]]:
    lines = [line.split() for line in WRITTEN_OUT[machine.name].strip().splitlines()]
    return {state: dict(move.split("→") for move in moves) for state, *moves in lines}


CELLS = [
    pytest.param(machine, state, move, table_of(machine)[state].get(move), id=f"{machine.name}: {state} {move}")
    for machine in MACHINES
    for state in table_of(machine)
    for move in sorted({move for moves in table_of(machine).values() for move in moves})
]


@pytest.mark.parametrize(("machine", "state", "move", "following"), CELLS)
def test_every_transition_from_every_state_leads_to_the_listed_state(
    machine: StateMachine, state: str, move: str, following: str | None
) -> None:
    if following is not None:
        assert machine.next(state, move) == following
        assert move in machine.moves_from(state)
        return
    assert move not in machine.moves_from(state)
    with pytest.raises(Conflict) as caught:
        machine.next(state, move)
    error = caught.value
    assert error.code == "MOVE_NOT_ALLOWED"
    assert error.details == {"state": state, "move": move}
    assert error.message == f"{machine.name}: the act {move} is not allowed in the state {state}."
    allowed = ", ".join(table_of(machine)[state])
    assert error.hint == f"Allowed acts in this state: {allowed or 'none, it is final'}."


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_table_of_transitions_lists_every_state_and_every_transition(machine: StateMachine) -> None:
    assert machine.states == table_of(machine).keys()
    assert machine.initial == INITIAL[machine.name]
    assert machine.moves == {
        (state, move): following for state, moves in table_of(machine).items() for move, following in moves.items()
    }


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_is_reachable(machine: StateMachine) -> None:
    reached, waiting = {machine.initial}, [machine.initial]
    while waiting:
        state = waiting.pop()
        following = {machine.next(state, move) for move in machine.moves_from(state)}
        waiting += following - reached
        reached |= following
    assert reached == machine.states


FINAL = {
    "request": {"fulfilled", "declined", "expired", "cancelled"},
    "authorization": {"used_up", "withdrawn", "superseded"},
    "provision": {"withdrawn", "no_data", "refused", "timed_out"},
    "usage certificate": {"used_up", "expired", "revoked", "failed"},
    "registration certificate": {"superseded", "expired", "cancelled", "annulled"},
    "registration": {"rejected", "cancelled", "annulled"},
    "application": {"confirmed", "rejected"},
    "offer": {"accepted", "rejected", "withdrawn"},
    "objection": {"upheld", "dismissed", "refused"},
    "lien": {"released"},
}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_final_states_are_the_expected_states(machine: StateMachine) -> None:
    assert machine.final == FINAL[machine.name]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
@pytest.mark.parametrize(("state", "move"), [("", ""), ("no such state", "expire"), ("issued", "no such move")])
def test_unknown_state_or_transition_is_refused(machine: StateMachine, state: str, move: str) -> None:
    with pytest.raises(Conflict) as caught:
        machine.next(state, move)
    assert caught.value.code == "MOVE_NOT_ALLOWED"


def test_an_application_can_be_confirmed_only_after_a_review() -> None:
    """An application without a review cannot be confirmed. Neither can an application that was rejected, cancelled or
    annulled.
    """
    for machine, needed in ((APPLICATION, "review"), (REGISTRATION, "apply")):
        others = {(state, move): to for (state, move), to in machine.moves.items() if move != needed}
        reached, waiting = {machine.initial}, [machine.initial]
        while waiting:
            state = waiting.pop()
            following = {to for (source, _), to in others.items() if source == state}
            waiting += following - reached
            reached |= following
        assert "confirmed" not in reached
    assert {state for (state, _), to in REGISTRATION.moves.items() if to == "confirmed"} == {"applied"}
