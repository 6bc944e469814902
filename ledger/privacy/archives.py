"""The interfaces through which erasing and key rotation reach the copies outside the database."""

from __future__ import annotations

from typing import Protocol


class ErasableCopies(Protocol):
    """The archive and the list of erasures, which ``installation.recovery.archiving`` implements."""

    def record_erasure(self, targets: tuple[str, ...], party: str | None, sealed: tuple[str, ...]) -> None:
        """Record outside the backups what is about to be erased; raises if it cannot be recorded."""

    def erase(self, sealed: tuple[str, ...], party: str | None) -> bool:
        """Erase in the archive, and return whether the archive could be reached."""

    def scrub(self) -> bool:
        """Remove the remains of erased texts from the archive's file, and return whether this succeeded."""


class RewrappableCopies(Protocol):
    """The archive's data keys, which the same key-encryption keys wrap as in the database."""

    def require(self) -> None:
        """Raise if there is an archive and it cannot be written."""

    def rewrap(self, current: str) -> int:
        """Wrap the archived data keys with the key of this id, and return how many records changed."""

    def keys_needed(self) -> dict[str, int]:
        """Return the number of archived texts by the id of the key that wraps them; raises without the archive."""
