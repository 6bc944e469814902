"""``pingzheng provision``: what a provider answers under authorizations."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.files import signer_of
from ledger.cli.naming import day_of, party_of
from ledger.cli.opening import opened
from ledger.cli.output import AsJson, Home, emit, emit_rows
from ledger.proof.jws import Signer, sign_entry
from ledger.service.provisions import Outcome, Supply
from ledger.service.tabular import read_csv
from ledger.service.wiring import Ledger
from ledger.store.tables import Provision

app = typer.Typer(no_args_is_help=True)
Identifier = Annotated[str, typer.Argument(help="Authorization id.", show_default=False)]
Key = Annotated[Path, typer.Option(help="The provider's private key file.", show_default=False)]


@app.command()
def asked(
    provider: Annotated[str, typer.Argument(help="Party id or USCC.", show_default=False)],
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Authorizations that wait for a provider's answer."""
    with opened(home, as_json) as ledger:
        rows = [
            {"authorization": row.id, "scenario": row.scenario, "source": row.source, "subject": row.subject}
            for row in ledger.provisions.asked(party_of(ledger, provider), after, limit)
        ]
        emit_rows(rows, as_json, "待提供 Waiting")


@app.command()
def supply(
    authorization: Identifier,
    rows: Annotated[Path, typer.Option(help="CSV of the subject's rows.", show_default=False)],
    key: Key,
    as_of: Annotated[str, typer.Option(help="Day of the data, YYYY-MM-DD; default today.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Supply rows; claims are computed from them, the rows are not kept. Supplied before: this corrects it.

    示例 Example:  pingzheng provision supply 01KA… --rows meter.csv --key grid.key --as-of 2026-10-31
    """
    with opened(home, as_json) as ledger:
        day = day_of(as_of) if as_of else date.today()  # noqa: DTZ011 - the day the user's calendar shows
        outcome = Outcome("supplied", ledger.clock(), read_csv(rows), day)
        emit(_row(answer(ledger, authorization, outcome, signer_of(key))), as_json)


@app.command()
def refuse(
    authorization: Identifier,
    reason: Annotated[str, typer.Option(help="out_of_scope, under_correction, disputed, …", show_default=False)],
    key: Key,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say that nothing is supplied, and why."""
    with opened(home, as_json) as ledger:
        outcome = Outcome("refused", ledger.clock(), reason=reason)
        emit(_row(answer(ledger, authorization, outcome, signer_of(key))), as_json)


@app.command("no-data")
def no_data(authorization: Identifier, key: Key, home: Home = None, as_json: AsJson = False) -> None:
    """Say that the source has nothing of the subject."""
    with opened(home, as_json) as ledger:
        emit(_row(answer(ledger, authorization, Outcome("no_data", ledger.clock()), signer_of(key))), as_json)


def answer(ledger: Ledger, authorization: str, outcome: Outcome, signer: Signer) -> Provision:
    """Draft, sign and hand in an answer."""
    drafted = ledger.provisions.draft(authorization, outcome)
    (row,) = ledger.provisions.submit([Supply(sign_entry(drafted.entry, signer), drafted.rows, drafted.salt)])
    return row


def _row(row: Provision) -> dict[str, object]:
    return {
        "provision": row.id,
        "authorization": row.authorization_id,
        "number": row.number,
        "result": row.result,
        "reason": row.reason,
    }
