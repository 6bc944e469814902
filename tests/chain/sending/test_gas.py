"""The gas limit of a call about a set is computed from the size of the set, and is enough for the contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.contracts.deployment import ASSET_REGISTRY, interface_of
from ledger.chain.local.node import BLOCK_GAS_LIMIT
from ledger.chain.sending import gas
from ledger.chain.sending.asset_calls import AssetRegistration, advance, confirm_assets, register_assets
from ledger.chain.sending.calls import Call, PartyRegistration, confirm, register_parties, withdraw
from ledger.chain.sending.gas import MOST, forwarded_gas, known_gas, registration_gas, within_one_transaction
from ledger.chain.sending.relay import Relay
from ledger.errors import Conflict, Forbidden
from tests.support.chain.deployed import Chain
from tests.support.chain.scripted_ledger import FAR

MEASURED = {name: row["gas"] for name, row in json.loads(Path("contracts/gas.json").read_text("utf-8")).items()}
DIGESTS = [f"{number:064x}" for number in range(1, 101)]
ASSETS = [AssetRegistration(each, each, each) for each in DIGESTS]
PARTIES = [PartyRegistration(each, (("0x" + each[-40:], "ab" * 64),), 1) for each in DIGESTS]


@pytest.mark.parametrize(
    ("call", "measured"),
    [
        (register_assets(ASSETS), MEASURED["register 100"]),
        (register_assets(ASSETS[:1]), MEASURED["register the very first"]),
        (advance(DIGESTS, "accepted"), 100 * MEASURED["accept 102 applications, each"]),
        (advance(DIGESTS, "reviewed"), 100 * MEASURED["review 102 applications, each"]),
        (advance(DIGESTS, "noticed"), 100 * MEASURED["notice 102 applications, each"]),
        (advance(DIGESTS[:1], "accepted"), MEASURED["accept application"]),
        (confirm_assets(DIGESTS, 0), MEASURED["confirm 100"]),
        (confirm_assets(DIGESTS[:1], 0), MEASURED["confirm"]),
        (confirm(1, register_parties(PARTIES)), 100 * MEASURED["confirm 100 registrations, each"]),
        (confirm(1, register_parties(PARTIES[:1])), MEASURED["confirm a registration"]),
    ],
)
def test_the_computed_gas_limit_is_at_least_20_percent_above_the_measured_gas(call: Call, measured: int) -> None:
    known = known_gas(call)
    assert known is not None
    assert 1.2 * measured <= known <= 4 * measured


def test_no_gas_limit_is_computed_for_a_call_without_a_set() -> None:
    assert known_gas(withdraw("ab" * 32)) is None
    assert known_gas(confirm(1, withdraw("ab" * 32))) is None


@given(st.lists(st.sampled_from([0, 64, 128]), max_size=60), st.sampled_from([1, 8_000_000, 30_000_000, 10**9]))
def test_a_list_is_divided_in_order_into_parts_that_fit_into_a_transaction(proofs: list[int], block_gas: int) -> None:
    items = list(enumerate(proofs))

    def gas_of(item: tuple[int, int]) -> int:
        return registration_gas(["ab" * item[1]])

    parts = list(within_one_transaction(items, gas_of, lambda item: item[1], block_gas))
    assert [item for part in parts for item in part] == items
    assert all(parts)
    for part in parts:
        most = forwarded_gas(gas._CONFIRM + sum(map(gas_of, part)), sum(item[1] for item in part))
        assert most <= min(MOST, block_gas) or len(part) == 1


@pytest.mark.parametrize("block_gas", [1, 4_000_000, 8_000_000, 10_000_000, 30_000_000])
def test_a_set_of_assets_is_divided_into_parts_that_fit_into_a_block(block_gas: int) -> None:
    ids = [f"{number:064x}" for number in range(1, 601)]
    assets = [AssetRegistration(each, each, each) for each in ids]
    sets: list[tuple[str, Sequence[Any], int, Callable[[Any], Call]]] = [
        ("advance", ids, 500, lambda part: advance(part, "accepted")),
        ("confirmMany", ids, 500, lambda part: confirm_assets(part, 1)),
        ("registerMany", assets, 150, register_assets),
    ]
    for function, items, most, call_of in sets:
        parts = list(gas.divided_set(ASSET_REGISTRY, function, items, most, lambda: block_gas))
        assert [item for part in parts for item in part] == items
        for part in parts:
            call = call_of(part)
            payload = 600 + len(interface_of(ASSET_REGISTRY).encode_call(call.function, call.args))
            assert len(part) == 1 or forwarded_gas(known_gas(call) or 0, payload) <= min(MOST, block_gas)
        if block_gas == 30_000_000:
            assert len(parts[0]) == most


def test_the_gas_limit_of_a_block_is_not_read_for_a_small_set() -> None:
    def block_gas() -> int:
        raise AssertionError

    assert list(gas.divided_set(ASSET_REGISTRY, "advance", DIGESTS, 500, block_gas)) == [DIGESTS]


def test_a_set_that_the_contract_refuses_raises_the_error_of_the_contract(chain: Chain) -> None:
    relay, registrar = Relay(chain.acting("founder")), chain.parties["registrar"]
    unknown = advance(DIGESTS[:2], "accepted")
    with pytest.raises(Conflict) as caught:
        relay.act(registrar.account, unknown, FAR, bytes.fromhex(registrar.key.removeprefix("0x")))
    assert caught.value.code == "ASSET_WRONG_STAGE"
    bank = chain.parties["bank"]
    with pytest.raises(Forbidden) as refused:
        relay.act(bank.account, unknown, FAR, bytes.fromhex(bank.key.removeprefix("0x")))
    assert refused.value.code == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("known", [25_000, BLOCK_GAS_LIMIT])
def test_a_set_is_sent_with_an_estimated_gas_limit_if_the_computed_limit_does_not_suit_the_chain(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    monkeypatch.setattr("ledger.chain.sending.relay.known_gas", lambda _: known)
    monkeypatch.setattr("ledger.chain.sending.relay.MAX_REQUEST_GAS", BLOCK_GAS_LIMIT)
    relay, provider = Relay(chain.acting("founder")), chain.parties["provider"]
    assets = [AssetRegistration(f"{known + number:064x}", "ab" * 32, f"{known + number:064x}") for number in range(3)]
    receipt = relay.act(provider.account, register_assets(assets), FAR, bytes.fromhex(provider.key.removeprefix("0x")))
    assert [event.args["id"] for event in receipt.named("Registered")] == [each.id for each in assets]
