"""``pingzheng consent``: authorise, supply, issue, withdraw; each party signs with its own key file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.files import signer_of
from ledger.cli.opening import opened
from ledger.cli.output import AsJson, Home, emit, errors_explained
from ledger.connectors.tabular import read_csv
from ledger.domain.canonical import parse_json
from ledger.errors import InvalidInput
from ledger.proof.jws import public_jwk, sign_entry
from ledger.service.authorizations import AuthorizationRequest
from ledger.service.issuance import IssueRequest
from ledger.service.provisions import Supply

app = typer.Typer(no_args_is_help=True, help="授权 Consents: draft, sign, submit, supply, issue, withdraw.")
MAX_STATEMENT_BYTES = 64 * 1024
DAY = 86_400
Statement = Annotated[Path, typer.Argument(help="Statement file, JSON.", show_default=False)]


@app.command()
def draft(
    scenario: Annotated[str, typer.Option(show_default=False)],
    subject: Annotated[str, typer.Option(help="Party id.", show_default=False)],
    consumer: Annotated[str, typer.Option(help="Party id.", show_default=False)],
    provider: Annotated[list[str], typer.Option(help="Party id; may be given again.", show_default=False)],
    fields: Annotated[str, typer.Option(help="By comma.", show_default=False)],
    days: Annotated[int, typer.Option(min=1, help="Days of validity.")] = 7,
    uses: Annotated[int, typer.Option(min=1)] = 1,
    channel: Annotated[str, typer.Option()] = "government_platform",
    out: Annotated[Path, typer.Option(help="Where the unsigned statement goes.")] = Path("authorization.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The notice to show the subject, and the statement for it to sign; nothing is recorded."""
    with opened(home, as_json) as ledger:
        now = ledger.clock()
        drafted = ledger.authorizations.draft(
            AuthorizationRequest(
                scenario=scenario,
                subject=subject,
                consumer=consumer,
                providers=tuple(provider),
                fields=tuple(fields.split(",")),
                valid_from=now,
                valid_to=now + days * DAY,
                max_uses=uses,
                channel=channel,
            )
        )
        _write(out, drafted.entry)
        emit(drafted.notice | {"file": str(out)}, as_json, "告知书 Notice")


@app.command()
def sign(
    statement: Statement,
    key: Annotated[Path, typer.Option(help="The signer's private key file.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Sign a statement with a party's own key; needs no ledger and no network."""
    with errors_explained(as_json):
        _write(statement, sign_entry(_read(statement), signer_of(key)))
        emit({"file": str(statement), "signed": True}, as_json)


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """Record a signed authorization."""
    with opened(home, as_json) as ledger:
        (row,) = ledger.authorizations.submit([_read(statement)])
        emit({"authorization": row.id, "state": row.state}, as_json)


@app.command()
def supply(
    authorization: Annotated[str, typer.Argument(help="Authorization id.", show_default=False)],
    rows: Annotated[Path, typer.Option(help="CSV of the subject's rows.", show_default=False)],
    provider: Annotated[str, typer.Option(help="Party id.", show_default=False)],
    key: Annotated[Path, typer.Option(help="The provider's private key file.", show_default=False)],
    as_of: Annotated[str, typer.Option(help="Day of the data, YYYY-MM-DD; default today.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Supply rows under an authorization; claims are computed from them, the rows are not kept."""
    with opened(home, as_json) as ledger:
        supplied = read_csv(rows)
        entry = ledger.provisions.draft(authorization, provider, supplied, as_of=_day(as_of))
        (row,) = ledger.provisions.submit([Supply(sign_entry(entry, signer_of(key)), supplied)])
        emit({"provision": row.id, "result": row.result}, as_json)


@app.command()
def issue(
    authorization: Annotated[str, typer.Argument(help="Authorization id.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Issue the certificate and anchor it."""
    with opened(home, as_json) as ledger:
        subject = ledger.parties.get(ledger.authorizations.get(authorization).subject)
        (row,) = ledger.issuance.issue([IssueRequest(authorization, public_jwk(subject.public_key))])
        ledger.anchoring.flush()
        emit(ledger.verification.status(row.certificate_no), as_json, row.certificate_no)


@app.command()
def present(
    number: Annotated[str, typer.Argument(help="Certificate number.", show_default=False)],
    consumer: Annotated[str, typer.Option(help="Party id.", show_default=False)],
    nonce: Annotated[str, typer.Option(help="The nonce that the consumer gave.", show_default=False)],
    key: Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)],
    fields: Annotated[str | None, typer.Option(help="Fields to disclose, by comma; default all.")] = None,
    out: Annotated[Path, typer.Option(help="Where the bundle goes.")] = Path("bundle.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Bind a certificate to one consumer and one nonce with the subject's key, and write the bundle."""
    with opened(home, as_json) as ledger:
        chosen = None if fields is None else fields.split(",")
        made = ledger.bundles.present(number, chosen, consumer, nonce, signer_of(key), ledger.clock())
        out.write_bytes(made.to_bytes())
        emit({"file": str(out), "certificate_no": number}, as_json)


@app.command()
def withdraw(
    authorization: Annotated[str, typer.Argument(help="Authorization id.", show_default=False)],
    key: Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a consent: the next verification of what rests on it fails."""
    with opened(home, as_json) as ledger:
        entry = sign_entry(ledger.authorizations.withdrawal_draft(authorization), signer_of(key))
        row = ledger.authorizations.withdraw(entry)
        emit({"authorization": row.id, "state": row.state}, as_json)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    with path.open("rb") as file:
        parsed = parse_json(file.read(MAX_STATEMENT_BYTES + 1), max_bytes=MAX_STATEMENT_BYTES)
    if not isinstance(parsed, dict):
        raise InvalidInput("ENTRY_SHAPE", "A statement is a JSON object.", where=str(path))
    return parsed


def _write(path: Path, entry: dict[str, Any]) -> None:
    path.write_text(json.dumps(entry, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()  # noqa: DTZ011 - the day the user's calendar shows
    except ValueError as error:
        raise InvalidInput("DATE_INVALID", "There is no such day.", where="as_of", hint="Write YYYY-MM-DD.") from error
