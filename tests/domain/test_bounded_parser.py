"""The JSON parser with limits: it accepts only one spelling of each value, and refuses texts whose parsing would take
too long.
"""

from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import MAX_DEPTH, canonical, digest, parse_json
from ledger.errors import InvalidInput

LIMIT = 2**53 - 1
scalars = st.none() | st.booleans() | st.integers(-LIMIT, LIMIT) | st.text(max_size=10)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner))


def parsed(data: bytes, **limits: Any) -> Any:
    return parse_json(data, **({"max_bytes": 100_000} | limits))


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(values)
def test_canonical_json_is_parsed_to_the_same_value(value: Any) -> None:
    assert parsed(canonical(value)) == value
    assert canonical(parsed(canonical(value))) == canonical(value)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_all_spellings_of_a_value_have_the_same_canonical_form(value: Any, indent: Any, ascii_only: bool) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert parsed(spelled) == value
    assert canonical(parsed(spelled)) == canonical(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        (
            {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7},
            '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
        ),
        ('\u20ac$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ({"中": "文"}, '{"中":"文"}'),
        ([LIMIT, -LIMIT, 0], "[9007199254740991,-9007199254740991,0]"),
    ],
    ids=["sorted", "sorted by UTF-16", "escapes", "as it is", "integers"],
)
def test_canonical_form_follows_rfc_8785(value: Any, text: str) -> None:
    assert canonical(value) == text.encode()


@pytest.mark.parametrize("value", [1.0, float("nan"), [0.5], {"a": {"b": -0.0}}, (1.5,)])
def test_floats_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="JSON_FLOAT"):
        canonical(value)


@pytest.mark.parametrize("value", [LIMIT + 1, -LIMIT - 1, [2**64], "\ud800", {"\udfff": 1}, b"bytes", {1: 2}, object()])
def test_a_value_without_a_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="JSON_NOT_CANONICAL"):
        canonical(value)


def test_a_digest_names_its_algorithm() -> None:
    assert digest(b"") == "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.recursive(st.sampled_from([1, '"[{', "]]}", "\\"]), lambda inner: st.lists(inner, max_size=2), max_leaves=60))
def test_brackets_in_strings_are_not_counted(value: Any) -> None:
    text = json.dumps({"it": value}).encode()
    assert parsed(text, max_depth=depth(value) + 1) == {"it": value}
    with pytest.raises(InvalidInput, match="JSON_TOO_DEEP"):
        parsed(text, max_depth=depth(value))


def test_the_limit_of_the_nesting_depth_is_exact() -> None:
    assert depth(parsed(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == MAX_DEPTH
    with pytest.raises(InvalidInput, match="JSON_TOO_DEEP"):
        parsed(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_the_limit_of_the_size_is_exact() -> None:
    assert parsed(b"[1]", max_bytes=3) == [1]
    with pytest.raises(InvalidInput, match="JSON_TOO_LARGE"):
        parsed(b"[1]", max_bytes=2)


@pytest.mark.parametrize(
    "unit", [b'"', b'\\"', b"\\", b'"\\', b'["', b'{"a', b"[]", b'"",', b"\\u", b"9", b"\x00", b"\xff"]
)
@pytest.mark.parametrize("start", [b"", b'"', b"[" + b"[]," * 40, b"[" + b"[]," * 40 + b'"'])
def test_parsing_time_is_linear_in_the_length(start: bytes, unit: bytes) -> None:
    text = start + unit * (1_000_000 // len(unit))
    begun = time.process_time()
    with pytest.raises(InvalidInput, match="JSON_"):
        parse_json(text, max_bytes=2_000_000)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a":1,"a":1}', "JSON_DUPLICATE_KEY"),
        (b'{"a":1,"\\u0061":2}', "JSON_DUPLICATE_KEY"),
        (b'[{"b":{"a":1,"a":2}}]', "JSON_DUPLICATE_KEY"),
        (b"1.0", "JSON_FLOAT"),
        (b"1e2", "JSON_FLOAT"),
        (b"-Infinity", "JSON_FLOAT"),
        (b"NaN", "JSON_FLOAT"),
        (b"9007199254740992", "JSON_INTEGER_RANGE"),
        (b"-9007199254740992", "JSON_INTEGER_RANGE"),
        (b"9" * 5_000, "JSON_INTEGER_RANGE"),
        (b'"\\ud800"', "JSON_SURROGATE"),
        (b'"\\uDC00x"', "JSON_SURROGATE"),
        (b'{"\\udfff":1}', "JSON_SURROGATE"),
        (b'"\xed\xa0\x80"', "JSON_NOT_UTF8"),
        (b'"\xc0\xaf"', "JSON_NOT_UTF8"),
        (b"\xef\xbb\xbf1", "JSON_MALFORMED"),
        (b"01", "JSON_MALFORMED"),
        (b"[1,]", "JSON_MALFORMED"),
        (b"{'a':1}", "JSON_MALFORMED"),
        (b'"a\nb"', "JSON_MALFORMED"),
        (b"1 2", "JSON_MALFORMED"),
        (b"/**/1", "JSON_MALFORMED"),
        (b"", "JSON_MALFORMED"),
    ],
)
def test_invalid_text_is_refused_with_the_expected_error_code(text: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text)
    assert caught.value.code == code


def test_a_surrogate_pair_is_one_character() -> None:
    assert parsed(b'"\\ud83d\\ude00"') == "😀"


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        value = parsed(data)
    except InvalidInput as error:
        assert error.code.startswith("JSON_")
    else:
        assert parsed(canonical(value)) == value


names = st.sampled_from(["a", "", '"', "\\", 'a":1,"', "键", "\U0001f600"])
objects = st.recursive(
    st.dictionaries(names, st.sampled_from([1, "", '"', "\\\\", 'b":2']), min_size=1),
    lambda inner: st.dictionaries(names, inner | st.lists(inner, min_size=1), min_size=1),
    max_leaves=6,
)


@given(objects, st.data(), st.sampled_from([None, 1]), st.booleans())
def test_an_object_with_a_repeated_name_is_refused_at_any_depth(
    value: Any, data: Any, indent: Any, ascii_only: bool
) -> None:
    """The name occurs twice in the object: in one place it is written with escapes, in the other without."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert parsed(text.encode()) == value
    spelled = {name: json.dumps(name, ensure_ascii=not ascii_only) for name in value}
    repeated = data.draw(st.sampled_from(sorted(value)))
    for twice in (f"{text[:-1]}, {spelled[repeated]}: 1}}", f"[{text[:-1]}, {spelled[repeated]}: {{}}}}, 1]"):
        with pytest.raises(InvalidInput, match="JSON_DUPLICATE_KEY"):
            parsed(twice.encode())


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_a_text_without_errors_is_parsed_only_by_the_compiled_parser(value: Any, indent: Any, ascii_only: bool) -> None:
    """The slow parser is only used to find out what is wrong with a text."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    with patch("ledger.domain.canonical._parsed_slowly", side_effect=AssertionError):
        assert parsed(text) == value
