"""The record of a presentation that use cases return, and the errors for a presentation that cannot continue."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ledger.certificates.tables import Presentation
from ledger.certificates.verification.presentation_ends import VALID
from ledger.errors import Conflict


@dataclass(frozen=True, slots=True)
class KnownPresentation:
    """The record of a presentation, or of a check without a use; for a check ``nonce_digest`` is None.

    ``ordinal`` and ``tx_hash`` belong to the last use that was tried; the chain counted this use if the result is
    ``valid``. ``request`` is the statement digest (hex) under which the uses are counted.
    """

    id: str
    certificate_no: str
    consumer: str
    nonce_digest: str | None
    fields: list[str]
    request: str | None
    ordinal: int | None
    tx_hash: str | None
    result: str
    created_at: int

    @classmethod
    def of(cls, row: Presentation) -> KnownPresentation:
        """Copy the columns of a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON for the parties to the certificate."""
        return {
            "id": self.id,
            "at": self.created_at,
            "consumer": self.consumer,
            "presented": self.nonce_digest is not None,
            "result": self.result,
            "ordinal": self.ordinal if self.result == VALID else None,
            "fields": self.fields,
        }


def under_way() -> Conflict:
    """Return the error for a presentation that is still being verified."""
    return Conflict(
        "PRESENTATION_PENDING",
        "This presentation is still being verified, or its use is not in a block yet.",
        hint="Send the same presentation again in a moment; at most one use is counted for it.",
    )


def replayed(known: KnownPresentation | None) -> Conflict:
    """Return the error for a nonce that was used before.

    ``known`` is the earlier presentation with this nonce; None if a different certificate was presented then.
    """
    about: dict[str, Any] = {}
    if known is not None:
        about = {"result": known.result, "ordinal": known.ordinal, "at": known.created_at}
    return Conflict(
        "NONCE_REPLAYED",
        "This nonce was used before.",
        hint="Ask the holder to present the certificate again with a new nonce.",
        **about,
    )
