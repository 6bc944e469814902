"""Compare a restored log with a newer chain: find the restored batches, the lost batches, and the used numbers."""

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
from ledger.installation.recovery.adopting import LostBatch, missing_of
from ledger.installation.recovery.archive import upserting
from ledger.installation.recovery.closure import table_of
from ledger.installation.recovery.merging import is_whole_batch
from ledger.log.coherence import forked
from ledger.parties.tables import Party
from ledger.store.log import ENTRY_SEQ
from ledger.store.tables import Batch, Counter, Entry

LOST: Final = "lost"
BATCH_NUMBER: Final = "batch_number"
# The minimum by which a restore raises each series of certificate numbers. Nobody knows which numbers were given out
# but not yet archived when the disk was lost. There are fewer of them than this minimum, because batches are archived
# within seconds.
SERIES_GAP: Final = 10_000
SERIES: Final = ("certificate/", "registration/")


@dataclass(frozen=True, slots=True)
class LogFound:
    """The restored log: how many batches are on the chain, how many wait for their anchor, and what is lost."""

    batches: int
    waiting: int
    entries: int
    lost: tuple[LostBatch, ...]


def anchors_of(reader: ChainReader, issuer: int) -> list[Event]:
    """Return every anchor of an issuer's log, in order; raises ``ChainUnavailable`` if the node omits an anchor."""
    last = reader.block_number()
    asked = reader.batched(last)
    count = asked.batch_count(issuer)
    found = asked.events(CERTIFICATE_LOG, "Anchored", reader.deploy_block, last, issuer=issuer)()
    if [event.args["batch"] for event in found] != list(range(count())):
        raise ChainUnavailable(
            "ANCHORS_INCOMPLETE",
            "The node returns fewer anchors of the log than the contract counts.",
            where=f"issuer {issuer}",
            hint="Restore with another node: this node has lost events or hides them.",
        )
    return found


def settle_log(session: Session, anchors: Sequence[Event]) -> LogFound:
    """Compare every batch with its anchor. Record the batches that only the chain has, so that no new batch gets the
    number of such a batch.

    The function runs within the caller's transaction. Raises ``Incoherent`` ``LOG_FORKED``, and
    ``CHAIN_BEHIND_DATABASE`` if the chain is older than the backup.
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
    entries = session.scalar(select(func.count()).select_from(Entry)) or 0
    return LogFound(len(anchors), len(ahead), entries, tuple(missing_of(session)))


def settle_parties(session: Session, registered: Mapping[str, int]) -> int:
    """Set every party's number from the chain, and return the number of parties that only the chain has."""
    numbers = dict(session.execute(select(Party.id, Party.no)).all())
    wrong = [party for party, number in numbers.items() if number != registered.get(party)]
    # All wrong party numbers are cleared before the right numbers are written, because the right number of one party
    # may be stored with another party.
    session.execute(update(Party).where(Party.id.in_(wrong)).values(no=None))
    for party in wrong:
        session.execute(update(Party).where(Party.id == party).values(no=registered.get(party)))
    return len(registered.keys() - numbers.keys())


def skip_numbers(session: Session, scenarios: Sequence[str], since: int, now: int, lost: int) -> int:
    """In every series of numbers, skip the numbers that may have been given out; return how many are skipped.

    It is unknown which numbers were given out and lost. So numbers are skipped even in series that the database does
    not have: the series of every region and scenario, for the years from ``since`` (the time of the backup) to ``now``,
    in seconds UTC. ``lost`` is the number of lost entries.
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
    """Add a batch that only the chain has.

    Entries that had no batch at the time of the backup get this batch, if their numbers are in the batch's range.
    """
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
    """Set the counters so that the log has no gaps: the next entry and the next batch follow the last entry and the
    last batch that are on the chain or in the database.
    """
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
        f"The chain holds {batches} batches, but the backup holds {known}: the chain is older than the backup.",
        where="chain",
        hint="Give a newer chain: the folder of its journal with --chain, or another node with --rpc-url.",
        batches=batches,
        known=known,
    )
