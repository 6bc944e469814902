"""What is wrong with an installation: found by looking, without anybody having asked for anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ledger.errors import Incoherent


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an operator must decide about; the members are those of an error (see ``ledger.errors``)."""

    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def refusal(self) -> Incoherent:
        """Why nothing is written as long as this stands."""
        return Incoherent(self.code, self.message, where=self.where, hint=self.hint, **self.details)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"details": dict(self.details)}
