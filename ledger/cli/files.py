"""Files that people hand to commands."""

from __future__ import annotations

from pathlib import Path

from ledger.errors import InvalidInput
from ledger.proof.jws import LocalSigner


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a file; raises ``InvalidInput`` ``FILE_MISSING`` or ``FILE_TOO_LARGE``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > limit:
        raise InvalidInput("FILE_TOO_LARGE", f"The file is larger than {limit} bytes.", where=str(path))
    return path.read_bytes()


def private_key_of(path: Path) -> bytes:
    """The private key in a file; raises ``InvalidInput`` ``FILE_MISSING``, ``Misconfigured``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such key file.", where=str(path))
    from ledger.service.keys import SecretFile

    return SecretFile(path).read()


def signer_of(path: Path) -> LocalSigner:
    """Signs with the private key in a file; raises as ``private_key_of``."""
    from ledger.chain.accounts import account_of

    key = private_key_of(path)
    return LocalSigner(key, account_of(key))
