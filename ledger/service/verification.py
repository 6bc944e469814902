"""Verifying for a caller: facts from the chain, the pure verifier's report, and a record for the subject."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from ulid import ULID

from ledger.chain.calls import record_use
from ledger.chain.client import ChainClient
from ledger.chain.facts import collect_facts
from ledger.chain.reader import ChainReader
from ledger.domain.canonical import canonical, digest
from ledger.domain.entries import presentation_entry, use_entry
from ledger.errors import BadBundle, Conflict
from ledger.proof.bundle import parse_bundle
from ledger.proof.facts import Facts
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation, verify
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import certificate
from ledger.store.tables import Certificate, Presentation


@dataclass(frozen=True, slots=True)
class Use:
    """A use that the chain counted: the how-manieth, and the gas of counting it."""

    ordinal: int
    gas: int


@dataclass(frozen=True, slots=True)
class Verified:
    """A report with the facts it was made from, so that it can be made again offline."""

    report: Report
    facts: Facts | None
    use: Use | None = None


class Verification:
    """What a consumer calls when it does not embed the verifier itself."""

    def __init__(self, database: Database, client: ChainClient, reader: ChainReader, clock: Callable[[], int]) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._clock = clock

    def verify(self, raw: bytes, expect: Expectation, at: int | None = None) -> Verified:
        """Check a bundle against the chain, now or at a past time; never raises on a hostile bundle."""
        moment = self._clock() if at is None else at
        try:
            bundle = parse_bundle(raw)
        except BadBundle:
            return Verified(verify(raw, Facts.nothing(), moment, expect), None)
        facts = collect_facts(self._reader, bundle)
        return Verified(verify(bundle, facts, moment, expect), facts)

    def accept(self, raw: bytes, consumer: str, nonce: str) -> Verified:
        """Verify a presentation and, if it is valid, use it: the chain's counter decides who was first.

        The verification is recorded to the subject whatever its result. Raises ``Conflict`` ``NONCE_REPLAYED``.
        """
        expect = Expectation(consumer=consumer, nonce=nonce)
        verified = self.verify(raw, expect)
        row = self._known(verified.report.certificate_no)
        if row is None:
            return verified
        identifier = self._reserve(row, consumer, nonce)
        use = self._use(raw, verified)
        if verified.report.valid and use is None:
            verified = self.verify(raw, expect)
        self._record(identifier, row, verified.report, consumer, nonce, use)
        return replace(verified, use=use)

    def new_nonce(self) -> str:
        """A fresh nonce for a presentation: 128 random bits."""
        return secrets.token_urlsafe(16)

    def _known(self, number: str | None) -> Certificate | None:
        if number is None:
            return None
        with self._database.read() as session:
            return session.get(Certificate, number)

    def _reserve(self, row: Certificate, consumer: str, nonce: str) -> str:
        # The nonce is taken before the chain is asked, so a replay can never spend a use.
        identifier = str(ULID())
        try:
            with self._database.write() as session:
                session.add(
                    Presentation(
                        id=identifier,
                        certificate_no=row.certificate_no,
                        consumer=consumer,
                        nonce_digest=digest(nonce.encode()),
                        result="pending",
                        created_at=self._clock(),
                    )
                )
        except IntegrityError as clash:
            raise Conflict(
                "NONCE_REPLAYED",
                "This nonce was used before.",
                hint="Ask the holder to present again with a fresh nonce.",
            ) from clash
        return identifier

    def _use(self, raw: bytes, verified: Verified) -> Use | None:
        """Spend one use on the chain; ``None`` if the report is not valid or another use was faster."""
        if not verified.report.valid or verified.facts is None:
            return None
        where = parse_bundle(raw).position
        ordinal = verified.facts.uses_of(where) + 1
        try:
            gas = self._client.send(record_use(where.batch, where.index, ordinal)).gas_used
        except Conflict as refusal:
            if refusal.code != "LOG_USE_OUT_OF_ORDER":
                raise
            return None
        return Use(ordinal, gas)

    def _record(
        self, identifier: str, row: Certificate, report: Report, consumer: str, nonce: str, use: Use | None
    ) -> None:
        now, certificate_leaf = self._clock(), f"sha-256:{row.leaf}"
        entries = [
            presentation_entry(
                id=identifier,
                certificate=certificate_leaf,
                consumer=consumer,
                fields=sorted(report.disclosed),
                nonce_digest=digest(nonce.encode()),
                iat=now,
            )
        ]
        if use is not None:
            entries.append(
                use_entry(
                    id=str(ULID()),
                    certificate=certificate_leaf,
                    consumer=consumer,
                    ordinal=use.ordinal,
                    result=report.result,
                    iat=now,
                )
            )
        with self._database.write() as session:
            session.execute(update(Presentation).where(Presentation.id == identifier).values(result=report.result))
            log_store.append(session, [log_store.NewEntry(entry["type"], canonical(entry)) for entry in entries], now)

    def presentations(self, number: str) -> list[Presentation]:
        """Every recorded verification of a certificate, for its subject."""
        with self._database.read() as session:
            certificate(session, number)
            return list(
                session.scalars(
                    select(Presentation).where(Presentation.certificate_no == number).order_by(Presentation.id)
                )
            )

    def status(self, number: str) -> dict[str, Any]:
        """The public status of a certificate by its number: state, since when, why. No payload."""
        with self._database.read() as session:
            row = certificate(session, number)
            entry = log_store.entries_by_leaf(session, [row.leaf])[row.leaf]
            batch = None if entry.batch is None else log_store.batch(session, entry.batch)
        if batch is None or batch.state != "anchored":
            return {"certificate_no": number, "state": "building"}
        seen = self._reader.status_of(batch.number, entry.seq - batch.first_seq)
        state = "expired" if seen.state == "active" and self._clock() >= row.exp else seen.state
        return {
            "certificate_no": number,
            "state": state,
            "since": seen.since,
            "reason": seen.reason,
            "block": seen.block,
            "batch": batch.number,
            "index": entry.seq - batch.first_seq,
        }
