"""Accept that a local chain has lost its last blocks, and list what was lost. The operator decides whether this is
done.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.chain.reading.reader import ChainReader
from ledger.index.follower import Follower
from ledger.index.tables import EVENTS, STATUSES
from ledger.parties.tables import Party
from ledger.store.database import Database
from ledger.store.tables import Batch, Entry


@dataclass(frozen=True, slots=True)
class Loss:
    """What the chain lost: the batches to anchor again, the ids of the parties to register again, the numbers of the
    certificates whose suspension or revocation is lost, and how many events of each kind are lost.
    """

    batches: list[int]
    parties: list[str]
    certificates: list[str]
    events: dict[str, int]


def accept_loss(database: Database, reader: ChainReader, issuer: int, follower: Follower) -> Loss:
    """Accept the chain without the lost blocks. Lost batches are anchored again; people must repeat other lost acts."""
    count = reader.batch_count(issuer)
    lost = (Batch.number >= count, Batch.state == "anchored")
    empty = dict.fromkeys(("issuer", "at", "tx_hash", "block_number", "gas_used"))
    with database.read() as session:
        ended, events = _ended(session), _events(session)
        batches = list(session.scalars(select(Batch.number).where(*lost)))
        numbers = {row.id: row.no for row in session.scalars(select(Party).where(Party.no.is_not(None)))}
    asked = reader.batched("latest")
    answers = {party: asked.party_no(party) for party in numbers}
    gone = [party for party, answer in answers.items() if answer() != numbers[party]]
    with database.write(mending=True) as session:
        session.execute(update(Batch).where(*lost).values(state="closed", **empty))
        session.execute(update(Party).where(Party.id.in_(gone)).values(no=None))
    follower.rebuild()
    with database.read() as session:
        still_ended, left = _ended(session), _events(session)
    lost_events = {name: number - left.get(name, 0) for name, number in events.items()}
    return Loss(
        batches,
        gone,
        sorted(ended - still_ended),
        {name: number for name, number in lost_events.items() if number},
    )


def _ended(session: Session) -> set[str]:
    """Return the numbers of certificates that are suspended, revoked or superseded in the index."""
    query = (
        select(Certificate.certificate_no)
        .join(Entry, Entry.digest == Certificate.digest)
        .join(Batch, Batch.number == Entry.batch)
        .join(
            STATUSES,
            (STATUSES.c.issuer == Batch.issuer)
            & (STATUSES.c.batch == Batch.number)
            & (STATUSES.c.index == Entry.seq - Batch.first_seq),
        )
        .where(STATUSES.c.status != 0)
    )
    return set(session.scalars(query))


def _events(session: Session) -> dict[str, int]:
    """Return for each event name how many events are in the index."""
    query = select(EVENTS.c.name, func.count().label("number")).group_by(EVENTS.c.name).order_by(EVENTS.c.name)
    return {row.name: row.number for row in session.execute(query)}
