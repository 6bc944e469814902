"""Apply events of keys, proposals and pauses to the index, by the rules of ``ledger.index.projections``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, insert, update

from ledger.chain.sending.proposals import REGISTERS, require_bound
from ledger.domain.powers import ProposalState
from ledger.index import tables
from ledger.index.events import Handler, IndexedEvent


def _account_bound(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(
        insert(tables.ACCOUNTS).values(
            account=event.args["account"],
            party_no=event.args["no"],
            valid_from=event.at,
            valid_to=0,
            reported_at=0,
            compromised_at=0,
            proven=event.args["proven"],
            proposal=event.args["proposal"],
        )
    )


def _account_retired(connection: Connection, event: IndexedEvent) -> None:
    _set_account(connection, event, valid_to=event.at)


def _account_reported(connection: Connection, event: IndexedEvent) -> None:
    _set_account(connection, event, reported_at=event.at)


def _account_compromised(connection: Connection, event: IndexedEvent) -> None:
    _set_account(connection, event, compromised_at=event.args["compromisedAt"])


def _proposed(connection: Connection, event: IndexedEvent) -> None:
    require_bound(event.args)
    registers = event.args["role"] == REGISTERS
    connection.execute(
        insert(tables.PROPOSALS).values(
            no=event.args["no"],
            act=event.args["act"],
            target="" if registers else event.args["target"],
            call=event.args["call"],
            role=event.args["role"],
            concerned=event.args["concerned"],
            by=event.by,
            confirmed_by=0,
            at=event.at,
            ready=event.args["ready"],
            state=ProposalState.PENDING.value,
            ended_at=0,
            account="",
        )
    )


def _confirmed(connection: Connection, event: IndexedEvent) -> None:
    _set_proposal(connection, event, confirmed_by=event.by)


def _proposal_ended(connection: Connection, event: IndexedEvent) -> None:
    state = ProposalState.numbered(event.args["state"])
    account = event.args["account"] if state is ProposalState.VETOED else ""
    _set_proposal(connection, event, state=state.value, ended_at=event.at, account=account)


def _paused(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(
        insert(tables.PAUSES).values(
            block_number=event.block_number,
            log_index=event.log_index,
            at=event.at,
            until=event.args["until"],
            by=event.by,
            ended_at=0,
        )
    )


def _pause_ended(connection: Connection, event: IndexedEvent) -> None:
    table = tables.PAUSES
    # There is only one pause at a time.
    running = (table.c.until > event.at) & (table.c.ended_at == 0)
    connection.execute(update(table).where(running).values(ended_at=event.at))


POWER_HANDLERS: Final[Mapping[str, Handler]] = {
    "AccountBound": _account_bound,
    "AccountRetired": _account_retired,
    "AccountReported": _account_reported,
    "AccountCompromised": _account_compromised,
    "Proposed": _proposed,
    "Confirmed": _confirmed,
    "ProposalEnded": _proposal_ended,
    "Paused": _paused,
    "PauseEnded": _pause_ended,
}


def _set_account(connection: Connection, event: IndexedEvent, **values: Any) -> None:
    match = tables.ACCOUNTS.c.account == event.args["account"]
    connection.execute(update(tables.ACCOUNTS).where(match).values(values))


def _set_proposal(connection: Connection, event: IndexedEvent, **values: Any) -> None:
    match = tables.PROPOSALS.c.no == event.args["no"]
    connection.execute(update(tables.PROPOSALS).where(match).values(values))
