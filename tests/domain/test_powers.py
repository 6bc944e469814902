"""The code, docs/protocol.md and the contract have the same constants about the powers of parties."""

from __future__ import annotations

import re

import pytest

from ledger.domain.days import DAY
from ledger.domain.powers import (
    DEFAULT_DELAY,
    MAX_PAUSE,
    MIN_DELAY,
    OPEN_FOR,
    PAUSE_REST,
    THRESHOLD,
    ProposalState,
)
from tests.support.places import PROJECT

CONTRACTS = "".join(path.read_text("utf-8") for path in sorted((PROJECT / "contracts").rglob("*.sol")))
PROTOCOL = " ".join((PROJECT / "docs" / "protocol.md").read_text("utf-8").split())


@pytest.mark.parametrize(
    ("name", "value"),
    [("THRESHOLD", THRESHOLD), ("OPEN_FOR", OPEN_FOR), ("MAX_PAUSE", MAX_PAUSE), ("PAUSE_REST", PAUSE_REST)],
)
def test_contract_has_the_same_constants_as_the_python_code(name: str, value: int) -> None:
    (number, days) = re.search(rf"\b{name} = (\d+)( days)?;", CONTRACTS).groups()
    assert int(number) * (DAY if days else 1) == value


@pytest.mark.parametrize(
    "said",
    [
        f"a delay below {MIN_DELAY // 3600} hours ({MIN_DELAY:,}) is meant for a",
        f"from `ready` on, for {OPEN_FOR // DAY} days",
        f"for {MAX_PAUSE // DAY} days; the same one again {PAUSE_REST // DAY} days after that",
        f'"delay": {DEFAULT_DELAY}, "threshold": {THRESHOLD}',
        ", ".join(f"{state.number} {state.replace('_', ' ')}" for state in list(ProposalState)[1:]),
    ],
)
def test_protocol_page_has_the_same_constants_as_the_python_code(said: str) -> None:
    assert said in PROTOCOL


def test_proposal_states_have_the_contracts_numbers() -> None:
    names = re.search(r"enum ProposalState \{([^}]*)\}", CONTRACTS).group(1).split(",")
    spelled = ["".join(part.capitalize() for part in state.split("_")) for state in ProposalState]
    assert [name.strip() for name in names] == ["None", *spelled]
    assert [ProposalState.numbered(state.number) for state in ProposalState] == list(ProposalState)


@pytest.mark.parametrize("number", [-1, 0, 5])
def test_unknown_state_number_is_refused(number: int) -> None:
    with pytest.raises(ValueError):
        ProposalState.numbered(number)
