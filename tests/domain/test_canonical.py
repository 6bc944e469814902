"""Canonical JSON: the examples of RFC 8785, general properties, and every reason for which the parser
refuses a text.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import MAX_DEPTH, MAX_SAFE_INTEGER, canonical, digest, parse_json, read_stored
from ledger.errors import InvalidInput

MAX_BYTES = 1 << 20
# More levels than any parser allows, also under the limit in the C code of Python 3.12 and 3.13, which is fixed.
DEEPER_THAN_ANY_LIMIT = 200_000

integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@pytest.fixture
def shallow_interpreter() -> Iterator[None]:
    """Set the recursion limit to the usual value of the interpreter, because another test may have changed it."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(limit)


def refusal_of_text(data: bytes, **bounds: int) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_json(data, **{"max_bytes": MAX_BYTES} | bounds)
    return caught.value


# --- canonical form

RFC_8785 = {
    "3.2.2 literals and strings": (
        {
            "string": '€$\x0f\nA\'B"\\\\"/',
            "literals": [None, True, False],
        },
        '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ),
    "3.2.3 sorting by UTF-16 code units": (
        {
            "\u20ac": "Euro Sign",
            "\r": "Carriage Return",
            "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\U0001f600": "Emoji: Grinning Face",
            "\x80": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis",
        },
        '{"\\r":"Carriage Return","1":"One","\x80":"Control","ö":"Latin Small Letter O With Diaeresis",'
        '"€":"Euro Sign","\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    ),
    "French": (
        {"peach": "This sorting order", "péché": "is wrong according to French", "pêche": "but canonicalization MUST",
         "sin": "ignore locale"},
        '{"peach":"This sorting order","péché":"is wrong according to French",'
        '"pêche":"but canonicalization MUST","sin":"ignore locale"}',
    ),
    "structures": (
        {"1": {"f": {"f": "hi", "F": 5}, "\n": 56}, "10": {}, "": "empty", "a": {}, "111": [], "A": {}},
        '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[],"A":{},"a":{}}',
    ),
    "arrays keep their order": ([56, {"d": True, "10": None, "1": []}], '[56,{"1":[],"10":null,"d":true}]'),
    "no normalisation of Unicode": ({"Unnormalized Unicode": "A\u030a"}, '{"Unnormalized Unicode":"A\u030a"}'),
    "control characters": ("\b\t\n\f\r\x00\x1f\x7f", '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f"'),
    "integers": ([0, -0, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER], "[0,0,9007199254740991,-9007199254740991]"),
    "a tuple is an array": ((1, "二"), '[1,"二"]'),
}  # fmt: skip


@pytest.mark.parametrize(("value", "text"), RFC_8785.values(), ids=RFC_8785.keys())
def test_canonical_form_is_the_expected_text(value: Any, text: str) -> None:
    assert canonical(value) == text.encode()


NOT_CANONICAL = {
    "beyond 2^53-1": MAX_SAFE_INTEGER + 1,
    "beyond -(2^53-1)": -MAX_SAFE_INTEGER - 1,
    "beyond, nested": {"a": [2**64]},
    "bytes": b"x",
    "set": {1},
    "date": date(2026, 1, 1),
    "decimal": Decimal(1),
    "key that is no text": {1: 2},
    "surrogate in a string": "\ud800",
    "surrogate in a key": {"\ud800": 1},
}


@pytest.mark.parametrize("value", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_a_value_without_a_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        canonical(value)
    assert caught.value.code == "JSON_NOT_CANONICAL"


@given(values)
def test_both_encoders_write_the_same_bytes(value: Any) -> None:
    """A value without characters beyond U+FFFF is encoded by orjson. A value with such characters is encoded by the
    library rfc8785, because names must be sorted by UTF-16 units.
    """
    assert canonical(value) == rfc8785.dumps(value)


@given(st.text(max_size=40))
def test_our_encoder_and_the_rfc8785_library_escape_the_same_characters(text: str) -> None:
    try:
        expected = rfc8785.dumps({"a": text})
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(InvalidInput, match="JSON_NOT_CANONICAL"):
            canonical({"a": text})
    else:
        assert canonical({"a": text}) == expected


def test_too_deeply_nested_value_is_refused(shallow_interpreter: None) -> None:
    value: list[Any] = []
    for _ in range(DEEPER_THAN_ANY_LIMIT):
        value = [value]
    with pytest.raises(InvalidInput) as caught:
        canonical(value)
    assert caught.value.code == "JSON_NOT_CANONICAL"


@pytest.mark.parametrize(
    "value",
    [1.5, 1.0, float("nan"), float("inf"), [0, {"a": 1.0}], {"a": ({"b": 0.0},)}],
    ids=["fraction", "whole", "NaN", "infinity", "in a list", "in a tuple"],
)
def test_floats_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        canonical(value)
    assert caught.value.code == "JSON_FLOAT"


def containing(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of values that contain a value of ``inner``, at any depth."""
    return st.recursive(
        inner,
        lambda inside: (
            st.builds(lambda before, item, after: [*before, item, *after], lists, inside, lists)
            | st.builds(lambda others, name, item: {**others, name: item}, objects, texts, inside)
            | st.tuples(values, inside)
        ),
        max_leaves=4,
    )


lists, objects = st.lists(values, max_size=3), st.dictionaries(texts, values, max_size=3)


@given(containing(st.floats()))
def test_a_float_is_refused_at_any_depth(value: Any) -> None:
    """Without a check of our own, orjson would accept floats, and write null for NaN and for the infinities."""
    with pytest.raises(InvalidInput, match="JSON_FLOAT"):
        canonical(value)


@given(containing(st.sampled_from(["null", ":1.5", "[1e5,", "NaN", ',"a":1.0', None])))
def test_a_text_that_looks_like_a_float_is_accepted(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(values)
def test_parsing_the_canonical_form_of_a_value_gives_the_value(value: Any) -> None:
    assert parse_json(canonical(value), max_bytes=MAX_BYTES) == value


@given(values)
def test_parsing_and_writing_a_canonical_text_gives_the_same_text(value: Any) -> None:
    text = canonical(value)
    assert canonical(parse_json(text, max_bytes=MAX_BYTES)) == text


@given(st.lists(st.tuples(texts, integers), max_size=8, unique_by=lambda pair: pair[0]).flatmap(st.permutations))
def test_the_order_of_members_does_not_change_the_canonical_form(pairs: list[tuple[str, int]]) -> None:
    assert canonical(dict(pairs)) == canonical(dict(sorted(pairs)))


@given(values)
def test_the_order_of_nested_members_does_not_change_the_canonical_form(value: Any) -> None:
    assert canonical(turned(value)) == canonical(value)


def turned(value: Any) -> Any:
    """Return the value with the members of every object in reverse order."""
    if isinstance(value, dict):
        return {name: turned(item) for name, item in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(values, values)
def test_different_values_have_different_canonical_forms(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (repr_typed(one) == repr_typed(other))


def repr_typed(value: Any) -> Any:
    """Convert a value to a form for comparisons in which ``True`` differs from 1, and the order of members does not
    count.
    """
    if isinstance(value, dict):
        return "object", {name: repr_typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return "array", [repr_typed(item) for item in value]
    return type(value).__name__, value


def test_each_digest_names_its_algorithm() -> None:
    assert digest(b"abc") == f"sha-256:{hashlib.sha256(b'abc').hexdigest()}"
    assert digest(b"") == "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# --- parser

REFUSED = {
    "fraction": (b"[1.5]", "JSON_FLOAT"),
    "whole fraction": (b"1.0", "JSON_FLOAT"),
    "exponent": (b"1e2", "JSON_FLOAT"),
    "endless exponent": (b"1e999999999", "JSON_FLOAT"),
    "NaN": (b"NaN", "JSON_FLOAT"),
    "Infinity": (b'{"a": -Infinity}', "JSON_FLOAT"),
    "2^53": (b"9007199254740992", "JSON_INTEGER_RANGE"),
    "-2^53": (b"-9007199254740992", "JSON_INTEGER_RANGE"),
    "endless integer": (b"9" * 100_000, "JSON_INTEGER_RANGE"),
    "member twice": (b'{"a": 1, "a": 1}', "JSON_DUPLICATE_KEY"),
    "member twice, once escaped": (b'{"a": 1, "\\u0061": 2}', "JSON_DUPLICATE_KEY"),
    "member twice, nested": (b'[{"b": {"a": 1, "c": 3, "a": 2}}]', "JSON_DUPLICATE_KEY"),
    "lone high surrogate": (b'"\\ud83d"', "JSON_SURROGATE"),
    "lone low surrogate": (b'["\\uDE00"]', "JSON_SURROGATE"),
    "surrogates in the wrong order": (b'"\\ude00\\ud83d"', "JSON_SURROGATE"),
    "lone surrogate in a name": (b'{"\\ud800": 1}', "JSON_SURROGATE"),
    "surrogate as bytes": (b'"\xed\xa0\x80"', "JSON_NOT_UTF8"),
    "Latin 1": ('"é"'.encode("latin-1"), "JSON_NOT_UTF8"),
    "overlong": (b'"\xc0\xaf"', "JSON_NOT_UTF8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "JSON_NOT_UTF8"),
    "empty": (b"", "JSON_MALFORMED"),
    "byte order mark": (b"\xef\xbb\xbf{}", "JSON_MALFORMED"),
    "trailing comma": (b"[1,]", "JSON_MALFORMED"),
    "two values": (b"{} {}", "JSON_MALFORMED"),
    "single quotes": (b"{'a': 1}", "JSON_MALFORMED"),
    "comment": (b"{} // no", "JSON_MALFORMED"),
    "leading zero": (b"01", "JSON_MALFORMED"),
    "control character": (b'"a\nb"', "JSON_MALFORMED"),
    "string without end": (b'"abc', "JSON_MALFORMED"),
    "brackets": (b"[" * (MAX_DEPTH + 1), "JSON_TOO_DEEP"),
    "braces": (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "JSON_TOO_DEEP"),
    "deep after strings": (b'["[\\"]", ' + b"[" * MAX_DEPTH, "JSON_TOO_DEEP"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_invalid_text_is_refused_with_the_expected_error_code(data: bytes, code: str) -> None:
    assert refusal_of_text(data).code == code


def test_error_names_line_and_column() -> None:
    assert refusal_of_text(b'{"a": 1,\n "b" 2}').where == "line 2, column 6"


def test_the_size_of_a_text_is_checked_before_parsing() -> None:
    assert parse_json(b"[1]", max_bytes=3) == [1]
    assert refusal_of_text(b"[1]", max_bytes=2).code == "JSON_TOO_LARGE"
    assert refusal_of_text(b"\xff\xff\xff", max_bytes=2).code == "JSON_TOO_LARGE"


@pytest.mark.parametrize("depth", [1, 2, MAX_DEPTH])
def test_the_nesting_depth_is_limited(depth: int) -> None:
    text = b"[" * depth + b"]" * depth
    parse_json(text, max_bytes=MAX_BYTES, max_depth=depth)
    assert refusal_of_text(text, max_depth=depth - 1).code == "JSON_TOO_DEEP"


def test_nesting_deeper_than_the_interpreter_allows_is_refused(shallow_interpreter: None) -> None:
    assert refusal_of_text(b"[" * DEEPER_THAN_ANY_LIMIT, max_depth=MAX_BYTES).code == "JSON_TOO_DEEP"


@pytest.mark.parametrize(
    "data",
    [b'{"a": "' + b"[{" * 100 + b'"}', b'["\\"' + b"[" * 100 + b'"]', b'["\\\\", ' + b"[]," * 100 + b"0]"],
    ids=["in a string", "after an escaped quote", "beside each other"],
)
def test_many_brackets_without_nesting_are_accepted(data: bytes) -> None:
    parse_json(data, max_bytes=MAX_BYTES)


def test_a_large_text_of_mostly_brackets_is_parsed_with_the_same_value() -> None:
    brackets = b"[]," * 200_000
    value = parse_json(b'["\\ud83d\\ude00", ' + brackets + b"0]", max_bytes=MAX_BYTES)
    assert value == ["\U0001f600", *([] for _ in range(200_000)), 0]


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values))
def test_a_stored_object_is_read_back(value: dict[str, Any]) -> None:
    assert read_stored(canonical(value)) == value


@pytest.mark.parametrize(
    "tail", [b'"' + b'\\"' * 500_000, b'"' * 999_999, b'"' + b"\\" * 999_999], ids=["escaped", "bare", "backslashes"]
)
def test_parsing_time_is_linear_for_unterminated_strings(tail: bytes) -> None:
    started = time.process_time()
    refusal_of_text(b"[]" * (MAX_DEPTH + 1) + tail, max_bytes=2 * MAX_BYTES)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("data", "value"),
    {
        "2^53-1": (b"9007199254740991", MAX_SAFE_INTEGER),
        "-(2^53-1)": (b"-9007199254740991", -MAX_SAFE_INTEGER),
        "minus zero": (b"-0", 0),
        "surrogate pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
        "space around": (b" \t\r\n[ ] \n", []),
        "literals": (b"[null,true,false]", [None, True, False]),
        "same name at two depths": (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
    }.values(),
)
def test_valid_text_is_parsed(data: bytes, value: Any) -> None:
    assert parse_json(data, max_bytes=MAX_BYTES) == value


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\ud80019.eE-ntfalsr ', max_size=60).map(str.encode))
def test_random_bytes_give_a_canonical_value_or_an_error(data: bytes) -> None:
    try:
        value = parse_json(data, max_bytes=MAX_BYTES)
    except InvalidInput as error:
        assert error.code.startswith("JSON_")
    else:
        assert parse_json(canonical(value), max_bytes=MAX_BYTES) == value
