"""Read the files that users name in commands: texts, JSON, private keys."""

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
    """Return the bytes of a file. Raises ``InvalidInput`` ``FILE_MISSING``, or ``FILE_TOO_LARGE`` if the file has more
    than ``limit`` bytes.
    """
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "The file does not exist.", where=str(path))
    if path.stat().st_size > limit:
        raise InvalidInput("FILE_TOO_LARGE", f"The file is larger than {limit} bytes.", where=str(path))
    return path.read_bytes()


def read_text(path: Path, limit: int) -> bytes:
    """Return the text of a file as UTF-8. If the text begins with a byte order mark (UTF-8 or UTF-16), it is converted.

    A text without a byte order mark is returned unchanged. If the encoding of the text is wrong, the parser reports the
    mistake. Raises the errors of ``read_bounded``.
    """
    return in_utf8(read_bounded(path, limit))


def in_utf8(raw: bytes) -> bytes:
    """Convert a text that begins with a byte order mark to UTF-8 without the mark. Return other bytes unchanged."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            with suppress(UnicodeDecodeError):
                return raw.decode(encoding).encode()
    return raw


def line_in(path: Path, limit: int) -> str:
    """Return the text of a file without surrounding blanks; raises the errors of ``read_bounded``."""
    return read_text(path, limit).decode("utf-8", "replace").strip()


def parsed(path: Path, limit: int, parse: Callable[[bytes], T]) -> T:
    """Parse the text of a file. An error from the parser then names the file. Raises the errors of ``parse`` and
    ``read_bounded``.
    """
    return of_file(path, parse, read_text(path, limit))


def of_file(path: Path, parse: Callable[[bytes], T], raw: bytes) -> T:
    """Parse bytes that were read from a file. An error from the parser then names the file. Raises the errors of
    ``parse``.
    """
    try:
        return parse(raw)
    except PingzhengError as error:
        error.where = f"{path}, {error.where}" if error.where else str(path)
        raise


def json_in(path: Path, limit: int) -> Any:
    """Return the JSON value in a file; raises the errors of ``read_bounded``, and ``InvalidInput`` ``JSON_…``."""
    return parsed(path, limit, lambda raw: parse_json(raw, max_bytes=max(limit, len(raw))))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. If the file exists, other users lose their permissions on it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(text)


def private_key_of(path: Path) -> bytes:
    """Return the secp256k1 private key in a file; raises the errors of ``key_in``."""
    private_key, signer = key_in(path)
    if signer.algorithm["alg"] != ES256K.alg:
        raise Misconfigured(
            "KEY_FILE_DAMAGED",
            "The key in the file is not a secp256k1 key. Accounts on the chain need such a key.",
            where=path.name,
            hint="Give a secp256k1 key: 64 hex digits without a prefix, as `pingzheng key new` writes it.",
        )
    return private_key


def signer_of(path: Path) -> Signer:
    """Return the signer for the private key in a file; raises the errors of ``key_in``."""
    return key_in(path)[1]


def key_in(path: Path) -> tuple[bytes, Signer]:
    """Return the private key (32 bytes) in a file, and a signer that uses this key with the suite that the file names.
    Raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE``; ``Misconfigured`` ``KEY_FILE_DAMAGED``.
    """
    from ledger.parties.custody import signer_of_key

    text = line_in(path, MAX_KEY_BYTES)
    try:
        return bytes.fromhex(text.rpartition(":")[2]), signer_of_key(text)
    except (ValueError, InvalidInput) as error:
        raise Misconfigured(
            "KEY_FILE_DAMAGED",
            "The file does not contain a private key.",
            where=path.name,
            hint="Write 64 hex digits (after `p256:` or `sm2:` for such keys); `pingzheng key new` makes a key file.",
        ) from error
