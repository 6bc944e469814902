"""A restored log beside the chain that went on: which batches are here, which are lost, which numbers are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import shanghai_day
from ledger.domain.regions import REGIONS
from ledger.errors import ChainUnavailable, Incoherent
from ledger.installation.recovery.archive import upserting
from ledger.installation.recovery.closure import table_of
from ledger.installation.recovery.merging import is_whole_batch
from ledger.log.coherence import forked
from ledger.parties.tables import Party
from ledger.store.log import ENTRY_SEQ
from ledger.store.tables import Batch, Counter, Entry

LOST: Final = "lost"
BATCH_NUMBER: Final = "batch_number"
# How far every series of numbers moves on at least. What was given out and not archived before the disk was lost is
# known to nobody; a service would have to issue that many in one series within seconds.
SERIES_GAP: Final = 10_000
SERIES: Final = ("certificate/", "registration/")


@dataclass(frozen=True, slots=True)
class LostBatch:
    """A batch that the chain holds and nobody kept as a whole: its entries, and how many of them are not here."""

    batch: int
    first_seq: int
    last_seq: int
    missing: int


@dataclass(frozen=True, slots=True)
class LogFound:
    """What became of the log. ``waiting`` batches are closed and will be anchored; ``batches`` are on the chain."""

    batches: int
    waiting: int
    entries: int
    lost: tuple[LostBatch, ...]


def anchors_of(reader: ChainReader, issuer: int) -> list[Event]:
    """Every anchor of an issuer's log, in order; raises ``ChainUnavailable`` if the node leaves one out."""
    last = reader.block_number()
    asked = reader.batched(last)
    count = asked.batch_count(issuer)
    found = asked.events(CERTIFICATE_LOG, "Anchored", reader.deploy_block, last, issuer=issuer)()
    if [event.args["batch"] for event in found] != list(range(count())):
        raise ChainUnavailable(
            "ANCHORS_INCOMPLETE",
            "The node does not give all anchors of the log that the contract counts.",
            where=f"issuer {issuer}",
            hint="It has lost or hides events: restore with another node.",
        )
    return found


def settle_log(session: Session, anchors: Sequence[Event]) -> LogFound:
    """Compare every batch with its anchor, and record those that the chain has and we have not; no number is given
    out again. Part of the caller's transaction.

    Raises ``Incoherent`` ``LOG_FORKED``, and ``CHAIN_BEHIND_DATABASE`` for a chain that is older than the backup.
    """
    known = {row.number: row for row in session.scalars(select(Batch))}
    ahead = [row for number, row in known.items() if number >= len(anchors)]
    if any(row.state != "closed" for row in ahead):
        raise _chain_behind(len(anchors), len(known))
    for event in anchors:
        row = known.get(event.args["batch"]) or _add(session, event.args)
        if (row.first_seq, row.size, row.root) != (event.args["firstSeq"], event.args["size"], event.args["root"]):
            raise forked(row.number).refusal()
        _record(row, event, is_whole_batch(session, row))
    session.flush()
    _move_on(session)
    held = dict(session.execute(select(Entry.batch, func.count()).group_by(Entry.batch)).all())
    lost = session.scalars(select(Batch).where(Batch.state == LOST).order_by(Batch.number))
    return LogFound(
        batches=len(anchors),
        waiting=len(ahead),
        entries=sum(held.values()),
        lost=tuple(
            LostBatch(row.number, row.first_seq, row.first_seq + row.size - 1, row.size - held.get(row.number, 0))
            for row in lost
        ),
    )


def settle_parties(session: Session, registered: Mapping[str, int]) -> int:
    """Give every party the number that the chain has for its id; how many the chain has and we have not."""
    numbers = dict(session.execute(select(Party.id, Party.no)).all())
    wrong = [party for party, number in numbers.items() if number != registered.get(party)]
    # First all are taken away: a number may be another's.
    session.execute(update(Party).where(Party.id.in_(wrong)).values(no=None))
    for party in wrong:
        session.execute(update(Party).where(Party.id == party).values(no=registered.get(party)))
    return len(registered.keys() - numbers.keys())


def skip_numbers(session: Session, scenarios: Sequence[str], since: int, now: int, lost: int) -> int:
    """Let every series of numbers go on behind what may have been given out; returns by how many numbers.

    A number that was given out and is lost is known to nobody, so series that never began here are moved on too:
    those of every region and scenario, for the years from ``since`` (the backup) to ``now``, seconds UTC.
    """
    gap = max(SERIES_GAP, lost)
    years = range(shanghai_day(since).year, shanghai_day(now).year + 1)
    used = set(session.scalars(select(Certificate.scenario).distinct())) | {*scenarios}
    regions = sorted({region[:6] for region in REGIONS})
    series = {f"registration/{year}" for year in years}
    series |= {f"certificate/{region}/{year}/{code}" for region in regions for year in years for code in used}
    known: dict[str, int] = dict(session.execute(select(Counter.name, Counter.value)).all())
    series |= {name for name in known if name.startswith(SERIES)}
    values: list[dict[str, Any]] = [{"name": name, "value": known.get(name, 0) + gap} for name in sorted(series)]
    session.connection().execute(upserting(table_of(Counter)), values)
    return gap


def _add(session: Session, anchor: Mapping[str, Any]) -> Batch:
    """A batch that only the chain has. Entries that waited when the backup was made belong to it: their numbers are
    given once, and so are those of the entries that came after them."""
    row = Batch(
        number=anchor["batch"],
        first_seq=anchor["firstSeq"],
        size=anchor["size"],
        root=anchor["root"],
        state=LOST,
        closed_at=anchor["at"],
    )
    session.add(row)
    session.flush()
    last = row.first_seq + row.size - 1
    session.execute(update(Entry).where(Entry.seq.between(row.first_seq, last)).values(batch=row.number))
    return row


def _record(row: Batch, event: Event, whole: bool) -> None:
    row.state = "anchored" if whole else LOST
    row.issuer, row.at = event.args["issuer"], event.args["at"]
    row.tx_hash, row.block_number = event.tx_hash, event.block_number


def _move_on(session: Session) -> None:
    """The log has no gaps: the next entry follows the last one that the chain or the database has, and so does the
    next batch."""
    after_batches = session.scalar(select(func.max(Batch.first_seq + Batch.size))) or 0
    newest = session.scalar(select(func.max(Entry.seq)))
    after_entries = 0 if newest is None else newest + 1
    batches = session.scalar(select(func.max(Batch.number)))
    values = [
        {"name": ENTRY_SEQ, "value": max(after_batches, after_entries)},
        {"name": BATCH_NUMBER, "value": 0 if batches is None else batches + 1},
    ]
    session.connection().execute(upserting(table_of(Counter)), values)


def _chain_behind(batches: int, known: int) -> Incoherent:
    return Incoherent(
        "CHAIN_BEHIND_DATABASE",
        f"The chain holds {batches} batches, and the backup knows {known}: the chain is older than the backup.",
        where="chain",
        hint="Restore with the newer chain: --chain with the folder of its journal, or --rpc-url of another node.",
        batches=batches,
        known=known,
    )
