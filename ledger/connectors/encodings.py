"""Finds the encoding of a text file: the declared encoding, or the only encoding that fits the bytes. The encoding is
never guessed.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput

# The names of encodings that an operator may declare, each with the Python codec that reads it.
DECLARABLE: Final = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
SHOWN: Final = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"} | {
    "gb18030": "GB18030"
}
_UTF32: Final = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_HEAD_BYTES: Final = 4096
_ZERO_SHARE: Final = 0.25
# In GB 2312, the first byte of a character is 0xA0 plus the character's row in the code table. Rows 1 and 3 contain
# signs; rows 16 to 55 contain the 3,755 most common characters.
_COMMON_LEADS: Final = frozenset({0xA1, 0xA3, *range(0xB0, 0xD8)})
# First bytes of common characters of GB 2312. No common character of Big5 and no Hangul character of EUC-KR begins with
# one of these bytes, so a text that has them is probably in neither of these two encodings.
_CHINESE_ONLY: Final = range(0xC9, 0xD8)
_SECOND: Final = 0xA1
_FIRST_CHARACTER: Final = 0xB0
_COMMON_SHARE: Final = 0.95
_FREQUENT_SHARE: Final = 0.8
_SOME_FREQUENT: Final = 0.4
_CHUNKS_LOOKED_AT: Final = 64
_HINT: Final = "Save the file as “CSV UTF-8”, or declare its encoding: gb18030 or utf-16."


def codec_of(declared: str | None, chunks: Callable[[], Iterable[bytes]], where: str) -> str:
    """Return the codec that reads a file: the codec of the declared encoding or, if none is declared, the only codec
    that fits the bytes.

    Each call of ``chunks`` yields the file's bytes from the beginning. Raises ``InvalidInput`` ``CSV_NOT_UTF8``,
    ``ENCODING_UNKNOWN``, ``ENCODING_DIFFERS``.
    """
    if declared is None:
        return _beyond_doubt(chunks, where)
    codec = DECLARABLE.get(declared.lower())
    if codec is None:
        raise InvalidInput(
            "ENCODING_UNKNOWN",
            "This encoding is not supported.",
            where=where,
            hint="Use utf-8, utf-16 or gb18030 (also called gbk).",
        )
    if codec == "utf-16":
        codec = _utf16(next(iter(chunks()), b"")[:_HEAD_BYTES]) or "utf-16-le"
    if _first_wrong(codec, chunks()) is not None:
        raise InvalidInput(
            "ENCODING_DIFFERS", f"The file is not in {SHOWN[codec]}, the declared encoding.", where=where, hint=_HINT
        )
    return codec


def _beyond_doubt(chunks: Callable[[], Iterable[bytes]], where: str) -> str:
    head = next(iter(chunks()), b"")[:_HEAD_BYTES]
    wide = None if head.startswith(_UTF32) else _utf16(head)
    wrong = _first_wrong("utf-8-sig", chunks())
    # Many zero bytes show UTF-16, where every second byte of ASCII text is zero. UTF-8 text has hardly any.
    if wrong is None and head.count(0) < _ZERO_SHARE * len(head):
        return "utf-8-sig"
    if wide is not None and _first_wrong(wide, chunks()) is None:
        return wide
    if wrong is None:
        return "utf-8-sig"
    if _first_wrong("gb18030", chunks()) is None and _is_chinese(chunks()):
        return "gb18030"
    raise InvalidInput(
        "CSV_NOT_UTF8",
        f"Byte {wrong} is not UTF-8, and no other encoding fits without doubt.",
        where=where,
        hint=_HINT,
    )


def _utf16(head: bytes) -> str | None:
    """Return the UTF-16 codec that the byte order mark shows. Without a mark, the positions of zero bytes show the
    codec.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if (even and odd) or (not even and not odd):
        return None
    return "utf-16-le" if odd else "utf-16-be"


def _first_wrong(codec: str, chunks: Iterable[bytes]) -> int | None:
    """Return the position of the first byte that cannot be decoded, or None if all bytes can be decoded."""
    decoder, before = codecs.getincrementaldecoder(codec)(), 0
    pending = 0
    try:
        for chunk in chunks:
            pending = len(decoder.getstate()[0])
            decoder.decode(chunk)
            before += len(chunk)
        pending = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return max(0, before - pending) + error.start
    return None


def _is_chinese(chunks: Iterable[bytes]) -> bool:
    """Return whether bytes that can be decoded as GB18030 are Chinese text. Bytes in another encoding can often be
    decoded too.

    Nearly all characters must be common in simplified Chinese, and 80 % of these common characters must be among the
    most frequent characters; 40 % are enough if the text has bytes that other encodings do not use. If text in another
    encoding is decoded by chance, hardly one character in four is among the most frequent.
    """
    decoder, counts = codecs.getincrementaldecoder("gb18030")(), Counter[str]()
    for chunk in islice(chunks, _CHUNKS_LOOKED_AT):
        counts.update(decoder.decode(chunk))
    foreign = common = chinese_only = signs = frequent = 0
    for sign, times in counts.items():
        if sign.isascii():
            continue
        foreign += times
        lead, *rest = sign.encode("gb18030")
        if lead in _COMMON_LEADS and len(rest) == 1 and rest[0] >= _SECOND:
            common += times
            signs += times if lead < _FIRST_CHARACTER else 0
            chinese_only += times if lead in _CHINESE_ONLY else 0
            frequent += times if sign in _frequent() else 0
    characters = foreign - signs
    if not characters or common < _COMMON_SHARE * foreign:
        return False
    share = _SOME_FREQUENT if chinese_only else _FREQUENT_SHARE
    return frequent >= share * characters


@cache
def _frequent() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("common_characters.txt").read_text("utf-8")) - {"\n"}
