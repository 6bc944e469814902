"""A ledger whose log and chain got a hundred further batches after its backup, and which has an archive."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.demo.data.cast import assemble
from ledger.domain.parties import Role
from ledger.installation.recovery.backup import back_up
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import EARLY, FIRMS, LATE, Prepared, copied, opened, settings_of
from tests.support.actors.credit_bureau import CreditBureau
from tests.support.machine.fault_counts import Tally

BATCHES: Final = 100
ISSUED: Final = 12  # this many of the hundred batches contain a certificate, the rest a request
ERASED: Final = 0  # after the backup, the text of the early certificate with this index is erased


@dataclass(frozen=True)
class Far:
    """The home after a hundred batches, its earlier backup, and the acts acknowledged after the backup."""

    folder: Path
    issued: dict[str, str]
    asked: list[str]
    erased: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def chain(self) -> Path:
        return self.home / "chain"

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def bundles(self) -> list[str]:
        """Return the paths of the bundles that holders keep of the certificates issued after the backup."""
        return [str(path) for path in sorted((self.folder / "bundles").iterdir())]

    def acts(self, prepared: Prepared, tally: Tally) -> Acts:
        """Return all acts that were acknowledged before and after the backup."""
        acts = Acts.of_early(prepared, tally)
        for request, number in self.issued.items():
            acts.add(request, number)
        tally.acknowledged += [f"asked {request}" for request in self.asked]
        return acts


def far_in(prepared: Prepared) -> Far:
    """Return the homes in the folder of ``prepared``; the first process creates them, and the others use them."""
    folder = prepared.folder / "far"
    folder.mkdir(exist_ok=True)
    with (folder / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        saved = folder / "far.json"
        if not saved.exists():
            saved.write_text(json.dumps(_make(folder, prepared)), "utf-8")
    return Far(folder, **json.loads(saved.read_text("utf-8")))


def _make(folder: Path, prepared: Prepared) -> dict[str, object]:
    home, archive = copied(prepared.early, folder / "home"), folder / "archive"
    (folder / "bundles").mkdir()
    archive.mkdir()
    back_up(settings_of(home), folder / "backup", folder / "keys")
    with opened(home, archive=archive) as ledger:
        issued = {request: _issued(folder, ledger, request) for request in prepared.requests[LATE : LATE + ISSUED]}
        asked = _asked(ledger, BATCHES - ISSUED)
        erased = prepared.numbers[ERASED]
        ledger.erasure.certificate(_authority(ledger), erased, "court")
    return {"issued": issued, "asked": asked, "erased": erased}


def _issued(folder: Path, ledger: Ledger, request: str) -> str:
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
    ledger.anchoring.flush()
    raw = ledger.certificates.bundles.build(row.certificate_no).to_bytes()
    (folder / "bundles" / f"{row.certificate_no}.json").write_bytes(raw)
    return row.certificate_no


def _asked(ledger: Ledger, batches: int) -> list[str]:
    actors, asked = CreditBureau(ledger, assemble(ledger, FIRMS)), list[str]()
    for number in range(batches):
        asked += actors.ask([actors.request(FIRMS[EARLY + number % (len(FIRMS) - EARLY)])])
        ledger.anchoring.flush()
    return asked


def _authority(ledger: Ledger) -> Actor:
    return Actor(ledger.installation.authority_party, frozenset({Role.AUTHORITY, Role.ADMIN}))
