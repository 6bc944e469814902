"""Take entries of lost batches back from holders' bundles, and check each entry against the batch's root on the chain.

A bundle holds the certificate's payload and the statements that the certificate is based on, each with an inclusion
proof. The root is read from the chain, so only anchored entries can come back. Disclosed texts are compared with their
digests. Texts that no bundle holds, such as names, notes and notices, stay lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ledger.chain.reading.reader import ChainReader
from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.domain.findings import Finding
from ledger.errors import InvalidInput
from ledger.installation.recovery.adopted_parties import OnChain
from ledger.installation.recovery.adopted_rows import Adopted, AdoptedRows
from ledger.installation.recovery.merging import is_whole_batch
from ledger.log.coherence import commitment_of, forked
from ledger.log.tables import AdoptedEntry
from ledger.proof.bundle import Bundle, Position, parse_bundle
from ledger.proof.merkle import leaf_hash, verify_inclusion
from ledger.proof.sdjwt import Presented, disclosure_digest, parse_certificate
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.tables import Batch, Entry


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry in a bundle; ``where`` names the entry in messages."""

    where: str
    body: bytes
    position: Position
    proof: tuple[bytes, ...]

    @property
    def stated(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True)
class LostBatch:
    """A batch that is on the chain, although some of its entries are missing in the database: the range of the batch's
    entries, and how many entries are missing.
    """

    batch: int
    first_seq: int
    last_seq: int
    missing: int


@dataclass(eq=False, repr=False)
class Adopting:
    """Takes back all entries of a bundle, or none of them. Existing entries are not changed.

    ``issuer`` is the party number of the log's issuer. ``erased`` are the digests of statements and the ids of parties
    whose texts were erased and must not come back.
    """

    _database: Database
    _sealer: Sealer
    _reader: ChainReader
    _scenarios: ScenarioBook
    _issuer: int
    _erased: frozenset[str]

    def adopt(self, raw: bytes) -> Adopted:
        """Take back the entries of a bundle.

        Raises ``BadBundle`` if ``raw`` is not a bundle; ``InvalidInput`` ``ADOPT_ANOTHER_LEDGER``,
        ``ADOPT_PROOF_WRONG`` (naming the entry), ``ADOPT_DISCLOSURE_WRONG``; ``Incoherent`` ``LOG_FORKED``;
        ``ChainUnavailable``.
        """
        bundle = parse_bundle(raw)
        if bundle.chain != self._reader.chain or bundle.position.issuer != self._issuer:
            raise InvalidInput(
                "ADOPT_ANOTHER_LEDGER",
                "The bundle belongs to another ledger or to another issuer's log.",
                where="chain",
                hint="Use the bundle in the installation that issued the certificate.",
            )
        presented = parse_certificate(bundle.certificate)
        _require_disclosures(presented)
        items = list(_items(bundle, presented))
        with self._database.read() as session:
            batches = self._batches(session, items)
        self._require_on_chain(list(batches.values()))
        for item in items:
            _require_included(item, batches[item.position.batch])
        chain = OnChain.of(self._reader, presented, [item.stated for item in items])
        with self._database.write() as session:
            fresh = [item for item in items if _put(session, item, batches[item.position.batch])]
            rows = AdoptedRows(session, self._sealer, chain, self._scenarios, bundle, self._erased)
            adopted = rows.add([(item.stated, batches[item.position.batch]) for item in items], presented)
            adopted.entries = len(fresh)
            for number in sorted({item.position.batch for item in fresh}):
                adopted.completed += _completed(session, number)
        return adopted

    def _batches(self, session: Session, items: Sequence[_Item]) -> dict[int, Batch]:
        numbers = {item.position.batch for item in items if item.position.issuer == self._issuer}
        found = {row.number: row for row in session.scalars(select(Batch).where(Batch.number.in_(numbers)))}
        for item in items:
            batch = found.get(item.position.batch)
            if item.position.issuer != self._issuer or batch is None or batch.issuer is None:
                raise _wrong(item, "its batch is not an anchored batch of this log")
        return found

    def _require_on_chain(self, batches: Sequence[Batch]) -> None:
        """Raise ``Incoherent`` ``LOG_FORKED`` unless the batches have the same roots on the chain."""
        asked = self._reader.batched("latest")
        answers = [(batch, asked.commitment(self._issuer, batch.number)) for batch in batches]
        for batch, answer in answers:
            if answer() != commitment_of(batch):
                raise forked(batch.number).refusal()


