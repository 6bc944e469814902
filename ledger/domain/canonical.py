# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON (RFC 8785, without floats), digests with the name of their algorithm, and a parser with limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson
import rfc8785

from ledger.domain.digests import HASHES, SHA_256
from ledger.errors import InvalidInput

MAX_DEPTH: Final = 32
MAX_SAFE_INTEGER: Final = 2**53 - 1
_MAX_INTEGER_DIGITS: Final = 17
# Finds strings. A string without a closing quote matches up to the end of the text, because otherwise the search would
# start again at each quote and take quadratic time.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# The first byte of a character beyond U+FFFF.
_BEYOND_BMP: Final = re.compile(rb"[\xf0-\xf4]")
# A text of at most this number of bytes needs little memory, whatever it contains.
_SMALL: Final = 8 * 1_024
_PLAIN: Final = frozenset({str, int, bool, type(None)})
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def canonical(value: object) -> bytes:
    """Return ``value`` as canonical JSON; raise ``InvalidInput`` ``JSON_NOT_CANONICAL`` if it has no canonical form.

    Raises ``InvalidInput`` ``JSON_FLOAT`` for a float. orjson writes the text, because it is about 100 times faster
    than rfc8785 and writes the same bytes, with two exceptions. RFC 8785 §3.2.3 sorts names by UTF-16 units, orjson by
    code points; the orders differ only if a name has a character beyond U+FFFF. And orjson accepts floats.
    """
    try:
        try:
            text = orjson.dumps(value, option=_OPTIONS)
        except orjson.JSONEncodeError:
            text = None
        _require_no_float(value)
        if text is not None and (text.isascii() or not _BEYOND_BMP.search(text)):
            return text
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise InvalidInput(
            "JSON_NOT_CANONICAL", "A value has no canonical JSON form.", hint="Use integers within ±(2^53-1)."
        ) from error


def _require_no_float(value: object) -> None:
    # The loop also visits the items that it adds to the list.
    waiting = [value]
    for item in waiting:
        if type(item) in _PLAIN:
            continue
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, (list, tuple)):
            waiting += item
        elif isinstance(item, float):
            raise InvalidInput("JSON_FLOAT", "A float cannot be hashed.", hint="Use an integer or a string.")


def digest(data: bytes, algorithm: str = SHA_256) -> str:
    """Return the digest of data: the algorithm's name, a colon and 64 hex digits.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if the algorithm is ``sm3`` and is not installed.
    """
    return f"{algorithm}:{HASHES[algorithm](data).hex()}"


def parse_json(data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value in ``data``. The size of ``data`` is checked before parsing.

    Raises ``InvalidInput`` ``JSON_…``: too large, too deep, not UTF-8, malformed, a duplicate key, a float, an integer
    beyond ±(2^53−1), an unpaired surrogate.
    """
    if len(data) > max_bytes:
        raise InvalidInput("JSON_TOO_LARGE", f"The text is larger than {max_bytes} bytes.")
    value, strings = None, None
    if len(data) <= _SMALL or not _crowded(data):
        try:
            value = orjson.loads(data)
            strings = _strings_in(value, max_depth)
        except orjson.JSONDecodeError:
            strings = None
    return value if strings == _strings(data) else _parsed_slowly(data, max_depth)


def _crowded(data: bytes) -> bool:
    """Return whether much of the text is brackets. To parse such a text, orjson needs 12 times as much memory as the
    text.
    """
    return data.count(b"[") + data.count(b"{") > len(data) // 8


def _strings(text: bytes) -> int:
    """Return how many strings a JSON text contains. The names of members are strings, too."""
    quotes = text.count(b'"')
    if b"\\" in text:
        quotes -= text.replace(rb"\\", b"").count(rb"\"")
    return quotes // 2


def _strings_in(value: Any, max_depth: int) -> int | None:
    """Return how many strings a parsed value contains, or None if it has a float, a large integer or too many levels.

    orjson drops a member whose name is repeated, so such a value contains fewer strings than its text.
    """
    strings, depth, level = 0, 0, [value]
    while level:
        inner: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                strings += 1
            elif kind is int:
                if not -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER:
                    return None
            elif kind is dict or kind is list:
                if depth == max_depth:
                    return None
                if kind is dict:
                    strings += len(item)
                    inner += item.values()
                else:
                    inner += item
            elif kind is float:
                return None
        level, depth = inner, depth + 1
    return strings


def _parsed_slowly(data: bytes, max_depth: int) -> Any:
    """Return the JSON value in ``data``, or raise an error that says what is wrong with ``data``."""
    require_shallow(data, max_depth)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_bounded_integer,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput("JSON_NOT_UTF8", f"Byte {error.start} is not UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput("JSON_MALFORMED", f"This is not JSON: {error.msg}.", where=where) from error
    except RecursionError as error:
        raise InvalidInput("JSON_TOO_DEEP", "The text is nested too deeply.") from error
    if _SURROGATE.search(data):
        _require_scalar_values(value)
    return value


def read_stored(text: bytes) -> dict[str, Any]:
    """Return the object in canonical JSON that this program wrote itself; nothing is checked."""
    stored: dict[str, Any] = orjson.loads(text)
    return stored


def require_shallow(data: bytes, max_depth: int) -> None:
    """Raise ``InvalidInput`` ``JSON_TOO_DEEP`` if the text is nested too deeply for a recursive parser."""
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    depth = 0
    for bracket in _STRINGS.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > max_depth:
            raise InvalidInput("JSON_TOO_DEEP", f"The text is nested deeper than {max_depth}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidInput("JSON_DUPLICATE_KEY", "An object has two members with the same name.")
    return members


def _no_float(_text: str) -> Any:
    raise InvalidInput("JSON_FLOAT", "The text contains a number that is not an integer.")


def _bounded_integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS or abs(int(text)) > MAX_SAFE_INTEGER:
        raise InvalidInput("JSON_INTEGER_RANGE", "An integer is beyond ±(2^53-1).")
    return int(text)


def _require_scalar_values(value: object) -> None:
    try:
        for item in _walk(value):
            if isinstance(item, str):
                item.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("JSON_SURROGATE", "A string contains an unpaired surrogate.") from error


def _walk(value: object) -> Iterator[object]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple)):
            waiting += item
