"""Find the events of one certificate: the events of the log's contract, and the events that only this installation
recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.lookups import NamedStatement
from ledger.certificates.tables import Certificate, Disclosure, Presentation
from ledger.certificates.verification.seen_certificates import genuine
from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.proof.bundle import Position
from ledger.store import log as log_store
from ledger.store.erasure_tables import ErasureRecord


@dataclass(frozen=True, slots=True)
class Concern:
    """Decides which events of the log's contract concern one certificate.

    ``consumer`` is a party number, ``request`` a statement digest. ``entries`` gives the type of each statement.
    ``withdrawing`` has the pairs (party number, statement) whose withdrawal has an effect; a provider's withdrawal with
    a reported key has no effect.
    """

    place: Position
    request: str
    consumer: int
    entries: Mapping[str, str]
    withdrawing: Set[tuple[int, str]]

    def has(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event concerns the certificate or a statement on which the certificate rests."""
        args = event["args"]
        match event["name"]:
            case "Used":
                return (args["consumer"], args["request"]) == (self.consumer, self.request)
            case "Withdrawn":
                by_its_party = (args["party"], args["statement"]) in self.withdrawing
                return by_its_party and (not args["reported"] or self.entries[args["statement"]] == "authorization")
            case "Held":
                return args["statement"] in self.entries
        return _touches(event, self.place)

    def named(self, event: Mapping[str, Any]) -> dict[str, str]:
        """Return a map with the type of the event's statement under ``entry``. If the statement is the certificate
        itself, return an empty map.
        """
        kind = self.entries.get(event["args"].get("statement", ""), "certificate")
        return {} if kind == "certificate" else {"entry": kind}


def withdrawals_here(session: Session, statements: Sequence[NamedStatement]) -> list[dict[str, Any]]:
    """Return the withdrawals that are only log entries, because the contracts cannot check their signatures."""
    kinds = {each.digest: each.type for each in statements}
    entries = [(row, json.loads(row.body)) for row in log_store.withdrawals_of(session, kinds)]
    return [
        {
            "name": "Withdrawn",
            "at": row.created_at,
            "by": body["party"],
            "args": {"statement": row.about},
            "names": {"entry": kinds[str(row.about)], "reason": body["reason"]},
        }
        for row, body in entries
    ]


def seen_here(session: Session, number: str, row: Certificate | None) -> list[dict[str, Any]]:
    """Return the events that are not on the chain: issue, verifications, disclosures for a case, erasure."""
    stated = None if row is None else log_store.statement(session, row.digest)
    presented = session.scalars(
        select(Presentation).where(Presentation.certificate_no == number, genuine()).order_by(Presentation.id)
    )
    opened = session.scalars(select(Disclosure).where(Disclosure.certificate_no == number).order_by(Disclosure.id))
    erased = session.scalars(select(ErasureRecord).where(ErasureRecord.target == (row.digest if row else None)))
    args = {"certificate_no": number}
    issued = [] if stated is None else [{"name": "Issued", "at": stated["iat"], "by": stated["iss"], "args": args}]
    return [
        *issued,
        *(
            {"name": "Verified", "at": item.created_at, "by": item.consumer, "args": {"result": item.result}}
            for item in presented
        ),
        *({"name": "Disclosed", "at": item.created_at, "by": item.by, "args": {"case": item.case}} for item in opened),
        *({"name": "Erased", "at": item.created_at, "by": item.by, "args": {"reason": item.reason}} for item in erased),
    ]


def _touches(event: Mapping[str, Any], where: Position) -> bool:
    args = event["args"]
    if (args.get("issuer"), args.get("batch")) != (where.issuer, where.batch):
        return False
    if event["name"] == "StatusChanged":
        word, bit = divmod(where.index, LEAVES_PER_WORD)
        return args["word"] == word and bool(int(str(args["mask"]), 0) >> bit & 1)
    return bool(event["name"] == "Anchored" or args.get("index") == where.index)