def lost_batches(session: Session) -> list[Batch]:
    """Return the batches that are on the chain but incomplete in the database, in the order of their numbers."""
    return list(session.scalars(select(Batch).where(Batch.state == "lost").order_by(Batch.number)))


def missing_of(session: Session) -> list[LostBatch]:
    """Return for each lost batch the range of its entries and the number of missing entries."""
    held = dict(session.execute(select(Entry.batch, func.count()).group_by(Entry.batch)).all())
    return [
        LostBatch(row.number, row.first_seq, row.first_seq + row.size - 1, row.size - held.get(row.number, 0))
        for row in lost_batches(session)
    ]


def lost_finding(session: Session) -> Finding | None:
    """Return the finding ``BATCH_LOST`` with the numbers of the lost batches; None if no batch is lost."""
    rows = missing_of(session)
    if not rows:
        return None
    batches, missing = [row.batch for row in rows], sum(row.missing for row in rows)
    return Finding(
        "BATCH_LOST",
        f"{len(batches)} batches are on the chain but not complete here; {missing} entries are missing.",
        f"batch {', '.join(map(str, batches))}",
        "Ask holders for their bundles and run `pingzheng log adopt`; `pingzheng log lost` lists the batches.",
        {"batches": batches, "entries_missing": missing},
    )


def _items(bundle: Bundle, presented: Presented) -> Iterator[_Item]:
    for place, item in enumerate(bundle.evidence):
        yield _Item(f"evidence[{place}]", item.entry.encode(), item.position, item.proof)
    yield _Item("certificate", presented.issued.payload, bundle.position, bundle.proof)


def _require_disclosures(presented: Presented) -> None:
    digests = presented.claims.get("_sd", [])
    for item in presented.disclosures:
        if disclosure_digest(item.encoded, presented.algorithm) not in digests:
            raise InvalidInput(
                "ADOPT_DISCLOSURE_WRONG",
                "A disclosed claim does not belong to the certificate.",
                where="certificate",
                hint="Ask the holder for the original bundle.",
            )


def _require_included(item: _Item, batch: Batch) -> None:
    try:
        stated = item.stated
        if not isinstance(stated, Mapping) or not isinstance(stated.get("type"), str):
            raise ValueError("not a log entry")
    except ValueError as error:
        raise _wrong(item, "it is not a log entry") from error
    root = bytes.fromhex(batch.root)
    if not verify_inclusion(root, leaf_hash(item.body), item.position.index, batch.size, item.proof):
        raise _wrong(item, f"its proof does not lead to the root of batch {batch.number} on the chain")


def _put(session: Session, item: _Item, batch: Batch) -> bool:
    """If the entry is missing, add the entry with its proof; return whether the entry was missing."""
    seq, stated = batch.first_seq + item.position.index, item.stated
    known = session.execute(select(Entry.leaf).where(Entry.seq == seq)).first()
    if known is None:
        about = hex_of(str(stated["statement"])) if stated["type"] == "withdrawal" else None
        session.add(
            Entry(
                seq=seq,
                type=stated["type"],
                leaf=leaf_hash(item.body).hex(),
                digest=statement_digest(stated),
                about=about,
                body=item.body,
                batch=batch.number,
                created_at=batch.at or batch.closed_at,
            )
        )
        session.flush()
    elif known.leaf != leaf_hash(item.body).hex():
        raise forked(batch.number).refusal()
    if batch.state == "lost" and session.get(AdoptedEntry, seq) is None:
        session.add(AdoptedEntry(seq=seq, proof=[node.hex() for node in item.proof]))
        session.flush()
    return known is None


def _completed(session: Session, number: int) -> int:
    """Mark a lost batch as anchored if none of its entries is missing; return 1 if the batch was marked, else 0."""
    batch = session.get_one(Batch, number)
    if batch.state != "lost" or not is_whole_batch(session, batch):
        return 0
    batch.state = "anchored"
    last = batch.first_seq + batch.size - 1
    session.execute(delete(AdoptedEntry).where(AdoptedEntry.seq.between(batch.first_seq, last)))
    session.flush()
    return 1


def _wrong(item: _Item, why: str) -> InvalidInput:
    return InvalidInput(
        "ADOPT_PROOF_WRONG",
        f"An entry of the bundle cannot be taken back: {why}.",
        where=item.where,
        hint="Ask the holder for the original bundle.",
    )
