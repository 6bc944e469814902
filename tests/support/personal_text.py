"""Finds personal text in files in two ways: by patterns, and by searching for known texts in every likely encoding."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from ledger.domain.codes import check_resident_id
from ledger.errors import InvalidInput

# A person with the sample resident ID number of the national standard.
NEWCOMER: Final = {"name": "欧阳示例", "identifier": "11010519491231002X"}
_ID_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])", re.ASCII)
_MOBILE: Final = re.compile(r"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z])", re.ASCII)
_WINDOW: Final = 8
_PHONE_DIGITS: Final = 11
_WORD: Final = b"0123456789abcdefABCDEF"
_TABLE_BITS: Final = 22
# The factor of Fibonacci hashing: 2^64 divided by the golden ratio.
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


def patterns_in(text: str) -> list[str]:
    """Return the ID numbers whose date and check digit are valid, and the mobile phone numbers that are not part of a
    longer number.
    """
    return [*filter(_is_id_number, _ID_NUMBER.findall(text)), *_MOBILE.findall(text)]


def _is_id_number(text: str) -> bool:
    try:
        check_resident_id(text)
    except InvalidInput:
        return False
    return True


def forms_of(text: str) -> dict[str, bytes]:
    """Return a map from the name of an encoding to the encoded text. Each encoded text must have at least eight bytes,
    because a shorter one could match by chance.
    """
    raw = text.encode()
    escaped = json.dumps(text)[1:-1]
    return {
        "UTF-8": raw,
        "UTF-16 little-endian": text.encode("utf-16-le"),
        "UTF-16 big-endian": text.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "hex in capitals": raw.hex().upper().encode(),
        "escaped": escaped.encode(),
        "escaped in capitals": re.sub(r"\\u(.{4})", lambda found: rf"\u{found[1].upper()}", escaped).encode(),
        **{f"base64 from {start}": form for start in range(3) for form in [_base64(raw, start, b"+/")]},
        **{f"base64url from {start}": form for start in range(3) for form in [_base64(raw, start, b"-_")]},
    }


def _base64(raw: bytes, start: int, alphabet: bytes) -> bytes:
    """Return the part of the base64 form that is the same whatever stands before and after the text. Base64 encodes
    groups of three bytes; the text begins at byte ``start`` of a group.
    """
    whole = base64.b64encode(bytes(start) + raw, alphabet)
    return whole[-(-start * 8 // 6) : (start + len(raw)) * 8 // 6]


class Needles:
    """Searches for many texts at once. It hashes the end of each encoded text, and compares the hash at every offset of
    the data.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_end: dict[bytes, list[tuple[bytes, str, str]]] = {}
        for text in texts:
            for name, form in forms_of(text).items():
                if len(form) < _WINDOW:
                    raise ValueError("too short: it would match by chance")
                self._by_end.setdefault(form[-_WINDOW:], []).append((form, name, text))
        self._table = np.zeros(1 << _TABLE_BITS, dtype=bool)
        ends = np.frombuffer(b"".join(self._by_end), dtype="<u8")
        self._table[_slots(ends)] = True

    def found_in(self, data: bytes) -> set[tuple[str, str]]:
        """Return each known text that the data contain, with the name of the encoding in which it was found."""
        found = set()
        for end in self._ends_in(data):
            for form, name, text in self._by_end.get(data[end - _WINDOW : end], ()):
                if data.endswith(form, 0, end) and not _inside_a_number(data, end - len(form), end):
                    found.add((text, name))
        return found

    def _ends_in(self, data: bytes) -> Iterator[int]:
        for shift in range(min(_WINDOW, max(len(data) - _WINDOW + 1, 0))):
            words = np.frombuffer(data, dtype="<u8", offset=shift, count=(len(data) - shift) // _WINDOW)
            for place in np.flatnonzero(self._table[_slots(words)]):
                yield shift + _WINDOW * (int(place) + 1)


def _inside_a_number(data: bytes, start: int, end: int) -> bool:
    """Return whether eleven digits are part of a longer number. This can happen by chance in a contract's hex code."""
    around = data[max(start - 1, 0) : start] + data[end : end + 1]
    return end - start <= _PHONE_DIGITS and data[start:end].isdigit() and any(map(_WORD.__contains__, around))


def _slots(words: np.ndarray) -> np.ndarray:
    return (words * _FACTOR) >> np.uint64(64 - _TABLE_BITS)
