"""Encodes JSON values as ABI bytes. This module exists because eth-abi needs five times as long for the thousands of
values of a set.

Wrong values, and values in an unusual form such as an address with capital letters, are passed to eth-abi.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_abi.abi import encode

from ledger.chain.contracts.words import WORD_BYTES
from ledger.chain.rpc.connection import unhex

_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
_UINT: Final = re.compile(r"uint(\d+)")
_BYTES: Final = re.compile(r"bytes(\d+)")

Parameter = Mapping[str, Any]


class _Unusual(Exception):
    """Raised for a value or a type that only eth-abi encodes."""


def encoded(parameters: Sequence[Parameter], types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the encoding of the values of these parameters, which have these types.

    Raises EncodingError, ValueError, TypeError, KeyError or OverflowError if a value does not fit its type.
    """
    try:
        parts = [_part(each["type"], each, value) for each, value in zip(parameters, values, strict=True)]
    except _Unusual:
        return encode(types, [_from_json(each, value) for each, value in zip(parameters, values, strict=True)])
    return _joined(parts)


def _joined(parts: Sequence[tuple[bytes, bool]]) -> bytes:
    """Return the encoding of a list of parts, each with a flag that is true if the part has no fixed size. The parts
    without a fixed size are moved to the end, and each is replaced in its old place by its offset.
    """
    heads, tails, offset = [], [], sum(WORD_BYTES if moves else len(part) for part, moves in parts)
    for part, moves in parts:
        heads.append(_word(offset) if moves else part)
        if moves:
            tails.append(part)
            offset += len(part)
    return b"".join(heads + tails)


def _part(kind: str, parameter: Parameter, value: Any) -> tuple[bytes, bool]:
    """Return the encoding of one value, and whether its type has no fixed size."""
    if kind.endswith("[]"):
        item = kind[:-2]
        if not isinstance(value, list | tuple):
            raise _Unusual
        return _word(len(value)) + _joined([_part(item, parameter, each) for each in value]), True
    if kind == "tuple":
        fields = parameter["components"]
        members = [value[field["name"]] for field in fields] if isinstance(value, Mapping) else value
        parts = [_part(field["type"], field, each) for field, each in zip(fields, members, strict=True)]
        return _joined(parts), any(moves for _, moves in parts)
    if kind == "bytes":
        data = _octets(value)
        return _word(len(data)) + data + bytes(-len(data) % WORD_BYTES), True
    return _one_word(kind, value), False


def _one_word(kind: str, value: Any) -> bytes:
    if kind == "address" and isinstance(value, str) and _ADDRESS.fullmatch(value):
        return bytes(12) + bytes.fromhex(value[2:])
    if kind == "bool" and isinstance(value, bool):
        return _word(int(value))
    if (match := _UINT.fullmatch(kind)) and type(value) is int and 0 <= value < 1 << int(match[1]):
        return _word(value)
    if (match := _BYTES.fullmatch(kind)) and len(data := _octets(value)) == int(match[1]):
        return data.ljust(WORD_BYTES, b"\0")
    raise _Unusual


def _octets(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    raise _Unusual


def _word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def item_of(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ABI item of one element of an array parameter."""
    return {**parameter, "type": parameter["type"].rpartition("[")[0]}


def _from_json(parameter: Mapping[str, Any], value: Any) -> Any:
    kind = parameter["type"]
    if kind.endswith("]"):
        return [_from_json(item_of(parameter), item) for item in value]
    if kind == "tuple":
        values = value if isinstance(value, Mapping) else dict(zip(_names(parameter), value, strict=True))
        return tuple(_from_json(field, values[field["name"]]) for field in parameter["components"])
    if kind.startswith("bytes") and isinstance(value, str):
        return _sized(kind, unhex(value))
    return _sized(kind, value) if isinstance(value, bytes) else value


def _sized(kind: str, value: bytes) -> bytes:
    """Return the value if its length is the length of the type. Otherwise raise ValueError, because eth-abi would
    silently pad the value.
    """
    size = kind.removeprefix("bytes")
    if size and len(value) != int(size):
        raise ValueError(f"{kind} needs {size} bytes, not {len(value)}")
    return value


def _names(parameter: Mapping[str, Any]) -> list[str]:
    return [field["name"] for field in parameter["components"]]
