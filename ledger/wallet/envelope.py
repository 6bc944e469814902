"""The wallet file's envelope: a passphrase through scrypt, AES-256-GCM over the content, the header authenticated.

The file is one line of canonical JSON, the header, and after it the ciphertext with its tag (protocol §10). Nothing
is computed from a header before it is found to ask for no more than a wallet needs.
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


@dataclass(frozen=True, slots=True)
class Cost:
    """What each guess at a passphrase costs: scrypt's N and p (RFC 7914); its r is always 8.

    Memory is 128·N·r bytes, time grows with N·p. The default takes 128 MiB.
    """

    n: int = 2**17
    p: int = 1

    @property
    def bearable(self) -> bool:
        """Whether a wallet may ask for it: N a power of two from 2^10, and 128·N·r·p at most 256 MiB."""
        powered = self.n >= MIN_N and self.n & (self.n - 1) == 0
        return powered and self.p >= 1 and 128 * self.n * BLOCK_SIZE * self.p <= MAX_MEMORY


DEFAULT_COST: Final = Cost()


def check_new_passphrase(passphrase: str) -> str:
    """The passphrase if it may protect a wallet from now on; raises ``InvalidInput`` ``PASSPHRASE_UNFIT``."""
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise InvalidInput(
            "PASSPHRASE_UNFIT",
            f"A passphrase has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters.",
            where="passphrase",
            hint="Whoever gets the file may guess for years: take several words that nobody would put together.",
        )
    return passphrase


def seal(content: bytes, passphrase: str, cost: Cost = DEFAULT_COST) -> bytes:
    """The wallet file of ``content``, under fresh salt and nonce; raises ``InvalidInput`` ``WALLET_FULL``."""
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
            "WALLET_FULL", f"A wallet file has at most {MAX_WALLET_BYTES} bytes.", hint="Begin a second wallet."
        )
    return raw


def unseal(raw: bytes, passphrase: str) -> bytes:
    """The content of a wallet file.

    Raises ``BadBundle`` ``WALLET_FORM`` for what is no wallet file or asks for too much, and ``WALLET_NOT_OPENED`` for
    a wrong passphrase and for a changed file alike: which of them it was cannot be told.
    """
    if len(raw) > MAX_WALLET_BYTES:
        raise _bad_form(f"A wallet file has at most {MAX_WALLET_BYTES} bytes.")
    header, newline, _ = raw[: MAX_HEADER_BYTES + 1].partition(b"\n")
    sealed = raw[len(header) + 1 :]
    if not newline or len(sealed) < _TAG_BYTES:
        raise _bad_form("It does not begin with the header of a wallet.")
    salt, nonce, cost = _read_header(header)
    try:
        return AESGCM(_key(passphrase, salt, cost)).decrypt(nonce, sealed, header)
    except InvalidTag:
        raise BadBundle(
            "WALLET_NOT_OPENED",
            "The wallet was not opened: the passphrase is wrong, or the file was changed.",
            hint="Try the passphrase again; if it is right, go back to a copy of the file.",
        ) from None


def _read_header(header: bytes) -> tuple[bytes, bytes, Cost]:
    try:
        told = parse_json(header, max_bytes=MAX_HEADER_BYTES, max_depth=2)
        form, kdf, cipher = _members(told, "format", "kdf", "cipher")
        function, n, r, p, salt = _members(kdf, "name", "n", "r", "p", "salt")
        mode, nonce = _members(cipher, "name", "nonce")
        salt, nonce = decode_base64url(salt, _SALT_BYTES), decode_base64url(nonce, _NONCE_BYTES)
    except (BadBundle, InvalidInput) as error:
        raise _bad_form("Its header is not of the form that a wallet has.") from error
    if form == _FIRST_FORMAT:
        raise BadBundle(
            "PROTOCOL_UNSUPPORTED",
            "The wallet is of protocol 1, which is not read any more.",
            where="wallet",
            hint="Begin a new wallet with the certificates that the issuer gives you now.",
        )
    if (form, function, mode) != (FORMAT, KDF, CIPHER) or canonical(told) != header:
        raise _bad_form(f"Only {FORMAT} with {KDF} and {CIPHER} is read here.")
    if any(type(number) is not int for number in (n, r, p)) or r != BLOCK_SIZE or not Cost(n, p).bearable:
        raise _bad_form("Its header asks for more memory or time than a wallet needs, or for what scrypt cannot do.")
    return salt, nonce, Cost(n, p)


def _members(value: Any, *names: str) -> tuple[Any, ...]:
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _bad_form("Its header is not of the form that a wallet has.")
    return tuple(value[name] for name in names)


def _key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # NFC: the same characters typed on another system open the wallet there (RFC 8265 §4.2).
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=_KEY_BYTES, n=cost.n, r=BLOCK_SIZE, p=cost.p).derive(secret)


def _bad_form(message: str) -> BadBundle:
    return BadBundle("WALLET_FORM", message, where="wallet", hint="Check that this is the wallet file, and whole.")
