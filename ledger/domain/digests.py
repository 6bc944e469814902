# SPDX-License-Identifier: Apache-2.0
"""The hash functions whose names occur in digests: ``sha-256``, and ``sm3`` (GB/T 32905-2016) if it is installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from ledger.errors import Misconfigured

SHA_256: Final = "sha-256"
SM3: Final = "sm3"
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = f"{SHA_256}:"


def reference(digest: str) -> str:
    """Return ``sha-256:`` followed by ``digest``, the 64 hex digits of a SHA-256 digest. Entries use this form."""
    return f"{_PREFIX}{digest}"


def hex_of(reference: str) -> str:
    """Return the 64 hex digits of ``reference``, which is ``sha-256:`` followed by the digits."""
    return reference.removeprefix(_PREFIX)


def is_hex_digest(value: Any) -> TypeGuard[str]:
    """Return whether the value is 64 lower-case hex digits: a SHA-256 digest, or the id of a party or an asset."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def sm_not_installed(what: str) -> Misconfigured:
    """Return the error ``SUITE_NOT_INSTALLED``; ``what`` is ``SM2`` or ``SM3``."""
    return Misconfigured(
        "SUITE_NOT_INSTALLED", f"{what} is not installed here.", hint="Install it: pip install 'pingzheng[sm]'."
    )


def _sha_256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        # OpenSSL has no SM3 if it was built without SM3 or allows only FIPS algorithms. Then gmalg computes the digest.
        pass
    try:
        import gmalg  # gmalg is an optional package, so it is imported only when a digest needs SM3.
    except ImportError as error:
        raise sm_not_installed("SM3") from error
    hashing = gmalg.SM3()
    hashing.update(data)
    return bytes(hashing.value())


HASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {SHA_256: _sha_256, SM3: _sm3}
"""Each function returns 32 bytes; ``sm3`` raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if it is not installed."""
