"""Describes a ledger whose disk was lost, and the ledgers that tests restore from its backups."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.installation.recovery.restoring import Restored, Sources
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger
from ledger.log.coherence import Coherence
from tests.support.actors.pilots import Pilot

LATER = 27
AHEAD = 100


@dataclass
class Story:
    """The ledger before its disk was lost: its certificates, batches and folders."""

    folder: Path
    settings: Settings
    pilot: Pilot
    early: str
    erased: str
    late: list[str]
    bundles: dict[str, bytes]
    digests: dict[str, str]
    batches: dict[int, tuple[int, int, str]]
    entries: dict[int, bytes]
    batches_then: int

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def chain(self) -> Path:
        return self.folder / "home" / "chain"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def sources(self, **others: Any) -> Sources:
        return Sources(self.backup, self.keys, **{"chain": self.chain} | others)


@dataclass
class Opened:
    """A restored ledger, and the result of the restore."""

    restored: Restored
    pilot: Pilot

    @property
    def ledger(self) -> Ledger:
        return self.pilot.ledger


def coherent(ledger: Ledger) -> bool:
    issuer = ledger.installation.issuer
    return Coherence(ledger.database, ledger.reader, issuer, ledger.clock, local=True).findings() == []


def renewed(folder: Path) -> None:
    """Write a new manifest for a backup that was changed on purpose."""
    from ledger.installation.recovery.manifests import MANIFEST, Manifest

    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).unlink()
    Manifest.of(
        folder, manifest["format"], manifest["id"], manifest["ledger"], manifest["made_at"], **manifest["about"]
    ).write(folder)
