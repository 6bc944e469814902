"""The cost of a set of parties: onboarding many parties takes as many queries and node calls as onboarding one
party.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.measuring.counting import Counts, counted
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import gas
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.installation.wiring import Ledger
from ledger.parties.known import KnownParty
from ledger.parties.newcomers import NewParty
from tests.support.actors.pilots import Pilot

MANY = 12
NUMBERS = iter(range(6_100, 6_900))


def firms(ledger: Ledger, count: int) -> list[NewParty]:
    """Return new firms; the installation keeps the firms' keys."""
    keys = map(ledger.custody.public_key, ledger.custody.create(count))
    return [
        NewParty(PartyKind.ENTERPRISE, f"某公司{number}", synthetic_uscc("440881", number), "440881", key)
        for number, key in zip(NUMBERS, keys, strict=False)
    ]


def onboarded(ledger: Ledger, count: int) -> tuple[list[KnownParty], Counts]:
    """Onboard new firms; return the firms, and how many queries and calls this took."""
    newcomers = firms(ledger, count)
    with counted(ledger.database.engine) as counts:
        made = ledger.parties.onboarding.onboard(ledger.authority, newcomers)
    return made, counts


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count the gas estimates and the transactions that are sent."""
    found: Counter[str] = Counter()

    def counts(name: str) -> None:
        own = getattr(Connection, name)

        def noted(*args: Any, **more: Any) -> Any:
            found[name] += 1
            return own(*args, **more)

        monkeypatch.setattr(Connection, name, noted)

    counts("estimate_gas")
    counts("send_raw")
    yield found
    monkeypatch.undo()


def test_twelve_firms_take_as_many_queries_transactions_and_node_calls_as_one_firm(pilot: Pilot) -> None:
    # This call is not counted: it also brings the index up to date with what other tests did on the chain.
    onboarded(pilot.ledger, 1)
    one, cost_of_one = onboarded(pilot.ledger, 1)
    many, cost_of_many = onboarded(pilot.ledger, MANY)
    assert cost_of_many == cost_of_one
    numbers = [each.no for each in (*one, *many)]
    assert numbers == list(range(numbers[0] or 0, (numbers[0] or 0) + 1 + MANY))


def test_gas_is_estimated_only_for_the_proposal_of_a_list(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked(monkeypatch) as calls:
        onboarded(pilot.ledger, MANY)
    assert calls == {"estimate_gas": 1, "send_raw": 2}


def test_parties_are_registered_even_if_the_chain_needs_more_gas_than_the_computed_limit(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gas, "_PARTY", 0)
    monkeypatch.setattr(gas, "_KEY", {64: 20_000})
    monkeypatch.setattr(gas, "_CONFIRM", 50_000)
    with asked(monkeypatch) as calls:
        made, _ = onboarded(pilot.ledger, MANY)
    assert calls == {"estimate_gas": 2, "send_raw": 3}
    assert all(each.no for each in made)


def test_parties_that_do_not_fit_into_one_block_are_registered_in_several_lists(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gas, "MOST", 1_200_000)
    made, _ = onboarded(pilot.ledger, MANY)
    assert [each.no for each in made] == sorted(each.no or 0 for each in made)
    assert 2 <= len({each.listed for each in made}) < MANY


def test_the_keys_in_the_database_are_the_keys_on_the_chain(pilot: Pilot) -> None:
    ledger = pilot.ledger
    made, _ = onboarded(ledger, MANY)
    for each in made:
        (key,) = ledger.parties.keys.history(each.id)
        record = ledger.reader.account(each.account)
        assert record is not None
        assert (key.bound_at, key.retired_at, key.reported_at) == (record.valid_from, None, None)
        assert record.party_no == each.no
    assert ledger.parties.keys.settle_changed() == []
