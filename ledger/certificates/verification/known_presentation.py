"""A presentation as its record has it, and the errors of one that cannot go on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ledger.certificates.tables import Presentation
from ledger.certificates.verification.presentation_ends import VALID
from ledger.errors import Conflict


@dataclass(frozen=True, slots=True)
class KnownPresentation:
    """``nonce_digest`` is None where it was not presented to be used. ``ordinal`` and ``tx_hash`` are of the use that
    was tried last: of one that counted if the result is ``valid``. ``request`` is the statement that it is under.
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
        """The value of a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for those who have a part in the certificate."""
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
    """The presentation is being worked on."""
    return Conflict(
        "PRESENTATION_PENDING",
        "This presentation is being verified, or its use waits for its block.",
        hint="Send the same presentation again in a moment: it is used once at most.",
    )


def replayed(known: KnownPresentation | None) -> Conflict:
    """The nonce is taken; ``known`` is the presentation that took it, if it is the asker's own."""
    about: dict[str, Any] = {}
    if known is not None:
        about = {"result": known.result, "ordinal": known.ordinal, "at": known.created_at}
    return Conflict(
        "NONCE_REPLAYED",
        "This nonce was used before.",
        hint="Ask the holder to present again with a fresh nonce.",
        **about,
    )
