"""Apply events to the index. Each pair of contract and event name has a handler; events of assets are applied together.

All functions use a connection inside a transaction. Each function reads only rows that it writes itself, so the same
events always give the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, insert, update

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.contracts.names import scenario_of_code
from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.index import tables
from ledger.index.asset_projections import project_assets
from ledger.index.events import Changes, Handler, IndexedEvent, adds, sets
from ledger.index.power_projections import POWER_HANDLERS

ACTIVE: Final = 1


def _status_changed(changes: Changes, event: IndexedEvent) -> None:
    for bit in bits_of(event.args["mask"]):
        row = {
            "issuer": event.args["issuer"],
            "batch": event.args["batch"],
            "index": event.args["word"] * LEAVES_PER_WORD + bit,
            "block_number": event.block_number,
            "log_index": event.log_index,
            "status": event.args["status"],
            "reason": event.args["reason"],
            "since": event.at,
        }
        changes.add(tables.STATUSES, row)


def _withdrawn(changes: Changes, event: IndexedEvent) -> None:
    connection = changes.write()
    table, time = tables.WITHDRAWALS, "reported_at" if event.args["reported"] else "at"
    key = {"party": event.args["party"], "statement": event.args["statement"]}
    known = (table.c.party == key["party"]) & (table.c.statement == key["statement"])
    # A party may withdraw a statement twice: with a key that was reported lost, and with another key. One row stores
    # the times of both withdrawals.
    if not connection.execute(update(table).where(known).values({time: event.at})).rowcount:
        connection.execute(insert(table).values({**key, "at": 0, "reported_at": 0, time: event.at}))


HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("PartyRegistry", "PartyRegistered"): adds(
        tables.PARTIES,
        lambda event: {"status": ACTIVE, "reason": 0, "roles": 0, "registered_at": event.at, "registered_by": event.by},
    ),
    ("PartyRegistry", "RolesChanged"): sets(tables.PARTIES, "no", lambda event: {"roles": event.args["roles"]}),
    ("PartyRegistry", "PartyStatusChanged"): sets(
        tables.PARTIES, "no", lambda event: {"status": event.args["status"], "reason": event.args["reason"]}
    ),
    ("PartyRegistry", "Accredited"): adds(
        tables.ACCREDITATIONS,
        lambda event: {
            "party_no": event.args["no"],
            "scenario": scenario_of_code(event.args["scenario"]),
            "valid_from": event.args["from"],
            "valid_to": event.args["to"],
        },
    ),
    ("CertificateLog", "Anchored"): adds(tables.ANCHORS, lambda event: {"first_seq": event.args["firstSeq"]}),
    ("CertificateLog", "StatusChanged"): _status_changed,
    ("CertificateLog", "Superseded"): adds(
        tables.SUPERSESSIONS,
        lambda event: {"new_batch": event.args["newBatch"], "new_index": event.args["newIndex"]},
    ),
    ("CertificateLog", "Used"): adds(tables.USES),
    ("CertificateLog", "Withdrawn"): _withdrawn,
    ("CertificateLog", "Held"): adds(tables.HOLDS),
    **{("PartyRegistry", name): handler for name, handler in POWER_HANDLERS.items()},
}


def project(connection: Connection, events: Sequence[IndexedEvent]) -> None:
    """Apply events to the computed tables, in the order of the chain."""
    changes = Changes(connection)
    for event in events:
        if event.contract != ASSET_REGISTRY:
            HANDLERS[event.contract, event.name](changes, event)
    changes.write()
    project_assets(connection, [event for event in events if event.contract == ASSET_REGISTRY])


def bits_of(mask: int) -> Iterator[int]:
    """Return the positions of the set bits, in ascending order."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
