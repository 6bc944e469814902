"""Files with signed statements in which some lines are wrong: each wrong line gets an error, and all correct lines are
read.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import InvalidInput
from ledger.usage.batches.files import MAX_LINE_BYTES, lines_in

ITEM = b'{"statement":{"id":"x"},"note":{}}'
BOM = b"\xef\xbb\xbf"


def read(path: Path, text: bytes) -> list[tuple[int, str]]:
    """Return the number of each line, with the code of the line's error, or with the word ``item`` if the line is
    correct.
    """
    path.write_bytes(text)
    found = lines_in(path, "requests")
    return [(number, item.code if isinstance(item, InvalidInput) else "item") for number, item in found]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\0", "JSON_MALFORMED"),
        (b"\xff\xfe", "JSON_NOT_UTF8"),
        (b"[" * 200_000, "JSON_TOO_DEEP"),
        (b'"' + b"a" * 5 * MAX_LINE_BYTES + b'"', "JSON_TOO_LARGE"),
        (b'"' + b"a" * (MAX_LINE_BYTES - 1) + b'"', "JSON_TOO_LARGE"),
        (b'"' + b"a" * (MAX_LINE_BYTES - 2) + b'"', "ITEM_FORM"),
        (b'{"statement":{"a":1.5},"note":{}}', "JSON_FLOAT"),
        (b'{"statement":{"a":"\\ud800"},"note":{}}', "JSON_SURROGATE"),
        (b'{"statement":{},"statement":{},"note":{}}', "JSON_DUPLICATE_KEY"),
        (b'{"statement":[],"note":{}}', "ITEM_FORM"),
        (b"null", "ITEM_FORM"),
    ],
)
def test_a_wrong_line_is_refused_and_all_correct_lines_are_read(tmp_path: Path, line: bytes, code: str) -> None:
    text = ITEM + b"\n" + line + b"\n" + ITEM
    assert read(tmp_path / "r.jsonl", text) == [(1, "item"), (2, code), (3, "item")]


def test_empty_lines_and_windows_line_ends_and_a_byte_order_mark_are_accepted(tmp_path: Path) -> None:
    assert read(tmp_path / "r.jsonl", BOM + ITEM + b"\r\n\r\n" + ITEM + b"\r\n") == [(1, "item"), (3, "item")]
    assert read(tmp_path / "r.jsonl", BOM + b"\r\n" + ITEM) == [(2, "item")]
    assert read(tmp_path / "r.jsonl", BOM) == []
    table = BOM + b'statement,note\r\n"{""id"":""x""}",{}\r\n'
    assert read(tmp_path / "r.csv", table) == [(2, "item")]


@pytest.mark.parametrize(
    "text", [b"", b"statement,note\n" + b"[" * 100_000 + b",{}\n", b'statement,note\n"{}\n', b"statement,note\n{}\n"]
)
def test_a_table_that_cannot_be_read_is_refused_as_a_whole(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(InvalidInput, match="CSV_"):
        read(tmp_path / "r.csv", text)
