"""Encodes and decodes the calls, results, events and errors of contracts: ABI bytes become JSON values, and JSON values
become ABI bytes.

In JSON values, ``bytesN`` is lower-case hex without ``0x``, an address is ``0x`` and 40 lower-case digits, and a tuple
is an object with the field names as keys. For encoding, ``bytes`` and hex with ``0x`` are accepted too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.abi import get_abi_input_types
from eth_utils.crypto import keccak

from ledger.chain.contracts.encoding import encoded, item_of
from ledger.chain.contracts.words import array_decoder, fixed_decoder
from ledger.chain.rpc.answers import Malformed, hash_of, octets, quantity
from ledger.errors import InvalidInput

_SELECTOR_BYTES: Final = 4
_WORD_BYTES: Final = 32
_CONSTRUCTOR: Final = "constructor"
# eth-abi raises OverflowError if an offset or a length in the data is too large for an index.
_UNREADABLE: Final = (DecodingError, OverflowError)
_SMALL_BITS: Final = 53

Abi = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """An event in the log of a transaction, decoded. ``contract`` is the contract's name; hashes are 64 hex digits;
    ``args`` are JSON values.
    """

    contract: str
    name: str
    args: Mapping[str, Any]
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


class Interface:
    """Encodes calls of one contract and decodes its results, logs and errors, as its ABI describes them.

    Overloaded functions are not supported, because our contracts have none.
    """

    def __init__(self, name: str, abi: Abi) -> None:
        self.name = name
        self._functions = {item["name"]: item for item in abi if item["type"] == "function"}
        self._by_selector = {keccak(text=signature(item))[:_SELECTOR_BYTES]: item for item in self._functions.values()}
        self._selectors = {item["name"]: selector for selector, item in self._by_selector.items()}
        self._results = {name: _decoder(item["outputs"]) for name, item in self._functions.items()}
        no_constructor: Mapping[str, Any] = {"inputs": []}
        self._constructor = next((item for item in abi if item["type"] == "constructor"), no_constructor)
        called = {**self._functions, _CONSTRUCTOR: self._constructor}
        self._types = {name: _types(item["inputs"]) for name, item in called.items()}
        events = [item for item in abi if item["type"] == "event"]
        self._events = {keccak(text=signature(item)): item for item in events}
        self._logs = {topic: _LogDecoder(item["inputs"]) for topic, item in self._events.items()}
        self._errors = {keccak(text=signature(item))[:_SELECTOR_BYTES]: item for item in abi if item["type"] == "error"}

    @property
    def errors(self) -> Mapping[bytes, Mapping[str, Any]]:
        """Map each error of the contract from its 4-byte selector to its ABI item."""
        return self._errors

    def topics(self, event: str, **indexed: int) -> list[str | None]:
        """Return the topics of a log filter that finds one event.

        ``indexed`` gives the values that indexed integer fields of the event must have.
        """
        topic, item = next((key, each) for key, each in self._events.items() if each["name"] == event)
        names = [parameter["name"] for parameter in item["inputs"] if parameter["indexed"]]
        unknown = set(indexed) - set(names)
        if unknown:
            raise KeyError(f"{event} has no indexed {', '.join(sorted(unknown))}")
        wanted = [f"0x{indexed[name]:064x}" if name in indexed else None for name in names]
        return ["0x" + topic.hex(), *wanted]

    def encode_call(self, function: str, args: Sequence[Any]) -> bytes:
        """Return call data; raise InvalidInput CALL_ARGUMENTS_INVALID if an argument does not fit its type."""
        return self.selector(function) + self._encode(self._functions[function], function, args)

    def selector(self, function: str) -> bytes:
        """Return the 4-byte selector of a function. Call data begins with the selector."""
        return self._selectors[function]

    def encode_constructor(self, args: Sequence[Any]) -> bytes:
        """Return the encoded arguments of the constructor.

        Raises InvalidInput CALL_ARGUMENTS_INVALID if an argument does not fit its type.
        """
        return self._encode(self._constructor, _CONSTRUCTOR, args)

    def decode_constructor(self, data: bytes) -> list[Any]:
        """Return the constructor's arguments. Raises ValueError if encoding them again gives other data."""
        try:
            args = list(_decode_fields(self._constructor["inputs"], data).values())
        except _UNREADABLE as error:
            raise ValueError("the data are not the constructor's arguments") from error
        if self.encode_constructor(args) != data:
            raise ValueError("the data are not the canonical encoding of their arguments")
        return args

    def decode_start(self, data: bytes) -> tuple[str, dict[str, Any]] | None:
        """Return the name of the function that call data calls, and as many of its arguments as can be read.

        Use the result only for display: the data may differ from the exact encoding of these arguments.
        """
        item = self._by_selector.get(data[:_SELECTOR_BYTES])
        if item is None:
            return None
        for count in range(len(item["inputs"]), 0, -1):
            try:
                return str(item["name"]), _decode_fields(item["inputs"][:count], data[_SELECTOR_BYTES:], strict=False)
            except _UNREADABLE:
                continue
        return str(item["name"]), {}

    def decode_result(self, function: str, data: bytes) -> list[Any]:
        """Return the results of a call in their order. Raises Malformed if the data do not fit the function's return
        types.
        """
        try:
            return self._results[function](data)
        except _UNREADABLE as error:
            raise Malformed(f"what {self.name}.{function} returns is expected") from error

    def decode_log(self, log: Mapping[str, Any]) -> Event | None:
        """Return the event in a log, or None if the contract's ABI does not have it. Raises Malformed if the data do
        not fit the event.
        """
        topics = [octets(topic) for topic in log["topics"]]
        item = self._events.get(topics[0]) if topics else None
        if item is None:
            return None
        decoder = self._logs[topics[0]]
        if len(decoder.indexed) != len(topics) - 1:
            raise Malformed(f"the topics of {self.name}.{item['name']} are expected")
        try:
            args = decoder.args(topics[1:], octets(log["data"]))
        except _UNREADABLE as error:
            raise Malformed(f"the data of {self.name}.{item['name']} are expected") from error
        return Event(
            contract=self.name,
            name=item["name"],
            args=args,
            block_number=quantity(log["blockNumber"]),
            block_hash=hash_of(log["blockHash"]),
            tx_hash=hash_of(log["transactionHash"]),
            log_index=quantity(log["logIndex"]),
        )

    def _encode(self, item: Mapping[str, Any], function: str, args: Sequence[Any]) -> bytes:
        where = f"{self.name}.{function}"
        parameters = item["inputs"]
        if len(parameters) != len(args):
            raise InvalidInput(
                "CALL_ARGUMENTS_INVALID", f"The call needs {len(parameters)} arguments, not {len(args)}.", where=where
            )
        try:
            return encoded(parameters, self._types[function], args)
        except (EncodingError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise InvalidInput(
                "CALL_ARGUMENTS_INVALID",
                "An argument does not fit the contract's type.",
                where=where,
                hint="Give numbers within the type's range, digests of 32 bytes, and addresses of 20 bytes.",
            ) from error


class _LogDecoder:
    """Decodes the topics and the data of logs of one event."""

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        plain = [parameter for parameter in inputs if not parameter["indexed"]]
        self.indexed = [(each["name"], _decoder([each])) for each in inputs if each["indexed"]]
        self._names = [parameter["name"] for parameter in inputs]
        self._plain_names = [parameter["name"] for parameter in plain]
        self._plain = _decoder(plain)

    def args(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Return the arguments of the event in the order of its definition."""
        found = dict(zip(self._plain_names, self._plain(data), strict=True))
        for (name, decode_topic), topic in zip(self.indexed, topics, strict=True):
            (found[name],) = decode_topic(topic)
        return {name: found[name] for name in self._names}


class EventDecoder:
    """Decodes logs of several contracts. The address in a log shows from which contract the log comes."""

    def __init__(self, interfaces: Mapping[str, Interface]) -> None:
        self._interfaces = {address.lower(): interface for address, interface in interfaces.items()}

    def decode(self, logs: Iterable[Mapping[str, Any]]) -> list[Event]:
        """Return the events in the order of the chain. Unknown events and logs of other contracts are left out.

        Raises Malformed if the data of a log do not fit its event.
        """
        events = []
        for log in logs:
            interface = self._interfaces.get(log["address"].lower())
            event = interface.decode_log(log) if interface else None
            if event is not None:
                events.append(event)
        return sorted(events, key=lambda event: (event.block_number, event.log_index))


def decode_error(item: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Return the arguments of a custom error by name. ``data`` begins with the error's selector.

    Raises ValueError if the data do not fit the error.
    """
    try:
        return _decode_fields(item["inputs"], data[_SELECTOR_BYTES:])
    except _UNREADABLE as error:
        raise ValueError("error data does not fit its definition") from error


def signature(item: Mapping[str, Any]) -> str:
    """Return ``name(type,…)``. Selectors and topics are computed from this text."""
    return f"{item['name']}({','.join(get_abi_input_types(_abi(item)))})"


def json_safe(value: Any) -> Any:
    """Replace integers beyond 53 bits by ``0x`` hex text, because some JSON readers would round them."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > _SMALL_BITS:
        return hex(value)
    if isinstance(value, list):
        return [json_safe(item) for item in value]
    if isinstance(value, dict):
        return {key: json_safe(item) for key, item in value.items()}
    return value


def _abi(item: Mapping[str, Any]) -> Any:
    """Return the ABI item unchanged, as a type that eth-utils accepts."""
    return item if item.get("type") in {"function", "event"} else {**item, "type": "function"}


def _decode_fields(parameters: Sequence[Mapping[str, Any]], data: bytes, *, strict: bool = True) -> dict[str, Any]:
    return _fields(parameters, decode(_types(parameters), data, strict=strict))


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return get_abi_input_types(_abi({"type": "function", "name": "_", "inputs": parameters}))


def _fields(parameters: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> dict[str, Any]:
    return {parameter["name"]: _to_json(parameter, value) for parameter, value in zip(parameters, values, strict=True)}


def _decoder(parameters: Sequence[Mapping[str, Any]]) -> Callable[[bytes], list[Any]]:
    """Return a function that decodes values of these parameters into JSON values.

    The function raises Malformed, or one of ``_UNREADABLE``, unless the data are exactly the canonical encoding of the
    values.
    """
    if (array := array_decoder(parameters)) is not None:
        return array
    types, fixed = _types(parameters), fixed_decoder(parameters)

    def decode_words(data: bytes) -> list[Any]:
        if fixed is None:
            values = _decoded(types, data)
            return [_to_json(parameter, value) for parameter, value in zip(parameters, values, strict=True)]
        if len(data) != fixed.size:
            raise Malformed("data of another length are expected")
        return fixed.decode(data)

    return decode_words


def _decoded(types: Sequence[str], data: bytes) -> Sequence[Any]:
    """Decode values. Raises Malformed unless the data are exactly the canonical encoding of these values."""
    size = _size_of(tuple(types))
    if size is not None and len(data) != size:
        raise Malformed("data of another length are expected")
    values = decode(types, data)
    if size is None and encode(types, values) != data:
        raise Malformed("the canonical encoding of the values is expected")
    return values


@cache
def _size_of(types: tuple[str, ...]) -> int | None:
    """Return how many bytes values of these types take, or None if the number depends on the values."""
    parsed = [parse(each) for each in types]
    return None if any(each.is_dynamic for each in parsed) else sum(map(_size, parsed))


def _size(kind: Any) -> int:
    if kind.is_array:
        return int(kind.arrlist[-1][0]) * _size(kind.item_type)
    return sum(map(_size, kind.components)) if isinstance(kind, TupleType) else _WORD_BYTES


def _to_json(parameter: Mapping[str, Any], value: Any) -> Any:
    kind = parameter["type"]
    if kind.endswith("]"):
        return [_to_json(item_of(parameter), item) for item in value]
    if kind == "tuple":
        fields = zip(parameter["components"], value, strict=True)
        return {field["name"]: _to_json(field, item) for field, item in fields}
    if isinstance(value, bytes):
        return value.hex()
    return value.lower() if kind == "address" else value
