"""Our decoder of values of a fixed size and eth-abi give the same values, and refuse the same data."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from ledger.chain.contracts.words import WORD_BYTES, array_decoder, fixed_decoder

KINDS = ("bool", "address", "uint8", "uint40", "uint256", "bytes1", "bytes4", "bytes20", "bytes32")
SEED = 20_261_130


def parameter(kind: str) -> dict[str, Any]:
    return {"name": kind, "type": kind}


def as_json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def by_eth_abi(kind: str, word: bytes) -> Any:
    try:
        return as_json(decode([kind], word)[0])
    except DecodingError:
        return DecodingError


def by_words(kind: str, word: bytes) -> Any:
    decoder = fixed_decoder([parameter(kind)])
    assert decoder is not None
    try:
        return decoder.decode(word)[0]
    except DecodingError:
        return DecodingError


def words(kind: str) -> list[bytes]:
    """Return words of every shape: small numbers, left-aligned and right-aligned bytes, and random bytes."""
    chance = random.Random(f"{SEED} {kind}")
    some = [chance.randbytes(size) for size in range(WORD_BYTES + 1) for _ in range(8)]
    return [
        *(number.to_bytes(WORD_BYTES) for number in (0, 1, 2, 255, 256, 2**40 - 1, 2**40, 2**160 - 1, 2**160)),
        *(each.rjust(WORD_BYTES, b"\0") for each in some),
        *(each.ljust(WORD_BYTES, b"\0") for each in some),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_our_decoder_decodes_or_refuses_a_word_as_eth_abi_does(kind: str) -> None:
    for word in words(kind):
        assert by_words(kind, word) == by_eth_abi(kind, word), word.hex()


def test_a_struct_is_decoded_to_an_object_and_the_value_after_the_struct_is_decoded() -> None:
    struct = {"name": "row", "type": "tuple", "components": [parameter("uint8"), parameter("bytes4")]}
    decoder = fixed_decoder([parameter("bool"), struct, parameter("uint40")])
    assert decoder is not None
    data = b"".join(
        [(1).to_bytes(WORD_BYTES), (7).to_bytes(WORD_BYTES), b"abcd".ljust(WORD_BYTES, b"\0"), (9).to_bytes(WORD_BYTES)]
    )
    assert decoder.size == len(data)
    assert decoder.decode(data) == [True, {"uint8": 7, "bytes4": b"abcd".hex()}, 9]


def test_our_decoder_decodes_or_refuses_an_array_as_eth_abi_does() -> None:
    pair = {"name": "rows", "type": "tuple[]", "components": [parameter("uint8"), parameter("bool")]}
    decoder = array_decoder([pair])
    assert decoder is not None
    for rows in ([], [(1, True)], [(255, False), (0, True)]):
        data = encode(["(uint8,bool)[]"], [rows])
        assert decoder(data) == [[{"uint8": number, "bool": flag} for number, flag in rows]]
        places = range(0, len(data), WORD_BYTES)
        for wrong in (data[:-1], data + b"\0", data + bytes(WORD_BYTES), *(changed(data, place) for place in places)):
            with pytest.raises(DecodingError):
                decoder(wrong)
    assert array_decoder([pair, parameter("bool")]) is None
    assert array_decoder([{"name": "texts", "type": "string[]"}]) is None
    assert array_decoder([{"name": "tables", "type": "uint8[][]"}]) is None


def changed(data: bytes, place: int) -> bytes:
    """Return the data with the byte at ``place``, the first byte of a word, changed to 0xff."""
    return data[:place] + b"\xff" + data[place + 1 :]


@pytest.mark.parametrize("kind", ["bytes", "string", "uint8[]", "uint8[2]", "int40"])
def test_fixed_decoder_returns_none_for_a_type_that_it_cannot_decode(kind: str) -> None:
    assert fixed_decoder([parameter("bool"), parameter(kind)]) is None
