"""The cost of a set of assets: to submit, register, review and certify many assets takes as many queries, transactions
and requests to the node as for one asset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ledger.chain.rpc.provider import NodeProvider
from ledger.chain.sending.client import ChainClient
from ledger.domain import entries
from ledger.domain.resource import DataResource, check_resource
from tests.support.actors.pilots import Pilot, resource
from tests.support.ledgers.small_ledger import counting

MANY = 12
Cost = dict[str, tuple[int, int, int]]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the requests to the node; a batch of calls is one request."""
    sent: list[str] = []
    exchanged = NodeProvider._exchanged

    def noted(provider: NodeProvider, method: str, asked: bytes, seconds: float) -> object:
        sent.append(method)
        return exchanged(provider, method, asked, seconds)

    monkeypatch.setattr(NodeProvider, "_exchanged", noted)
    return sent


@contextmanager
def costing(pilot: Pilot, requests: list[str], name: str, found: Cost) -> Iterator[None]:
    """Add to ``found`` how many SQL statements, write transactions and requests to the node the body of the ``with``
    statement takes.
    """
    before = len(requests)
    with counting(pilot.ledger.database.engine) as statements:
        yield
    begun = [statement for statement in statements if statement.startswith("BEGIN IMMEDIATE")]
    found[name] = len(statements), len(begun), len(requests) - before


def cost_of(pilot: Pilot, requests: list[str], resources: list[DataResource]) -> Cost:
    """Submit, register, review and certify resources, with one call for all resources in each step; return the cost of
    each step.
    """
    registration, found = pilot.ledger.registration, Cost()
    provider, registrar = pilot.actor(pilot.cast.provider), pilot.actor(pilot.cast.registrar)
    with costing(pilot, requests, "submit", found):
        assets = registration.registrations.submit(provider, resources).accepted
    assert len(set(assets)) == len(resources)
    with costing(pilot, requests, "register", found):
        registration.registrations.register(assets)
    steps: dict[str, Callable[..., int]] = {
        "accept": registration.review.accept,
        "review": registration.review.review,
        "notice": registration.review.notice,
    }
    for name, step in steps.items():
        with costing(pilot, requests, name, found):
            step(registrar, assets)
    pilot.after_notice(assets)
    with costing(pilot, requests, "confirm", found):
        registration.review.confirm(registrar, assets)
    assert all(len(pilot.certificates(asset)) == 1 for asset in assets)
    return found


def test_each_step_takes_as_many_queries_and_calls_for_twelve_assets_as_for_one_asset(
    pilot: Pilot, requests: list[str]
) -> None:
    # The cost of the first asset is not compared. It includes reading, once, what never changes on the chain and in the
    # scenario.
    cost_of(pilot, requests, [resource("cost/first")])
    one = cost_of(pilot, requests, [resource("cost/one")])
    assert cost_of(pilot, requests, [resource(f"cost/{number}") for number in range(MANY)]) == one


