"""Makes a ledger that lost its newest batches, and keeps the bundles that holders still have."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ledger.domain.parties import PartyKind
from ledger.installation.recovery.adopting import Adopting, lost_batches
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.store.tables import Entry
from tests.support.actors.pilots import Pilot


@dataclass
class Lost:
    """A ledger whose newest batches are lost, and the holders' bundles by certificate number."""

    pilot: Pilot
    bundles: dict[str, bytes]
    numbers: list[str]
    newcomer: str
    withdrawn: str
    erased: str

    @property
    def adopting(self) -> Adopting:
        ledger = self.pilot.ledger
        return Adopting(
            ledger.database,
            ledger.sealer,
            ledger.reader,
            ledger.scenarios,
            ledger.installation.issuer,
            frozenset(ledger.archiving.erased()),
        )

    def lost(self) -> list[int]:
        with self.pilot.ledger.database.read() as session:
            return [row.number for row in lost_batches(session)]


def texts(pilot: Pilot) -> ClosedTexts:
    ledger = pilot.ledger
    return ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)


def joined(pilot: Pilot) -> str:
    """Register a firm that the backup does not contain, and return the firm's number."""
    firm = f"new-{pilot.firm()}"
    pilot.actors.cast.firms[firm] = pilot.party(PartyKind.ENTERPRISE)
    return firm


def entries_in(lost: Lost) -> int:
    with lost.pilot.ledger.database.read() as session:
        return session.scalar(select(func.count()).select_from(Entry)) or 0
