"""Rotating the key that wraps data keys: every record's data key is wrapped anew, no payload is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.errors import PingzhengError
from ledger.privacy.archives import RewrappableCopies
from ledger.store.database import Database
from ledger.store.sealing import Sealer

CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class SealingStatus:
    """Which key wraps new records, how many records each key wraps, how many were erased.

    ``archived`` is the same of the archive, None where it is out of reach. A key that is in neither is needed by no
    record, backups apart.
    """

    current: str
    by_key: dict[str, int]
    erased: int
    archived: dict[str, int] | None

    @property
    def outdated(self) -> int:
        """How many records another key than the current one wraps, in the database or in the archive alone."""
        counts = (self.by_key, self.archived or {})
        return max(sum(count for key_id, count in each.items() if key_id != self.current) for each in counts)


class KeyRotation:
    """Goes over the records in short transactions: whatever stops it, those done stay done, and the next run goes on.

    Records written meanwhile are wrapped by the new key. The archive follows at the end: an archive that is out of
    reach refuses a rotation before it begins.
    """

    def __init__(self, database: Database, sealer: Sealer, archiving: RewrappableCopies) -> None:
        self._database = database
        self._sealer = sealer
        self._archiving = archiving

    def status(self) -> SealingStatus:
        """Which keys are needed."""
        with self._database.read() as session:
            counts = self._sealer.counts(session)
        try:
            archived = self._archiving.keys_needed()
        except PingzhengError:
            archived = None
        return SealingStatus(self._sealer.keys.current, counts.by_key, counts.erased, archived)

    def begin(self, to: str | None = None) -> SealingStatus:
        """Go over to a new key, named ``to``, or on with a rotation that was stopped; the records follow by ``run``.

        With keys in the environment or in a key management service, to the one that is current there.
        Raises ``InvalidInput`` ``SEALING_KEY_ID``, ``Misconfigured``, and as ``Archiving.require``.
        """
        self._archiving.require()
        if to is not None or not self.status().outdated:
            self._sealer.keys.renew(to)
        return self.status()

    def run(self, progress: Callable[[int], None]) -> int:
        """Wrap by the current key what another one wraps; tells ``progress`` how many each transaction did.

        Returns how many in all; after any, call ``scrub``. Raises ``Misconfigured`` where a record's key is not held,
        and as ``Archiving.require``.
        """
        self._archiving.require()
        total, after = 0, ""
        while True:
            with self._database.write() as session:
                done = self._sealer.rewrap(session, after, CHUNK)
            if not done and not after:
                break
            if not done:
                # Once more from the start: ids do not come in order, so what was written meanwhile may lie before.
                after = ""
                continue
            total, after = total + len(done), done[-1]
            progress(len(done))
        self._archiving.rewrap(self._sealer.keys.current)
        return total

    def scrub(self) -> None:
        """Leave no data key as it was wrapped before in the database's files; see ``Database.scrub``."""
        self._database.scrub()
