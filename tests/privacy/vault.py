"""A store of sealed records alone, without a chain; its keys are in files unless another provider is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from ledger.installation.recovery.archiving import Archiving
from ledger.installation.settings import Settings
from ledger.privacy.key_providers import FileKeyProvider
from ledger.privacy.key_rotation import KeyRotation
from ledger.store.database import Database, open_engine
from ledger.store.sealing import KeyProvider, Sealer
from ledger.store.tables import Sealed


class Vault:
    """One process's view of the store in a folder."""

    def __init__(self, folder: Path, database: Database, keys: KeyProvider) -> None:
        self.folder, self.database, self.keys = folder, database, keys
        self.sealer = Sealer(keys)
        archiving = Archiving(Settings(home=folder), database, "0" * 64, lambda: 0)
        self.rotation = KeyRotation(database, self.sealer, archiving)

    def under(self, keys: KeyProvider) -> Vault:
        """The same store with another provider of keys."""
        return Vault(self.folder, self.database, keys)

    def fill(self, count: int, first: int = 0) -> list[str]:
        """Seal ``count`` records, whose values tell their numbers."""
        with self.database.write() as session:
            return [self.sealer.seal(session, told(number)) for number in range(first, first + count)]

    def opened(self, *records: str) -> list[object]:
        with self.database.read() as session:
            return [self.sealer.open(session, record) for record in records]

    def rows(self) -> dict[str, Sealed]:
        with self.database.read() as session:
            return {row.id: row for row in session.scalars(select(Sealed).order_by(Sealed.id))}

    def key_file(self, key_id: str) -> Path:
        return self.folder / "keys" / f"kek-{key_id}.key"


def told(number: int) -> dict[str, str]:
    return {"name": f"某人{number}"}


def made(folder: Path) -> FileKeyProvider:
    """The keys in a folder, the first of which is made if there is none."""
    keys = FileKeyProvider(folder)
    keys.make_first()
    return keys


@contextmanager
def vault_in(folder: Path) -> Iterator[Vault]:
    """The vault in a folder, made if there is none."""
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    Sealed.metadata.create_all(engine, [Sealed.metadata.tables["sealed"]])
    yield Vault(folder, Database(engine), made(folder / "keys"))
    engine.dispose()
