"""Apply events to the index: a table (contract, event name) → handler, and a fold for the events of assets.

Handlers and fold work on a connection inside a transaction. They read only the rows that they write, so the same events
always give the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, update

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.contracts.names import scenario_of_code
from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.index import tables
from ledger.index.asset_projections import project_assets
from ledger.index.events import Handler, IndexedEvent
from ledger.index.power_projections import POWER_HANDLERS

ACTIVE: Final = 1


def _party_registered(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.PARTIES,
        no=event.args["no"],
        id=event.args["id"],
        status=ACTIVE,
        reason=0,
        roles=0,
        registered_at=event.at,
        registered_by=event.by,
    )


def _roles_changed(connection: Connection, event: IndexedEvent) -> None:
    _set_party(connection, event, roles=event.args["roles"])


def _party_status_changed(connection: Connection, event: IndexedEvent) -> None:
    _set_party(connection, event, status=event.args["status"], reason=event.args["reason"])


def _accredited(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.ACCREDITATIONS,
        block_number=event.block_number,
        log_index=event.log_index,
        party_no=event.args["no"],
        scenario=scenario_of_code(event.args["scenario"]),
        valid_from=event.args["from"],
        valid_to=event.args["to"],
        at=event.at,
        by=event.by,
    )


def _anchored(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.ANCHORS,
        issuer=event.args["issuer"],
        batch=event.args["batch"],
        first_seq=event.args["firstSeq"],
        size=event.args["size"],
        root=event.args["root"],
        at=event.at,
        block_number=event.block_number,
        tx_hash=event.tx_hash,
    )


def _status_changed(connection: Connection, event: IndexedEvent) -> None:
    rows = [
        {
            "issuer": event.args["issuer"],
            "batch": event.args["batch"],
            "index": event.args["word"] * LEAVES_PER_WORD + bit,
            "block_number": event.block_number,
            "log_index": event.log_index,
            "status": event.args["status"],
            "reason": event.args["reason"],
            "since": event.at,
        }
        for bit in bits_of(event.args["mask"])
    ]
    if rows:
        connection.execute(insert(tables.STATUSES), rows)


def _superseded(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.SUPERSESSIONS,
        issuer=event.args["issuer"],
        batch=event.args["batch"],
        index=event.args["index"],
        new_batch=event.args["newBatch"],
        new_index=event.args["newIndex"],
        at=event.at,
    )


def _used(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.USES,
        consumer=event.args["consumer"],
        request=event.args["request"],
        ordinal=event.args["ordinal"],
        at=event.at,
    )


def _withdrawn(connection: Connection, event: IndexedEvent) -> None:
    table, time = tables.WITHDRAWALS, "reported_at" if event.args["reported"] else "at"
    key = {"party": event.args["party"], "statement": event.args["statement"]}
    known = (table.c.party == key["party"]) & (table.c.statement == key["statement"])
    # A party may withdraw a statement twice: by a reported key and by another one.
    if not connection.execute(update(table).where(known).values({time: event.at})).rowcount:
        _add(connection, table, **{**key, "at": 0, "reported_at": 0, time: event.at})


def _held(connection: Connection, event: IndexedEvent) -> None:
    _add(
        connection,
        tables.HOLDS,
        statement=event.args["statement"],
        change=event.args["change"],
        offices=event.args["offices"],
        reason=event.args["reason"],
        at=event.at,
        by=event.by,
    )


HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("PartyRegistry", "PartyRegistered"): _party_registered,
    ("PartyRegistry", "RolesChanged"): _roles_changed,
    ("PartyRegistry", "PartyStatusChanged"): _party_status_changed,
    ("PartyRegistry", "Accredited"): _accredited,
    ("CertificateLog", "Anchored"): _anchored,
    ("CertificateLog", "StatusChanged"): _status_changed,
    ("CertificateLog", "Superseded"): _superseded,
    ("CertificateLog", "Used"): _used,
    ("CertificateLog", "Withdrawn"): _withdrawn,
    ("CertificateLog", "Held"): _held,
    **{("PartyRegistry", name): handler for name, handler in POWER_HANDLERS.items()},
}


def project(connection: Connection, events: Sequence[IndexedEvent]) -> None:
    """Apply events, in the order of the chain, to the computed tables."""
    for event in events:
        if event.contract != ASSET_REGISTRY:
            HANDLERS[event.contract, event.name](connection, event)
    project_assets(connection, [event for event in events if event.contract == ASSET_REGISTRY])


def bits_of(mask: int) -> Iterator[int]:
    """Return the positions of the set bits, in ascending order."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _add(connection: Connection, table: Table, **values: Any) -> None:
    connection.execute(insert(table).values(values))


def _set_party(connection: Connection, event: IndexedEvent, **values: Any) -> None:
    connection.execute(update(tables.PARTIES).where(tables.PARTIES.c.no == event.args["no"]).values(values))
