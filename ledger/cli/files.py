"""Files that people hand to commands."""

from __future__ import annotations

import os
from pathlib import Path

from ledger.errors import InvalidInput, Misconfigured
from ledger.proof.jws import Signer

MAX_KEY_BYTES = 1024


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a file; raises ``InvalidInput`` ``FILE_MISSING`` or ``FILE_TOO_LARGE``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > limit:
        raise InvalidInput("FILE_TOO_LARGE", f"The file is larger than {limit} bytes.", where=str(path))
    return path.read_bytes()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, also where one was there that others could."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(text)


def private_key_of(path: Path) -> bytes:
    """The secp256k1 private key in a file; raises ``InvalidInput`` ``FILE_MISSING``, ``Misconfigured``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such key file.", where=str(path))
    from ledger.service.keys import SecretFile

    return SecretFile(path).read()


def signer_of(path: Path) -> Signer:
    """Signs with the private key in a file, by the suite that it names; raises as ``key_in``."""
    return key_in(path)[1]


def key_in(path: Path) -> tuple[bytes, Signer]:
    """The private key (32 bytes) in a file, and what signs with it by the suite that the file names.

    Raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE``; ``Misconfigured`` ``KEY_FILE_DAMAGED``.
    """
    from ledger.service.keys import signer_of_key

    text = read_bounded(path, MAX_KEY_BYTES).decode("utf-8", "replace").strip()
    try:
        return bytes.fromhex(text.rpartition(":")[2]), signer_of_key(text)
    except (ValueError, InvalidInput) as error:
        raise Misconfigured(
            "KEY_FILE_DAMAGED",
            "The key file holds no private key.",
            where=path.name,
            hint="It holds 64 hex digits, of P-256 after `p256:`, of SM2 after `sm2:`; `pingzheng key new` makes one.",
        ) from error
