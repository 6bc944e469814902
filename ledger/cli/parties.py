"""``pingzheng party`` and ``pingzheng key``: keys, onboarding, API keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.accounts import account_of, new_private_key, public_key_of
from ledger.cli.opening import opened
from ledger.cli.output import AsJson, Home, emit, emit_rows, errors_explained
from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, InvalidInput
from ledger.service.keys import write_private
from ledger.service.parties import NewParty
from ledger.service.tabular import read_csv
from ledger.store.tables import Party

app = typer.Typer(no_args_is_help=True, help="参与方 Parties: onboard, list, API keys.")
keys = typer.Typer(no_args_is_help=True, help="密钥 Keys that parties keep themselves.")

COLUMNS = ("kind", "name", "identifier", "region", "public_key")


@keys.command("new")
def new_key(
    out: Annotated[Path, typer.Argument(help="File for the private key; made readable by you alone.")],
    as_json: AsJson = False,
) -> None:
    """Make a key; prints its account and public key.

    示例 Example:  pingzheng key new firm.key
    """
    with errors_explained(as_json):
        if out.exists():
            raise Conflict("FILE_EXISTS", "There is a file of that name.", where=str(out), hint="Choose another name.")
        key = new_private_key()
        write_private(out, key.hex() + "\n")
        emit({"file": str(out), "account": account_of(key), "public_key": public_key_of(key)}, as_json)


@app.command()
def add(
    kind: Annotated[str, typer.Option(help=", ".join(kind.value for kind in PartyKind), show_default=False)],
    name: Annotated[str, typer.Option(show_default=False)],
    identifier: Annotated[str, typer.Option(help="USCC, or for a person the ID number.", show_default=False)],
    region: Annotated[str, typer.Option(help="Region code, e.g. 440802.", show_default=False)],
    public_key: Annotated[str, typer.Option(help="Compressed secp256k1 key, 66 hex digits.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Onboard a party: recorded here, registered on the chain."""
    with opened(home, as_json) as ledger:
        (row,) = ledger.parties.onboard([NewParty(_kind(kind, "kind"), name, identifier, region, public_key)])
        emit(_row(row), as_json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help=f"CSV with the columns {', '.join(COLUMNS)}.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Onboard the parties of a CSV file, all of them or none; an error names the line."""
    with opened(home, as_json) as ledger:
        newcomers = [_newcomer(row, f"{file.name}, row {place}") for place, row in enumerate(read_csv(file), start=1)]
        rows = ledger.parties.onboard(newcomers)
        emit_rows([_row(row) for row in rows], as_json, "参与方 Parties")


@app.command("list")
def listing(
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Parties by id; names and identifiers are not shown."""
    with opened(home, as_json) as ledger:
        emit_rows([_row(row) for row in ledger.parties.page(after, limit)], as_json, "参与方 Parties")


@app.command("api-key")
def api_key(
    party: Annotated[str, typer.Argument(help="Party id; `authority` and `platform` name the installation's own.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key of a party; shown this once."""
    with opened(home, as_json) as ledger:
        own = {"authority": ledger.installation.authority_party, "platform": ledger.installation.operator}
        identifier = own.get(party, party)
        emit({"party": identifier, "api_key": ledger.parties.new_api_key(identifier)}, as_json)


def _newcomer(row: dict[str, str], where: str) -> NewParty:
    if missing := [name for name in COLUMNS if name not in row]:
        raise InvalidInput("CSV_COLUMN_MISSING", f"The column {missing[0]} is missing.", where=where)
    return NewParty(_kind(row["kind"], where), row["name"], row["identifier"], row["region"], row["public_key"])


def _kind(value: str, where: str) -> PartyKind:
    try:
        return PartyKind(value)
    except ValueError:
        raise InvalidInput(
            "PARTY_KIND_UNKNOWN",
            "There is no such kind of party.",
            where=where,
            hint=f"One of: {', '.join(kind.value for kind in PartyKind)}.",
        ) from None


def _row(row: Party) -> dict[str, object]:
    return {
        "id": row.id,
        "no": row.no,
        "kind": row.kind,
        "roles": ", ".join(row.roles),
        "region": row.region,
        "account": row.account,
    }
