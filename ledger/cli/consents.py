"""``pingzheng consent``: what a subject allows of a request, notice by notice, and takes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.files import signer_of
from ledger.cli.naming import party_of
from ledger.cli.opening import opened
from ledger.cli.output import AsJson, Home, console, emit, emit_rows
from ledger.cli.statements import Statement, read_statement, write_statement
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.proof.jws import sign_entry
from ledger.service.authorizations import Choice
from ledger.store.tables import Authorization

app = typer.Typer(no_args_is_help=True, help="授权 Consents: draft, submit, list, notice, withdraw.")
Identifier = Annotated[str, typer.Argument(help="Authorization id.", show_default=False)]


@app.command()
def draft(
    request: Annotated[str, typer.Argument(help="Request id.", show_default=False)],
    fields: Annotated[str | None, typer.Option(help="Allow only these, by comma; default: all asked for.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Allow only so many days; default: as asked.")] = None,
    uses: Annotated[int | None, typer.Option(min=1, help="Allow only so many uses; default: as asked.")] = None,
    separate_consent: Annotated[bool, typer.Option(help="A person's consent to this by itself.")] = False,
    out: Annotated[Path, typer.Option(help="Where the unsigned statements go.")] = Path("authorization.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The notices to read, one a source, and the statements to sign; nothing is recorded.

    示例 Example:  pingzheng consent draft 01KA… --fields usage_band,on_time_95
    """
    with opened(home, as_json) as ledger:
        until = None if days is None else end_of_validity(shanghai_day(ledger.clock()) + timedelta(days=days - 1))
        chosen = None if fields is None else tuple(fields.split(","))
        ledger.requests.see(request)
        drafted = ledger.authorizations.draft(request, Choice(chosen, until, uses, separate_consent))
        document = {"drafts": [{"notice": each.notice, "entry": each.entry} for each in drafted]}
        write_statement(out, document)
        if as_json:
            emit(document | {"file": str(out)}, as_json)
            return
        for each in drafted:
            console.print(each.notice["text"] + "\n", markup=False, highlight=False)
        emit({"file": str(out), "next": f"pingzheng sign {out} --key …"}, as_json)


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """Record the signed authorizations of a request, all or none."""
    with opened(home, as_json) as ledger:
        document = read_statement(statement)
        rows = ledger.authorizations.submit([each["entry"] for each in document.get("drafts", [])])
        emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command("list")
def listing(
    party: Annotated[str, typer.Argument(help="Party id or USCC.", show_default=False)],
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Authorizations that a party gave, received, or supplies under."""
    with opened(home, as_json) as ledger:
        rows = ledger.authorizations.page(party_of(ledger, party), after, limit)
        emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command()
def notice(authorization: Identifier, home: Home = None, as_json: AsJson = False) -> None:
    """The notice that the subject was shown, word for word."""
    with opened(home, as_json) as ledger:
        told = ledger.authorizations.notice(authorization)
        if as_json:
            emit(told, as_json)
        else:
            console.print(told["text"], markup=False, highlight=False)


@app.command()
def withdraw(
    authorization: Identifier,
    key: Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a consent: what rests on it ends, and its next verification fails."""
    with opened(home, as_json) as ledger:
        entry = sign_entry(ledger.authorizations.withdrawal_draft(authorization), signer_of(key))
        emit(_row(ledger.authorizations.withdraw(entry)), as_json)


def _row(row: Authorization) -> dict[str, object]:
    return {
        "authorization": row.id,
        "request": row.request_id,
        "source": row.source,
        "provider": row.provider,
        "state": row.state,
    }
