"""Key files of an installation: readable by their owner alone, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.chain.accounts import account_of, new_p256_key, new_private_key, new_sm2_key
from ledger.errors import Misconfigured
from ledger.proof.jws import Es256Signer, LocalSigner, Signer, Sm2Signer
from ledger.proof.suite import ES256, ES256K, SM2SM3, Suite, suite_of_key
from ledger.wallet.private_file import sync_folder, write_whole

KEY_BYTES = 32
NEW_KEYS: Final = {ES256K: new_private_key, ES256: new_p256_key, SM2SM3: new_sm2_key}


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` with mode 600: all of it, or nothing on a crash."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, text.encode())


class SecretFile:
    """A 32-byte secret in a file, made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        """The secret; raises ``Misconfigured`` ``KEY_FILE_DAMAGED`` if the file does not hold one."""
        if not self._path.exists():
            self.make()
        try:
            secret = bytes.fromhex(self._path.read_text().strip())
        except ValueError:
            secret = b""
        if len(secret) != 32:
            raise Misconfigured(
                "KEY_FILE_DAMAGED",
                "The key file does not hold 64 hex digits.",
                where=self._path.name,
                hint="Restore it from the backup; a new key cannot open what the old one sealed.",
            )
        return secret

    def make(self) -> None:
        """Make the secret unless there is one: of two processes that do so at once, both go on with the first's."""
        draft = self._path.with_name(f"{self._path.stem}-{secrets.token_hex(4)}.new")
        write_private(draft, secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            self._path.hardlink_to(draft)
        draft.unlink()
        sync_folder(self._path.parent)


def new_key(suite: Suite = ES256K) -> str:
    """A fresh private key as text: 64 hex digits, of P-256 after ``p256:``, of SM2 after ``sm2:``."""
    return suite.prefix + NEW_KEYS[suite]().hex()


def signer_of_key(key: str) -> Signer:
    """Signs with a private key as text; raises ``ValueError``, ``InvalidInput``, ``Misconfigured`` as ``Sm2Signer``."""
    suite = suite_of_key(key)
    private = bytes.fromhex(key.removeprefix(suite.prefix))
    if len(private) != KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    if suite is ES256K:
        return LocalSigner(private, account_of(private))
    return Sm2Signer(private) if suite is SM2SM3 else Es256Signer(private)


class Custody:
    """Private keys that this installation keeps *for* parties: for demonstrations and for its own operator.

    In production a party keeps its key; the service takes its signatures only. Keys of ``others`` are found too; new
    keys are kept in ``path``.
    """

    def __init__(self, path: Path, others: Sequence[Custody] = ()) -> None:
        self._path = path
        self._others = others
        self._keys: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def __contains__(self, account: str) -> bool:
        return account in self._keys or any(account in other for other in self._others)

    @property
    def accounts(self) -> list[str]:
        """The accounts whose keys are in this file alone."""
        return list(self._keys)

    def create(self, count: int = 1, suite: Suite = ES256K) -> list[str]:
        """Make ``count`` keys and return their accounts."""
        return self._add([new_key(suite) for _ in range(count)])

    def keep(self, key: bytes) -> str:
        """Keep a secp256k1 key that was made elsewhere, and return its account."""
        return self._add([key.hex()])[0]

    def _add(self, keys: Sequence[str]) -> list[str]:
        fresh = {signer_of_key(key).kid: key for key in keys}
        self._keys |= fresh
        write_private(self._path, json.dumps(self._keys, indent=1, sort_keys=True))
        return list(fresh)

    def private_key(self, account: str) -> bytes:
        """The private key of an account, 32 bytes; raises ``Misconfigured`` ``KEY_NOT_HELD``."""
        return bytes.fromhex(self._key(account).rpartition(":")[2])

    def public_key(self, account: str) -> str:
        """The public key as text (protocol §4)."""
        return self.signer(account).public_key

    def signer(self, account: str) -> Signer:
        """Signs as that account."""
        return signer_of_key(self._key(account))

    def _key(self, account: str) -> str:
        for other in self._others:
            if account in other:
                return other._key(account)
        if account not in self._keys:
            raise Misconfigured(
                "KEY_NOT_HELD",
                f"The key of account {account} is not held here.",
                hint="Let the party sign with its own key and send the signature.",
            )
        return self._keys[account]
