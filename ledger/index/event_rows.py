"""Convert chain events to rows of ``idx_events`` and back.

The JSON column stores an integer of more than 53 bits (a status mask) as ``0x`` hex text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from ledger.chain.contracts.abi import Event, json_safe
from ledger.index.events import IndexedEvent, actor_of


def row_of_event(event: Event, scope: str, head: str) -> dict[str, Any]:
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        "tx_hash": event.tx_hash,
        "contract": event.contract,
        "scope": scope,
        "name": event.name,
        "args": json_safe(dict(event.args)),
        "at": event.args["at"],
        "by": actor_of(event.args),
        "head": head,
    }


def event_of_row(row: RowMapping) -> IndexedEvent:
    """Return the event that a row stores, with the arguments that the event has on the chain."""
    args = dict(row["args"])
    if isinstance(args.get("mask"), str):
        args["mask"] = int(args["mask"], 16)
    return IndexedEvent(row["block_number"], row["log_index"], row["tx_hash"], row["contract"], row["name"], args)
