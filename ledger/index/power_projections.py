"""Apply events about keys, proposals and pauses to the index. ``ledger.index.projections`` says which rows a handler
may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import update

from ledger.chain.sending.proposals import REGISTERS, require_bound
from ledger.domain.powers import ProposalState
from ledger.index import tables
from ledger.index.events import Changes, Handler, IndexedEvent, adds, sets


def _proposal(event: IndexedEvent) -> dict[str, Any]:
    require_bound(event.args)
    target = "" if event.args["role"] == REGISTERS else event.args["target"]
    state = ProposalState.PENDING.value
    return {"target": target, "confirmed_by": 0, "state": state, "ended_at": 0, "account": ""}


def _end_of_proposal(event: IndexedEvent) -> dict[str, Any]:
    state = ProposalState.numbered(event.args["state"])
    account = event.args["account"] if state is ProposalState.VETOED else ""
    return {"state": state.value, "ended_at": event.at, "account": account}


def _pause_ended(changes: Changes, event: IndexedEvent) -> None:
    table = tables.PAUSES
    # The contract allows only one pause at a time, so at most one row meets this condition.
    running = (table.c.until > event.at) & (table.c.ended_at == 0)
    changes.write().execute(update(table).where(running).values(ended_at=event.at))


POWER_HANDLERS: Final[Mapping[str, Handler]] = {
    "AccountBound": adds(
        tables.ACCOUNTS,
        lambda event: (
            {"party_no": event.args["no"], "valid_from": event.at}
            | dict.fromkeys(("valid_to", "reported_at", "compromised_at"), 0)
        ),
    ),
    "AccountRetired": sets(tables.ACCOUNTS, "account", lambda event: {"valid_to": event.at}),
    "AccountReported": sets(tables.ACCOUNTS, "account", lambda event: {"reported_at": event.at}),
    "AccountCompromised": sets(
        tables.ACCOUNTS, "account", lambda event: {"compromised_at": event.args["compromisedAt"]}
    ),
    "Proposed": adds(tables.PROPOSALS, _proposal),
    "Confirmed": sets(tables.PROPOSALS, "no", lambda event: {"confirmed_by": event.by}),
    "ProposalEnded": sets(tables.PROPOSALS, "no", _end_of_proposal),
    "Paused": adds(tables.PAUSES, lambda _: {"ended_at": 0}),
    "PauseEnded": _pause_ended,
}
