"""Compares every state and transition of the catalogue's state machines with the tables in this file."""

from __future__ import annotations

import pytest

from ledger.catalogue.states import DEMAND, RESOURCE
from ledger.domain.lifecycle import StateMachine
from ledger.errors import Conflict

WRITTEN_OUT = {
    "resource": """
        draft          edit→draft submit→submitted block→blocked
        submitted      edit→draft sign→cdo_signed block→blocked
        cdo_signed     edit→draft publish→published block→blocked
        published      edit→changed retire→retired block→blocked
        changed        edit→changed submit→submitted retire→retired block→blocked
        blocked        edit→draft lift→submitted retire→retired
        retired
    """,
    "demand": """
        filed          match→matched refuse→refused
        matched        match→matched accept→duty_accepted refuse→refused
        duty_accepted  connect→connected refuse→refused
        connected      close→closed
        refused        appeal→appealed
        appealed       match→matched close→closed
        closed
    """,
}
TABLES = {
    name: {line.split()[0]: dict(move.split("→") for move in line.split()[1:]) for line in text.strip().splitlines()}
    for name, text in WRITTEN_OUT.items()
}
MACHINES = (RESOURCE, DEMAND)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_each_state_of_a_resource_or_demand_allows_only_the_expected_steps(machine: StateMachine) -> None:
    table = TABLES[machine.name]
    assert machine.states == table.keys()
    for state, moves in table.items():
        for move in {move for row in table.values() for move in row}:
            if move in moves:
                assert machine.next(state, move) == moves[move]
                continue
            with pytest.raises(Conflict) as caught:
                machine.next(state, move)
            assert caught.value.code == "MOVE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("machine", "initial", "final"), [(RESOURCE, "draft", {"retired"}), (DEMAND, "filed", {"closed"})]
)
def test_each_state_machine_has_the_expected_first_and_final_states(
    machine: StateMachine, initial: str, final: set[str]
) -> None:
    assert (machine.initial, machine.final) == (initial, final)


def test_no_sequence_of_steps_publishes_a_resource_without_a_signature() -> None:
    unsigned = {(state, move): to for (state, move), to in RESOURCE.moves.items() if move != "sign"}
    reached, waiting = {"draft"}, ["draft"]
    while waiting:
        state = waiting.pop()
        following = {to for (source, _), to in unsigned.items() if source == state} - reached
        reached |= following
        waiting += following
    assert not {"cdo_signed", "published"} & reached
