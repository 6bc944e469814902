"""The base class of the use cases of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.days import Clock
from ledger.store.database import Database


@dataclass(eq=False, repr=False)
class UseCase:
    """A use case of the catalogue."""

    _database: Database
    _clock: Clock
