"""A database that has only sealed records, and no chain. The keys come from files, or from the key provider that a test
passes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from ledger.installation.recovery.archiving import Archiving
from ledger.installation.settings import Settings
from ledger.privacy.key_providers import EnvironmentKeyProvider, FileKeyProvider
from ledger.privacy.key_rotation import CHUNK, KeyRotation
from ledger.store.database import Database, open_engine
from ledger.store.sealing import KeyProvider, Sealer
from ledger.store.tables import Sealed
from tests.support.machine.file_contents import contents

RECORDS = CHUNK + 50


class Vault:
    """The database of a folder, opened by one process."""

    def __init__(self, folder: Path, database: Database, keys: KeyProvider) -> None:
        self.folder, self.database, self.keys = folder, database, keys
        self.sealer = Sealer(keys)
        archiving = Archiving(Settings(home=folder), database, "0" * 64, lambda: 0)
        self.rotation = KeyRotation(database, self.sealer, archiving)

    def under(self, keys: KeyProvider) -> Vault:
        """Open the same database with the key provider ``keys``."""
        return Vault(self.folder, self.database, keys)

    def fill(self, count: int, first: int = 0) -> list[str]:
        """Seal ``count`` records, whose values contain the records' numbers; return the records' ids."""
        with self.database.write() as session:
            return [self.sealer.seal(session, sealed_text(number)) for number in range(first, first + count)]

    def opened(self, *records: str) -> list[object]:
        with self.database.read() as session:
            return [self.sealer.open(session, record) for record in records]

    def rows(self) -> dict[str, Sealed]:
        with self.database.read() as session:
            return {row.id: row for row in session.scalars(select(Sealed).order_by(Sealed.id))}

    def key_file(self, key_id: str) -> Path:
        return self.folder / "keys" / f"kek-{key_id}.key"


def sealed_text(number: int) -> dict[str, str]:
    return {"name": f"某人{number}"}


def made(folder: Path) -> FileKeyProvider:
    """Return the keys in a folder, and create the first key if there is none."""
    keys = FileKeyProvider(folder)
    keys.make_first()
    return keys


@contextmanager
def vault_in(folder: Path) -> Iterator[Vault]:
    """Return the vault in a folder, and create it if there is none."""
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    Sealed.metadata.create_all(engine, [Sealed.metadata.tables["sealed"]])
    yield Vault(folder, Database(engine), made(folder / "keys"))
    engine.dispose()


class KeyService:
    """A key management service: it wraps and unwraps with its own method and never returns a key-encryption key."""

    def __init__(self) -> None:
        self.__keys = {"arn:kms:1": AESGCM.generate_key(256)}
        self.current = "arn:kms:1"

    def wrap(self, data_key: bytes, key_id: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.__keys[key_id]).encrypt(nonce, data_key, None)

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        return AESGCM(self.__keys[key_id]).decrypt(wrapped[:12], wrapped[12:], None)

    def renew(self, to: str | None) -> str:
        self.current = to or f"arn:kms:{len(self.__keys) + 1}"
        self.__keys[self.current] = AESGCM.generate_key(256)
        return self.current


def environment(current: str = "a", **keys: str) -> EnvironmentKeyProvider:
    named = {f"PINGZHENG_KEK_{key_id}": key for key_id, key in keys.items()}
    return EnvironmentKeyProvider(named | {"PINGZHENG_KEK_CURRENT": current})


PROVIDERS: dict[str, Callable[[Path], KeyProvider]] = {
    "file": made,
    "environment": lambda _: environment(a=secrets.token_hex(32)),
    "key service": lambda _: KeyService(),
}


def stored(vault: Vault) -> bytes:
    return b"".join(contents(vault.folder, "ledger.db*").values())
