"""How a verification ended, with the use that it spent: for its record, and for its entries in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ulid import ULID

from ledger.certificates.tables import Certificate, Presentation
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
    """A use that the chain counted: its ordinal (from 1), the transaction, and the gas of counting it."""

    ordinal: int
    tx_hash: str
    gas: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a verification ended: the verifier's word and the fields disclosed; of a genuine certificate also where it
    stands, and the consumer (id) and the request (statement digest) under which its uses are counted."""

    result: str
    fields: tuple[str, ...] = ()
    place: Position | None = None
    consumer: str | None = None
    request: str | None = None

    @classmethod
    def of(cls, report: Report, bundle: Bundle) -> Ended:
        """By the verifier's report on a usage certificate."""
        fields = tuple(sorted(report.disclosed))
        if not report.genuine:
            return cls(report.result, fields)
        counter = facts_needed(bundle).uses
        return cls(report.result, fields, bundle.position, *(counter or (None, None)))

    def describe(self, row: Presentation) -> None:
        """Write into the row what was found out of its certificate, whatever the result."""
        row.fields = list(self.fields)
        if self.place is not None:
            row.issuer, row.batch, row.index = self.place.issuer, self.place.batch, self.place.index
            row.request = self.request


def entries_of_end(
    row: Presentation, known: Certificate, use: CountedUse | None, ledger: str, now: int
) -> Iterator[dict[str, Any]]:
    """The entries of a presentation that ended: itself, and the use that it spent."""
    yield presentation_entry(
        ledger=ledger,
        id=row.id,
        certificate=reference(known.digest),
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
            certificate=reference(known.digest),
            request=reference(str(row.request)),
            consumer=row.consumer,
            ordinal=use.ordinal,
            result=row.result,
            iat=now,
        )
