"""Our encoder and eth-abi give the same bytes for every function of the contracts, and refuse the same values."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError

from ledger.chain.contracts import encoding
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, FORWARDER, PARTY_REGISTRY, interface_of
from ledger.errors import InvalidInput

SEED = 20_261_130
ROUNDS = 5
FUNCTIONS = [
    (contract, function)
    for contract in (ASSET_REGISTRY, CERTIFICATE_LOG, FORWARDER, PARTY_REGISTRY)
    for function in sorted(interface_of(contract)._functions)
]


def made(parameter: Mapping[str, Any], chance: random.Random) -> Any:
    """Return a random value of a parameter in one of the forms that callers use."""
    kind = parameter["type"]
    if kind.endswith("]"):
        return [made(encoding.item_of(parameter), chance) for _ in range(chance.randrange(4))]
    if kind == "tuple":
        values = [made(field, chance) for field in parameter["components"]]
        named = dict(zip((field["name"] for field in parameter["components"]), values, strict=True))
        return chance.choice([tuple(values), named])
    if kind == "bool":
        return chance.random() < 0.5
    if kind == "address":
        return "0x" + chance.randbytes(20).hex()
    if kind == "string":
        return "文 text"[: chance.randrange(7)]
    if kind.startswith("uint"):
        bits = int(kind.removeprefix("uint"))
        return chance.choice([0, 1, (1 << bits) - 1, chance.randrange(1 << bits)])
    size = kind.removeprefix("bytes")
    raw = chance.randbytes(int(size) if size else chance.randrange(100))
    return chance.choice([raw, raw.hex(), "0x" + raw.hex(), raw.hex().upper()])


def by_eth_abi(contract: str, function: str, args: list[Any]) -> bytes:
    face = interface_of(contract)
    inputs = face._functions[function]["inputs"]
    values = [encoding._from_json(parameter, value) for parameter, value in zip(inputs, args, strict=True)]
    return face.selector(function) + encode(face._types[function], values)


@pytest.mark.parametrize(("contract", "function"), FUNCTIONS)
def test_our_encoder_encodes_a_call_as_eth_abi_does(contract: str, function: str) -> None:
    chance = random.Random(f"{SEED} {contract} {function}")
    face = interface_of(contract)
    for _ in range(ROUNDS):
        args = [made(parameter, chance) for parameter in face._functions[function]["inputs"]]
        assert face.encode_call(function, args) == by_eth_abi(contract, function, args)


def unfit() -> Iterator[tuple[str, Any]]:
    yield from (("uint8", each) for each in (256, -1, True, "1", 1.0, None))
    yield from (("bool", each) for each in (1, 0, "true", None))
    yield from (("address", each) for each in ("0x", "0x" + "ab" * 19, "0x" + "ab" * 21, "0x" + "zz" * 20, 1, None))
    yield from (("bytes32", each) for each in ("ab" * 31, "ab" * 33, b"a", "zz" * 32, 1, None))
    yield from (("bytes", each) for each in ("abc", "zz", 1, None))
    yield from (("uint8[]", each) for each in (1, None, [256], [[1]]))


@pytest.mark.parametrize(("kind", "value"), list(unfit()))
def test_our_encoder_refuses_every_value_that_eth_abi_refuses(kind: str, value: Any) -> None:
    errors = (EncodingError, ValueError, TypeError, KeyError, OverflowError)
    parameter = {"name": "value", "type": kind}
    with pytest.raises(errors):
        encode([kind], [encoding._from_json(parameter, value)])
    with pytest.raises(errors):
        encoding.encoded([parameter], [kind], [value])


def test_a_call_with_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        interface_of(PARTY_REGISTRY).encode_call("partyNoOf", [1])
    assert caught.value.code == "CALL_ARGUMENTS_INVALID"
