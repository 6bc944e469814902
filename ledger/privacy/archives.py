"""What erasing and the rotation of keys ask of the copies that are kept outside the database."""

from __future__ import annotations

from typing import Protocol


class ErasableCopies(Protocol):
    """The archive, and the list of what was erased; ``installation.recovery.archiving`` keeps both."""

    def record_erasure(self, targets: tuple[str, ...], party: str | None, sealed: tuple[str, ...]) -> None:
        """Write down outside the backups what is about to be erased; raises where it cannot be written."""

    def erase(self, sealed: tuple[str, ...], party: str | None) -> bool:
        """Erase in the archive too; whether it was reached."""

    def scrub(self) -> bool:
        """Leave nothing of what was erased in the archive's file; whether that was done."""


class RewrappableCopies(Protocol):
    """The archive's data keys, which are wrapped by the same keys as the database's."""

    def require(self) -> None:
        """Raise if there is an archive and it cannot be written."""

    def rewrap(self, current: str) -> int:
        """Wrap what is archived by the key of that id; returns how many records were wrapped anew."""

    def keys_needed(self) -> dict[str, int]:
        """How many archived texts each wrapping key opens, by its id; raises if the archive is out of reach."""
