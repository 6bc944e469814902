"""Hash functions by the names that digests carry: ``sha-256``, and ``sm3`` (GB/T 32905-2016) where it is installed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from ledger.errors import Misconfigured

SHA_256: Final = "sha-256"
SM3: Final = "sm3"
_PREFIX: Final = f"{SHA_256}:"


def reference(digest: str) -> str:
    """How entries write a SHA-256 digest (64 hex digits): ``sha-256:`` and the digits."""
    return f"{_PREFIX}{digest}"


def hex_of(reference: str) -> str:
    """The 64 hex digits of a SHA-256 digest as entries write it."""
    return reference.removeprefix(_PREFIX)


def is_hex_digest(value: Any) -> TypeGuard[str]:
    """Whether it is 64 lower-case hex digits: a SHA-256 digest, or an id of a party or an asset."""
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


def sm_not_installed(what: str) -> Misconfigured:
    """The error ``SUITE_NOT_INSTALLED`` for SM2 or SM3 where nothing here computes it."""
    return Misconfigured(
        "SUITE_NOT_INSTALLED", f"{what} is not installed here.", hint="Install it: pip install 'pingzheng[sm]'."
    )


def _sha_256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        # An OpenSSL that was built without SM3, or is held to FIPS algorithms, has none.
        pass
    try:
        import gmalg  # an extra, wanted only where a digest names it
    except ImportError as error:
        raise sm_not_installed("SM3") from error
    hashing = gmalg.SM3()
    hashing.update(data)
    return bytes(hashing.value())


HASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {SHA_256: _sha_256, SM3: _sm3}
"""Each gives 32 bytes; that of ``sm3`` raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``."""
