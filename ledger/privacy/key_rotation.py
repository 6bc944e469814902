"""Rotate the key-encryption key: wrap every record's data key with the new key. The sealed texts stay unchanged."""

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
    """The id of the key for new records, the number of records whose data keys each key wraps, and how many records are
    erased.

    ``archived`` has the same numbers for the archive, None if the archive cannot be reached. A key that wraps no record
    in the database or the archive is needed only for backups.
    """

    current: str
    by_key: dict[str, int]
    erased: int
    archived: dict[str, int] | None

    @property
    def outdated(self) -> int:
        """The number of records, in the database or only in the archive, whose data keys an older key wraps."""
        counts = (self.by_key, self.archived or {})
        return max(sum(count for key_id, count in each.items() if key_id != self.current) for each in counts)


class KeyRotation:
    """Wraps the data keys again, in short transactions. After an interruption the next run continues with the remaining
    records.

    Records that are written during the rotation use the new key. The archive is changed at the end of the rotation. If
    the archive cannot be reached, the rotation does not begin.
    """

    def __init__(self, database: Database, sealer: Sealer, archiving: RewrappableCopies) -> None:
        self._database = database
        self._sealer = sealer
        self._archiving = archiving

    def status(self) -> SealingStatus:
        """Return for each key how many records need this key."""
        with self._database.read() as session:
            counts = self._sealer.counts(session)
        try:
            archived = self._archiving.keys_needed()
        except PingzhengError:
            archived = None
        return SealingStatus(self._sealer.keys.current, counts.by_key, counts.erased, archived)

    def begin(self, to: str | None = None) -> SealingStatus:
        """Make the key ``to`` current, or continue an interrupted rotation; ``run`` then changes the records.

        If the keys are in the environment or in a key management service, the key that is current there is used. Raises
        ``InvalidInput`` ``SEALING_KEY_ID``, ``Misconfigured``, and the errors of ``Archiving.require``.
        """
        self._archiving.require()
        if to is not None or not self.status().outdated:
            self._sealer.keys.renew(to)
        return self.status()

    def run(self, progress: Callable[[int], None]) -> int:
        """Wrap with the current key all data keys that another key wraps. Return the number of these data keys.

        ``progress`` is called after each transaction with the number of changed records. If any record was changed,
        call ``scrub`` afterwards. Raises ``Misconfigured`` if a record's key is missing, and the errors of
        ``Archiving.require``.
        """
        self._archiving.require()
        total, after = 0, ""
        while True:
            with self._database.write() as session:
                done = self._sealer.rewrap(session, after, CHUNK)
            if not done and not after:
                break
            if not done:
                # Begin again from the lowest id: a record that was written during the rotation may have a lower id than
                # the last record read.
                after = ""
                continue
            total, after = total + len(done), done[-1]
            progress(len(done))
        self._archiving.rewrap(self._sealer.keys.current)
        return total

    def scrub(self) -> None:
        """Remove the remains of the old wrapped keys from the database's files; see ``Database.scrub``."""
        self._database.scrub()
