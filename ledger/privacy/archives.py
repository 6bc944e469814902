"""The interfaces through which erasing and key rotation change the archive and the list of erasures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class ErasableCopies(Protocol):
    """The archive and the list of erasures, which ``installation.recovery.archiving`` implements."""

    def record_erasure(self, targets: tuple[str, ...], party: str | None, sealed: tuple[str, ...]) -> None:
        """Record outside the backups which texts will be erased; raise if this cannot be recorded."""

    def erase(self, sealed: tuple[str, ...], party: str | None) -> bool:
        """Erase the texts in the archive, and return whether the archive could be reached."""

    def scrub(self, remains: Sequence[bytes]) -> bool:
        """Remove the remains of deleted data from the archive's file, and return whether this succeeded.

        ``remains`` are the deleted values. If ``remains`` is empty, the remains of all deleted data are removed.
        """


class RewrappableCopies(Protocol):
    """The data keys in the archive. They are wrapped (encrypted) with the key-encryption keys that wrap the data keys
    in the database.
    """

    def require(self) -> None:
        """Raise if there is an archive that cannot be written."""

    def rewrap(self, current: str) -> int:
        """Wrap the archived data keys with the key that has this id, and return how many records changed."""

    def keys_needed(self) -> dict[str, int]:
        """Return for each key id how many archived texts need this key; raise if the archive cannot be reached."""
