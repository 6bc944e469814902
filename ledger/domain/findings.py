# SPDX-License-Identifier: Apache-2.0
"""Findings are problems that a check of the installation reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ledger.errors import Incoherent


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that an operator must decide about; it has the members of an error (see ``ledger.errors``)."""

    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def refusal(self) -> Incoherent:
        """Return the error with which every write is refused until the problem is solved."""
        return Incoherent(self.code, self.message, where=self.where, hint=self.hint, **self.details)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self) | {"details": dict(self.details)}
