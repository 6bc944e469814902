"""Short functions for the tests of proposals: propose, confirm, carry out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.errors import PingzhengError
from tests.support.chain.deployed import PARTIES, Chain, test_key
from tests.support.chain.scripted_ledger import account

FIRM = PARTIES["enterprise"]
FRESH = "the firm's new key"


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(PingzhengError) as caught:
        act()
    return caught.value.code


def recovery(chain: Chain) -> Call:
    return calls.change_key(FIRM.no, account(FRESH), FIRM.account, chain.proof(test_key(FRESH), FIRM.no))


def confirmed(chain: Chain, call: Call, by: str = "founder", confirmer: str = "second") -> int:
    number = chain.propose(call, by)
    chain.acting(confirmer).send(calls.confirm(number, call))
    return number


def carry_out(chain: Chain, number: int, call: Call) -> Callable[[], object]:
    """Return a function that carries out a proposal from the account of a party that the proposal does not concern."""
    return lambda: chain.acting("other_bank").send(calls.carry_out(number, call))


def speaks(chain: Chain, owner: str) -> bool:
    record = chain.reader.account(owner)
    return record is not None and record.speaks
