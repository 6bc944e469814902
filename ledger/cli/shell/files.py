"""Files that people hand to commands."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from ledger.domain.canonical import parse_json
from ledger.errors import InvalidInput, Misconfigured, PingzhengError
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256K

T = TypeVar("T")

MAX_KEY_BYTES = 1024
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a file; raises ``InvalidInput`` ``FILE_MISSING`` or ``FILE_TOO_LARGE``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > limit:
        raise InvalidInput("FILE_TOO_LARGE", f"The file is larger than {limit} bytes.", where=str(path))
    return path.read_bytes()


def read_text(path: Path, limit: int) -> bytes:
    """The text of a file in UTF-8, also where an editor or a shell wrote it in UTF-16 or began it with a mark.

    Raises as ``read_bounded``. A text without a byte order mark is left as it is: whoever parses it says what is wrong.
    """
    return in_utf8(read_bounded(path, limit))


def in_utf8(raw: bytes) -> bytes:
    """A text in UTF-8 without a byte order mark, if a mark says how it is written; else the bytes as they are."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            with suppress(UnicodeDecodeError):
                return raw.decode(encoding).encode()
    return raw


def line_in(path: Path, limit: int) -> str:
    """A text of one line, without the blanks around it; raises as ``read_bounded``."""
    return read_text(path, limit).decode("utf-8", "replace").strip()


def parsed(path: Path, limit: int, parse: Callable[[bytes], T]) -> T:
    """What ``parse`` makes of the text of a file; its errors name the file.

    Raises as ``parse`` does, and as ``read_bounded``.
    """
    return of_file(path, parse, read_text(path, limit))


def of_file(path: Path, parse: Callable[[bytes], T], raw: bytes) -> T:
    """What ``parse`` makes of bytes of a file; its errors name the file. Raises as ``parse`` does."""
    try:
        return parse(raw)
    except PingzhengError as error:
        error.where = f"{path}, {error.where}" if error.where else str(path)
        raise


def json_in(path: Path, limit: int) -> Any:
    """The JSON value in a file; raises as ``read_bounded``, and ``InvalidInput`` ``JSON_…`` naming file and line."""
    return parsed(path, limit, lambda raw: parse_json(raw, max_bytes=max(limit, len(raw))))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, also where one was there that others could."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(text)


def private_key_of(path: Path) -> bytes:
    """The secp256k1 private key in a file; raises ``InvalidInput`` ``FILE_MISSING``, ``Misconfigured``."""
    private_key, signer = key_in(path)
    if signer.algorithm["alg"] != ES256K.alg:
        raise Misconfigured(
            "KEY_FILE_DAMAGED",
            "The file holds a key of another curve than the chain's accounts have.",
            where=path.name,
            hint="Give a secp256k1 key: 64 hex digits without a prefix, as `pingzheng key new` makes.",
        )
    return private_key


def signer_of(path: Path) -> Signer:
    """Signs with the private key in a file, by the suite that it names; raises as ``key_in``."""
    return key_in(path)[1]


def key_in(path: Path) -> tuple[bytes, Signer]:
    """The private key (32 bytes) in a file, and what signs with it by the suite that the file names.

    Raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE``; ``Misconfigured`` ``KEY_FILE_DAMAGED``.
    """
    from ledger.parties.custody import signer_of_key

    text = line_in(path, MAX_KEY_BYTES)
    try:
        return bytes.fromhex(text.rpartition(":")[2]), signer_of_key(text)
    except (ValueError, InvalidInput) as error:
        raise Misconfigured(
            "KEY_FILE_DAMAGED",
            "The key file holds no private key.",
            where=path.name,
            hint="It holds 64 hex digits, of P-256 after `p256:`, of SM2 after `sm2:`; `pingzheng key new` makes one.",
        ) from error
