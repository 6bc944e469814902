"""The outcome of a verification, and the use that the chain counted for it.

The outcome and the use are stored in a database row and in log entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ulid import ULID

from ledger.certificates.tables import Presentation
from ledger.domain.digests import reference
from ledger.domain.entries import presentation_entry, use_entry
from ledger.proof.bundle import Bundle, Position
from ledger.proof.facts_needed import facts_needed
from ledger.proof.report import Report

PENDING = "pending"
VALID = "valid"
LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class CountedUse:
    """A use that the chain counted: the use's ordinal (from 1), the transaction, and the use's share of the
    transaction's gas.
    """

    ordinal: int
    tx_hash: str
    gas: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome of a verification: the verifier's result and the names of the disclosed fields.

    For a genuine certificate, the outcome also has the certificate's position, and the consumer (party id) and the
    request (statement digest) for which the chain counts its uses. Otherwise these members are None.
    """

    result: str
    fields: tuple[str, ...] = ()
    place: Position | None = None
    consumer: str | None = None
    request: str | None = None

    @classmethod
    def of(cls, report: Report, bundle: Bundle) -> Ended:
        """Make the outcome from the verifier's report on a usage certificate."""
        fields = tuple(sorted(report.disclosed))
        if not report.genuine:
            return cls(report.result, fields)
        counter = facts_needed(bundle).uses
        return cls(report.result, fields, bundle.position, *(counter or (None, None)))

    def describe(self, row: Presentation) -> None:
        """Write the fields, the position and the request into the row, but not the result."""
        row.fields = list(self.fields)
        if self.place is not None:
            row.issuer, row.batch, row.index = self.place.issuer, self.place.batch, self.place.index
            row.request = self.request


def entries_of_end(
    row: Presentation, certificate: str, use: CountedUse | None, ledger: str, now: int
) -> Iterator[dict[str, Any]]:
    """Return the log entries for a presentation that has ended: one entry for the presentation, and a second entry if a
    use was counted. ``certificate`` is the digest of the certificate's log entry (hex).
    """
    yield presentation_entry(
        ledger=ledger,
        id=row.id,
        certificate=reference(certificate),
        consumer=row.consumer,
        fields=row.fields,
        nonce_digest=row.nonce_digest,
        result=row.result,
        iat=now,
    )
    if use is not None:
        yield use_entry(
            ledger=ledger,
            id=str(ULID()),
            certificate=reference(certificate),
            request=reference(str(row.request)),
            consumer=row.consumer,
            ordinal=use.ordinal,
            result=row.result,
            iat=now,
        )