def test_each_step_is_one_transaction_of_the_chain_and_each_asset_is_validated_once(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch, requests: list[str]
) -> None:
    calls = {"transactions of the chain": 0, "descriptions checked": 0, "certificates validated": 0}

    def counted(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def count(*arguments: object, **members: object) -> object:
            calls[name] += 1
            return original(*arguments, **members)

        return count

    monkeypatch.setattr(ChainClient, "transact", counted("transactions of the chain", ChainClient.transact))
    checked = counted("descriptions checked", check_resource)
    monkeypatch.setattr("ledger.registration.applications.check_resource", checked)
    monkeypatch.setattr(entries, "validate_entry", counted("certificates validated", entries.validate_entry))
    cost_of(pilot, requests, [resource(f"checked/{number}") for number in range(MANY)])
    assert calls == {"transactions of the chain": 5, "descriptions checked": MANY, "certificates validated": MANY}


def test_a_set_is_submitted_in_short_transactions(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.registration.registrations.SUBMITTED_TOGETHER", 5)
    provider = pilot.actor(pilot.cast.provider)
    resources = [resource(f"short/{number}") for number in range(MANY)]
    with counting(pilot.ledger.database.engine) as statements:
        intake = pilot.ledger.registration.registrations.submit(provider, resources)
    assert len(intake.accepted) == MANY
    assert sum(statement.startswith("BEGIN IMMEDIATE") for statement in statements) == 3
    assert len({row.reg_no for row in pilot.ledger.registration.registrations.page(None, 10_000)}) >= MANY


def test_a_set_with_a_repeated_resource_or_content_gives_the_same_result_as_single_calls(pilot: Pilot) -> None:
    registrations, provider = pilot.ledger.registration.registrations, pilot.actor(pilot.cast.provider)
    twice = [resource("twice/a"), resource("twice/a"), resource("twice/b", content="twice/a"), resource("twice/c")]
    intake = registrations.submit(provider, twice)
    first, again, last = intake.accepted
    assert (first, first != last) == (again, True)
    (refusal,) = intake.refused
    assert (refusal.resource.code, refusal.error.code) == ("twice/b", "DUPLICATE_REGISTRATION")
    assert refusal.error.details["earlier"] == first
    assert refusal.error.details["reg_no"] == registrations.get(first)["reg_no"]


def test_on_a_chain_with_small_blocks_a_set_is_divided_into_several_transactions(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.chain.sending.gas._SMALL", 0)
    monkeypatch.setattr("ledger.chain.sending.gas.MOST", 600_000)
    registration, registrar = pilot.ledger.registration, pilot.actor(pilot.cast.registrar)
    parts: list[int] = []
    assets = registration.registrations.submit(
        pilot.actor(pilot.cast.provider), [resource(f"small/{number}") for number in range(MANY)]
    ).accepted
    registration.registrations.register(assets, parts.append)
    assert (sum(parts), len(parts) > 3) == (MANY, True)
    registration.review.accept(registrar, assets)
    assert {pilot.stands(asset)[2] for asset in assets} == {"accepted"}


def test_a_set_that_names_a_resource_twice_can_be_registered(pilot: Pilot) -> None:
    registrations, provider = pilot.ledger.registration.registrations, pilot.actor(pilot.cast.provider)
    intake = registrations.apply(provider, [resource("named/a"), resource("named/b"), resource("named/a")])
    first, second, again = intake.accepted
    assert first == again
    assert [pilot.stands(asset) for asset in (first, second)] == [("applied", "first", "submitted")] * 2


def test_registering_a_partly_registered_set_registers_the_missing_assets(pilot: Pilot) -> None:
    registrations, provider = pilot.ledger.registration.registrations, pilot.actor(pilot.cast.provider)
    assets = registrations.submit(provider, [resource(f"part/{number}") for number in range(3)]).accepted
    registrations.register(assets[1:2])
    assert registrations.register(assets) > 0
    assert registrations.register(assets) == 0
    assert [pilot.stands(asset) for asset in assets] == [("applied", "first", "submitted")] * 3


def test_a_step_that_all_assets_have_passed_sends_nothing(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    registration, registrar = pilot.ledger.registration, pilot.actor(pilot.cast.registrar)
    assets = pilot.applied("passed/1", "passed/2", "passed/3")
    registration.review.accept(registrar, assets)
    before = pilot.ledger.reader.latest().number
    assert registration.registrations.register(assets) == 0
    assert registration.review.accept(registrar, assets) == 0
    assert pilot.ledger.reader.latest().number == before


def test_a_step_moves_the_first_and_last_assets_of_a_set_whose_middle_has_passed_the_step(pilot: Pilot) -> None:
    review, registrar = pilot.ledger.registration.review, pilot.actor(pilot.cast.registrar)
    assets = pilot.applied("middle/1", "middle/2", "middle/3")
    review.accept(registrar, assets[1:2])
    assert review.accept(registrar, assets) > 0
    assert {pilot.stands(asset)[2] for asset in assets} == {"accepted"}
