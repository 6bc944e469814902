"""Encrypts and decrypts wallet files: scrypt makes the key from a passphrase, AES-256-GCM encrypts the content.

The file begins with a header, which is one line of canonical JSON and is authenticated; the ciphertext and its tag
follow (protocol §10). The cost in the header is checked against the limits before scrypt runs.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.jws import decode_base64url, encode_base64url

FORMAT: Final = "pingzheng-wallet/2"
_FIRST_FORMAT: Final = "pingzheng-wallet/1"
KDF: Final = "scrypt"
CIPHER: Final = "AES-256-GCM"
MAX_WALLET_BYTES: Final = 16 * 1024 * 1024
MAX_HEADER_BYTES: Final = 512
MAX_MEMORY: Final = 256 * 1024 * 1024
MIN_N: Final = 2**10
BLOCK_SIZE: Final = 8
MIN_PASSPHRASE: Final = 12
MAX_PASSPHRASE: Final = 1024
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BAD_HEADER: Final = "The header does not have the members of a wallet's header."


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one guess of a passphrase: scrypt's N and p (RFC 7914); r is always 8.

    Memory is 128·N·r bytes; time grows with N·p. The default takes 128 MiB.
    """

    n: int = 2**17
    p: int = 1

    @property
    def bearable(self) -> bool:
        """Whether a wallet may have this cost: N must be a power of two from 2^10, and 128·N·r·p at most 256 MiB."""
        powered = self.n >= MIN_N and self.n & (self.n - 1) == 0
        return powered and self.p >= 1 and 128 * self.n * BLOCK_SIZE * self.p <= MAX_MEMORY


DEFAULT_COST: Final = Cost()


def check_new_passphrase(passphrase: str) -> str:
    """Return the passphrase if it may protect a new wallet; raise ``InvalidInput`` ``PASSPHRASE_UNFIT`` otherwise."""
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise InvalidInput(
            "PASSPHRASE_UNFIT",
            f"A passphrase must have {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters.",
            where="passphrase",
            hint="Use several words that nobody would combine: a thief of the file can try passphrases for years.",
        )
    return passphrase


def seal(content: bytes, passphrase: str, cost: Cost = DEFAULT_COST) -> bytes:
    """Return ``content`` as a wallet file, with a new salt and nonce; raise ``InvalidInput`` ``WALLET_FULL``."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    header = canonical(
        {
            "format": FORMAT,
            "kdf": {"name": KDF, "n": cost.n, "r": BLOCK_SIZE, "p": cost.p, "salt": encode_base64url(salt)},
            "cipher": {"name": CIPHER, "nonce": encode_base64url(nonce)},
        }
    )
    raw = header + b"\n" + AESGCM(_key(passphrase, salt, cost)).encrypt(nonce, content, header)
    if len(raw) > MAX_WALLET_BYTES:
        raise InvalidInput(
            "WALLET_FULL", f"A wallet file may have at most {MAX_WALLET_BYTES} bytes.", hint="Create a second wallet."
        )
    return raw


def unseal(raw: bytes, passphrase: str) -> bytes:
    """Return the content of a wallet file.

    Raises ``BadBundle`` ``WALLET_FORM`` for a file that is not a wallet or whose header exceeds the limits, and
    ``WALLET_NOT_OPENED`` if the passphrase is wrong or the file was changed; the two cases cannot be distinguished.
    """
    if len(raw) > MAX_WALLET_BYTES:
        raise _bad_form(f"A wallet file may have at most {MAX_WALLET_BYTES} bytes.")
    header, newline, _ = raw[: MAX_HEADER_BYTES + 1].partition(b"\n")
    sealed = raw[len(header) + 1 :]
    if not newline or len(sealed) < _TAG_BYTES:
        raise _bad_form("The file does not begin with the header of a wallet.")
    salt, nonce, cost = _read_header(header)
    try:
        return AESGCM(_key(passphrase, salt, cost)).decrypt(nonce, sealed, header)
    except InvalidTag:
        raise BadBundle(
            "WALLET_NOT_OPENED",
            "The wallet was not opened: the passphrase is wrong, or the file was changed.",
            hint="Try the passphrase again; if the passphrase is right, use another copy of the file.",
        ) from None


def _read_header(header: bytes) -> tuple[bytes, bytes, Cost]:
    try:
        parsed = parse_json(header, max_bytes=MAX_HEADER_BYTES, max_depth=2)
        form, kdf, cipher = _members(parsed, "format", "kdf", "cipher")
        function, n, r, p, salt = _members(kdf, "name", "n", "r", "p", "salt")
        mode, nonce = _members(cipher, "name", "nonce")
        salt, nonce = decode_base64url(salt, _SALT_BYTES), decode_base64url(nonce, _NONCE_BYTES)
    except (BadBundle, InvalidInput) as error:
        raise _bad_form(_BAD_HEADER) from error
    if form == _FIRST_FORMAT:
        raise BadBundle(
            "PROTOCOL_UNSUPPORTED",
            "The wallet is of protocol 1, which is no longer supported.",
            where="wallet",
            hint="Create a new wallet, and ask the issuer for the certificates again.",
        )
    if (form, function, mode) != (FORMAT, KDF, CIPHER) or canonical(parsed) != header:
        raise _bad_form(f"Only {FORMAT} with {KDF} and {CIPHER} is supported.")
    if any(type(number) is not int for number in (n, r, p)) or r != BLOCK_SIZE or not Cost(n, p).bearable:
        raise _bad_form("The header asks for more memory or time than allowed, or for invalid scrypt parameters.")
    return salt, nonce, Cost(n, p)


def _members(value: Any, *names: str) -> tuple[Any, ...]:
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _bad_form(_BAD_HEADER)
    return tuple(value[name] for name in names)


def _key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # The passphrase is normalised to Unicode NFC, because systems encode the same typed characters differently (RFC
    # 8265 §4.2).
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=_KEY_BYTES, n=cost.n, r=BLOCK_SIZE, p=cost.p).derive(secret)


def _bad_form(message: str) -> BadBundle:
    return BadBundle("WALLET_FORM", message, where="wallet", hint="Check that this is a complete wallet file.")
