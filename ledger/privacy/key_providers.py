"""Provides key-encryption keys from files or from environment variables; see ``store.sealing.KeyProvider``."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from ledger.errors import InvalidInput, Misconfigured
from ledger.parties.custody import SecretFile, key_file_missing
from ledger.store.sealing import KeyProvider
from ledger.wallet.private_file import write_private

FIRST_KEY: Final = "1"
KEY_BYTES: Final = 32
PREFIX: Final = "PINGZHENG_KEK_"
_KEY_ID: Final = re.compile(r"[0-9A-Za-z_]{1,32}", re.ASCII)


_Version = tuple[int, int, int]


def _version(path: Path) -> _Version:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


class LocalKeys(ABC):
    """Wraps and unwraps data keys with keys in this process's memory: AES key wrap (RFC 3394)."""

    def wrap(self, data_key: bytes, key_id: str) -> bytes:
        """Return the wrapped data key (40 bytes); raises ``Misconfigured`` ``SEALING_KEY_MISSING``."""
        return aes_key_wrap(self._key(key_id), data_key)

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return the data key; raises ``Misconfigured`` ``SEALING_KEY_MISSING`` or ``SEALING_KEY_WRONG``."""
        try:
            return aes_key_unwrap(self._key(key_id), wrapped)
        except InvalidUnwrap as error:
            raise Misconfigured(
                "SEALING_KEY_WRONG",
                f"The present key {key_id} is not the key that encrypted the data key of this record.",
                where=f"key {key_id}",
                hint="Restore the original key with this id from the backup of the keys.",
            ) from error

    @abstractmethod
    def _key(self, key_id: str) -> bytes: ...


class FileKeyProvider(LocalKeys):
    """Provides keys from files ``kek-<id>.key``; the file ``kek-current`` holds the id of the key for new records.

    The key file is looked up for every record, and read again if it was replaced or changed. So a running server uses a
    new key as soon as another process has made the key, and does not use a key whose file was deleted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._current = folder / "kek-current"
        self._read: dict[str, tuple[_Version, bytes]] = {}

    @property
    def current(self) -> str:
        """The id of the key for new records; raises ``Misconfigured`` ``KEY_FILE_MISSING``, ``KEY_FILE_DAMAGED``."""
        try:
            named = self._current.read_text("utf-8", "replace").strip()
        except FileNotFoundError as error:
            # There is no default key: after a rotation, the default could be the old key.
            raise key_file_missing(self._current) from error
        except IsADirectoryError:
            named = ""
        if not _KEY_ID.fullmatch(named):
            raise Misconfigured(
                "KEY_FILE_DAMAGED",
                "The file does not hold the id of a key.",
                where=str(self._current),
                hint="Restore the file from the backup of the keys.",
            )
        return named

    def make_first(self) -> None:
        """Create the first key of a new ledger, unless an interrupted creation has already created this key."""
        if not self._current.exists():
            self._make_current(FIRST_KEY)

    def renew(self, to: str | None) -> str:
        """Create the key with the id ``to`` (default: the next number), make it the current key and return its id.

        Raises ``InvalidInput`` ``SEALING_KEY_ID``; ``Misconfigured`` ``KEY_FILE_MISSING`` if the file of the current
        key is lost.
        """
        new = str(max(self._numbers(), default=0) + 1) if to is None else to
        if not _KEY_ID.fullmatch(new):
            raise InvalidInput("SEALING_KEY_ID", "A key id must have 1 to 32 ASCII letters, digits and _.", where="to")
        if new != self.current:
            self._make_current(new)
        elif not self._path(new).exists():
            raise key_file_missing(self._path(new))
        return new

    def _make_current(self, key_id: str) -> None:
        # The key is written before kek-current, so that kek-current never names a missing key. After a crash in between
        # there is only one unused key more.
        SecretFile(self._path(key_id)).make()
        write_private(self._current, key_id + "\n")

    def _key(self, key_id: str) -> bytes:
        path = self._path(key_id)
        try:
            version = _version(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing(key_id, path.name, "Restore the key file") from error
        known = self._read.get(key_id)
        if known is None or known[0] != version:
            known = self._read[key_id] = version, SecretFile(path).read()
        return known[1]

    def _path(self, key_id: str) -> Path:
        return self._folder / f"kek-{key_id}.key"

    def _numbers(self) -> list[int]:
        names = [path.stem.removeprefix("kek-") for path in self._folder.glob("kek-*.key")]
        return [int(name) for name in names if name.isascii() and name.isdigit()]


class EnvironmentKeyProvider(LocalKeys):
    """Provides keys from variables ``PINGZHENG_KEK_<id>`` (64 hex digits).

    ``PINGZHENG_KEK_CURRENT`` holds the id of the key for new records.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @property
    def current(self) -> str:
        """The id of the key that wraps new records; raises ``Misconfigured`` ``SEALING_KEY_MISSING``."""
        named = self._environment.get(f"{PREFIX}CURRENT", "")
        if not named:
            raise _missing("CURRENT", f"{PREFIX}CURRENT", "Set it to the id of a key")
        return named

    def renew(self, to: str | None) -> str:
        """Return the id of the current key; raises ``InvalidInput`` ``SEALING_KEY_ID`` if ``to`` is another id."""
        if to not in (None, self.current):
            raise InvalidInput(
                "SEALING_KEY_ID",
                f"{PREFIX}CURRENT does not name the requested key.",
                where="to",
                hint=f"Set {PREFIX}<id> and {PREFIX}CURRENT, and restart every process.",
            )
        self._key(self.current)
        return self.current

    def _key(self, key_id: str) -> bytes:
        name = f"{PREFIX}{key_id}"
        if name not in self._environment:
            raise _missing(key_id, name, "Set the variable")
        try:
            key = bytes.fromhex(self._environment[name].strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise Misconfigured("SEALING_KEY_FORM", "The variable does not hold 64 hex digits.", where=name)
        return key


def local_keys(kind: str, folder: Path, environment: Mapping[str, str]) -> KeyProvider:
    """Return the key provider that the setting ``key_provider`` names: ``file`` or ``environment``."""
    return EnvironmentKeyProvider(environment) if kind == "environment" else FileKeyProvider(folder)


def _missing(key_id: str, where: str, remedy: str) -> Misconfigured:
    return Misconfigured(
        "SEALING_KEY_MISSING",
        f"The key-encryption key {key_id} is missing.",
        where=where,
        hint=f"{remedy}; without this key, the records whose data keys it encrypts cannot be read.",
    )
