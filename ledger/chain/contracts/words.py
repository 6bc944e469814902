"""Decodes ABI values of a fixed size: words of 32 bytes, and structs that consist of such words. Almost all results and
events have only such values, and eth-abi needs ten times as long as this module to decode them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eth_abi.exceptions import DecodingError

WORD_BYTES: Final = 32
_UINT: Final = re.compile(r"uint(\d+)")
_BYTES: Final = re.compile(r"bytes(\d+)")
_ADDRESS_BYTES: Final = 20

WordReader = Callable[[bytes], Any]
Parameter = Mapping[str, Any]


class FixedDecoder:
    """Decodes the values of some parameters into JSON values; ``size`` is the number of bytes that they take."""

    def __init__(self, names: Sequence[str], readers: Sequence[WordReader | FixedDecoder]) -> None:
        self._names = names
        self._readers = readers
        self.size: int = sum(reader.size if isinstance(reader, FixedDecoder) else WORD_BYTES for reader in readers)

    def decode(self, data: bytes, start: int = 0) -> list[Any]:
        """Return the values of the parameters. ``data`` must be long enough.

        Raises ``DecodingError`` if a word is not the canonical encoding of a value.
        """
        found: list[Any] = []
        for reader in self._readers:
            if isinstance(reader, FixedDecoder):
                found.append(dict(zip(reader._names, reader.decode(data, start), strict=True)))
                start += reader.size
            else:
                found.append(reader(data[start : start + WORD_BYTES]))
                start += WORD_BYTES
        return found


def fixed_decoder(parameters: Sequence[Parameter]) -> FixedDecoder | None:
    """Return a decoder for these parameters, or None if this module cannot decode the type of one of them."""
    readers = []
    for parameter in parameters:
        if (reader := _reader(parameter)) is None:
            return None
        readers.append(reader)
    return FixedDecoder([parameter["name"] for parameter in parameters], readers)


def array_decoder(parameters: Sequence[Parameter]) -> Callable[[bytes], list[Any]] | None:
    """Return a function that decodes one parameter, an array of any number of values of a fixed size. Return None for
    other parameters.

    The function raises ``DecodingError`` if the data are not the canonical encoding of an array.
    """
    if len(parameters) != 1 or not parameters[0]["type"].endswith("[]"):
        return None
    item = fixed_decoder([{**parameters[0], "type": parameters[0]["type"].removesuffix("[]")}])
    if item is None:
        return None

    def decode(data: bytes) -> list[Any]:
        place, count = int.from_bytes(data[:WORD_BYTES]), int.from_bytes(data[WORD_BYTES : 2 * WORD_BYTES])
        if place != WORD_BYTES or len(data) != 2 * WORD_BYTES + count * item.size:
            raise DecodingError("an array is its place, the number of its values, and the values")
        return [[item.decode(data, start)[0] for start in range(2 * WORD_BYTES, len(data), item.size)]]

    return decode


def _reader(parameter: Parameter) -> WordReader | FixedDecoder | None:
    kind = parameter["type"]
    if kind == "tuple":
        return fixed_decoder(parameter["components"])
    if kind == "bool":
        return _bool
    if kind == "address":
        return _address
    if match := _UINT.fullmatch(kind):
        return _uint(int(match[1]))
    if match := _BYTES.fullmatch(kind):
        return _bytes(int(match[1]))
    return None


def _bool(word: bytes) -> bool:
    value = int.from_bytes(word)
    if value > 1:
        raise DecodingError("a bool is 0 or 1")
    return value == 1


def _address(word: bytes) -> str:
    if any(word[:-_ADDRESS_BYTES]):
        raise DecodingError("an address has 20 bytes")
    return "0x" + word[-_ADDRESS_BYTES:].hex()


def _uint(bits: int) -> WordReader:
    def read(word: bytes) -> int:
        value = int.from_bytes(word)
        if value >> bits:
            raise DecodingError(f"an integer has at most {bits} bits")
        return value

    return read


def _bytes(size: int) -> WordReader:
    def read(word: bytes) -> str:
        if any(word[size:]):
            raise DecodingError(f"the value has {size} bytes")
        return word[:size].hex()

    return read
