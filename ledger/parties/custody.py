"""Key files of an installation: readable only by their owner, and written completely or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ledger.chain.accounts import account_of, new_p256_key, new_private_key, new_sm2_key
from ledger.errors import InvalidInput, Misconfigured
from ledger.proof.jws import Es256Signer, LocalSigner, Signer, Sm2Signer
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite, suite_of_key
from ledger.wallet.private_file import alone_in, sync_folder, write_private

KEY_BYTES = 32
NEW_KEYS: Final = {ES256K: new_private_key, ES256: new_p256_key, SM2SM3: new_sm2_key}


class SecretFile:
    """A 32-byte secret in a file.

    ``make`` creates the secret, for a new ledger or a renewed key; ``read`` never creates a secret.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        """Return the secret; raises ``Misconfigured`` ``KEY_FILE_MISSING`` or ``KEY_FILE_DAMAGED``."""
        try:
            secret = bytes.fromhex(self._path.read_text("ascii").strip())
        except FileNotFoundError as error:
            raise key_file_missing(self._path) from error
        except (ValueError, IsADirectoryError):
            secret = b""
        if len(secret) != 32:
            raise Misconfigured(
                "KEY_FILE_DAMAGED",
                "The key file does not hold 64 hex digits.",
                where=self._path.name,
                hint="Restore the file from the backup; a new key cannot decrypt the old data.",
            )
        return secret

    def make(self) -> None:
        """Create the secret unless the file exists.

        If two processes create the secret at once, both use the secret that was written first.
        """
        draft = self._path.with_name(f"{self._path.stem}-{secrets.token_hex(4)}.new")
        write_private(draft, secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            self._path.hardlink_to(draft)
        draft.unlink()
        sync_folder(self._path.parent)


def key_file_missing(path: Path) -> Misconfigured:
    """Return the error for a missing key file without which no ledger can work."""
    return Misconfigured(
        "KEY_FILE_MISSING",
        f"The key file {path.name} of this ledger is missing.",
        where=str(path),
        hint="Restore the file from the backup of the keys. A new key could not open the existing data.",
    )


def new_key(suite: Suite = ES256K) -> str:
    """Return a new private key as text: 64 hex digits, with the prefix ``p256:`` for P-256 and ``sm2:`` for SM2."""
    return suite.prefix + NEW_KEYS[suite]().hex()


def signer_of_key(key: str) -> Signer:
    """Return a signer for a private key as text.

    Raises ``ValueError`` or ``InvalidInput`` if the text is not a private key, and ``Misconfigured`` as ``Sm2Signer``
    does.
    """
    suite = suite_of_key(key)
    private = bytes.fromhex(key.removeprefix(suite.prefix))
    if len(private) != KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    if suite is ES256K:
        return LocalSigner(private, account_of(private))
    return Sm2Signer(private) if suite is SM2SM3 else Es256Signer(private)


class Custody:
    """Private keys that this installation keeps for parties: in demonstrations, and for its own operator.

    In production a party keeps its own key, and the service receives only signatures. Keys in ``others`` can be used,
    but new keys are written only to ``path``. Several processes may share the file, so the file is read again if
    another process may have changed it, and a new key is added to the file's present content.
    """

    def __init__(self, path: Path, others: Sequence[Custody] = ()) -> None:
        self._path = path
        self._others = others
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, str] = {}
        if path.exists():
            self._read()

    def __contains__(self, account: str) -> bool:
        return self._knows(account) or any(account in other for other in self._others)

    @property
    def accounts(self) -> list[str]:
        """The accounts whose keys are in this file; the accounts of ``others`` are not included."""
        return list(self._keys)

    def create(self, count: int = 1, suite: Suite = ES256K) -> list[str]:
        """Make ``count`` keys and return their accounts."""
        return self._add([new_key(suite) for _ in range(count)])

    def keep(self, key: bytes) -> str:
        """Store a secp256k1 key that was made elsewhere, and return its account."""
        return self._add([key.hex()])[0]

    def _add(self, keys: Sequence[str]) -> list[str]:
        fresh = {signer_of_key(key).kid: key for key in keys}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._guard, alone_in(self._path.parent):
            if self._keys or self._path.exists():
                self._read()
            self._keys = self._keys | fresh
            write_private(self._path, json.dumps(self._keys, indent=1, sort_keys=True))
        return list(fresh)

    def _read(self) -> None:
        """Read the file; raises ``Misconfigured`` ``KEY_FILE_MISSING`` or ``KEY_FILE_DAMAGED``."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                keys: Any = json.loads(file.read())
        except FileNotFoundError as error:
            raise key_file_missing(self._path) from error
        except (ValueError, IsADirectoryError):
            keys = None
        if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
            raise self._damaged()
        # A key that was damaged in the file belongs to a different account. The chain would refuse its signatures, or
        # take them for signatures of another party. So every key is compared with the account under which it is stored.
        for account, key in keys.items():
            if self._keys.get(account) != key and not _is_key_of(account, key):
                raise self._damaged(account)
        self._keys = keys
        self._seen = _version(status)

    def _damaged(self, account: str | None = None) -> Misconfigured:
        what = "private keys of this ledger" if account is None else f"key of account {account}"
        return Misconfigured(
            "KEY_FILE_DAMAGED",
            f"The file {self._path.name} does not hold the {what}.",
            where=str(self._path),
            hint="Restore it from the backup of the keys.",
        )

    def _knows(self, account: str) -> bool:
        if account in self._keys:
            return True
        # Another process may have added the key to the file. Each write replaces the whole file, so the file is read
        # again if its inode number has changed.
        with self._guard:
            if self._path.exists() and _version(self._path.stat()) != self._seen:
                self._read()
            return account in self._keys

    def private_key(self, account: str) -> bytes:
        """Return the private key of an account, 32 bytes; raises ``Misconfigured`` ``KEY_NOT_HELD``."""
        return bytes.fromhex(self._key(account).rpartition(":")[2])

    def public_key(self, account: str) -> str:
        """Return the public key of an account as text (protocol §4)."""
        return self.signer(account).public_key

    def signer(self, account: str) -> Signer:
        """Return the signer of an account; raises ``Misconfigured`` ``KEY_NOT_HELD``."""
        return signer_of_key(self._key(account))

    def _key(self, account: str) -> str:
        for other in self._others:
            if account in other:
                return other._key(account)
        if not self._knows(account):
            raise Misconfigured(
                "KEY_NOT_HELD",
                f"The key of account {account} is not kept here.",
                hint="Let the party sign with its own key, and send the signature.",
            )
        return self._keys[account]


def _is_key_of(account: str, key: str) -> bool:
    try:
        return signer_of_key(key).kid == account
    except (ValueError, InvalidInput):
        return False
    except Misconfigured:
        # The key's suite is not installed, so the key cannot be checked now. The error is raised only when the key must
        # sign.
        return True


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size
