"""``pingzheng provision``: what a provider answers under authorizations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.files import signer_of
from ledger.cli.naming import day_of, party_of
from ledger.cli.opening import opened
from ledger.cli.output import AsJson, Home, emit, emit_rows, progress
from ledger.connectors.answers import NoData, Refused, Supplied
from ledger.connectors.tabular import read_csv
from ledger.domain.days import shanghai_day
from ledger.proof.jws import Signer, sign_entry
from ledger.service.provisions import Supply
from ledger.service.sources import SourceBook
from ledger.service.wiring import Ledger
from ledger.store.tables import Authorization, Provision

app = typer.Typer(no_args_is_help=True)
Identifier = Annotated[str, typer.Argument(help="Authorization id.", show_default=False)]
_PAGE: Final = 200
Key = Annotated[Path, typer.Option(help="The provider's private key file.", show_default=False)]


@app.command()
def asked(
    provider: Annotated[str, typer.Argument(help="Party id or USCC.", show_default=False)],
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """等待提供方答复的授权。Authorizations that wait for a provider's answer.

    示例 Example:  pingzheng provision asked 91440881MA9X000384
    """
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
    """提供数据行：只用来计算内容，不保存；此前提供过则为更正。Supply rows; claims are computed from them, the rows
    are not kept. Supplied before: this corrects it.

    示例 Example:  pingzheng provision supply 01KA… --rows meter.csv --key grid.key --as-of 2026-10-31
    """
    with opened(home, as_json) as ledger:
        now = ledger.clock()
        given = Supplied(tuple(read_csv(rows)), day_of(as_of) if as_of else shanghai_day(now), now)
        emit(_row(_answered(ledger, ledger.provisions.draft(authorization, given), signer_of(key))), as_json)


@app.command()
def refuse(
    authorization: Identifier,
    reason: Annotated[str, typer.Option(help="out_of_scope, under_correction, disputed, …", show_default=False)],
    key: Key,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """答复不予提供，并说明理由。Say that nothing is supplied, and why.

    示例 Example:  pingzheng provision refuse <authorization> --reason disputed --key grid.key
    """
    with opened(home, as_json) as ledger:
        drafted = ledger.provisions.draft(authorization, Refused(reason, ledger.clock()))
        emit(_row(_answered(ledger, drafted, signer_of(key))), as_json)


@app.command("no-data")
def no_data(authorization: Identifier, key: Key, home: Home = None, as_json: AsJson = False) -> None:
    """答复来源中没有该主体的数据。Say that the source has nothing of the subject.

    示例 Example:  pingzheng provision no-data <authorization> --key grid.key
    """
    with opened(home, as_json) as ledger:
        drafted = ledger.provisions.draft(authorization, NoData(ledger.clock()))
        emit(_row(_answered(ledger, drafted, signer_of(key))), as_json)


@app.command()
def run(
    provider: Annotated[str, typer.Argument(help="Party id or USCC.", show_default=False)],
    sources: Annotated[Path, typer.Option(help="Folder of source files.", envvar="PINGZHENG_SOURCES")],
    key: Key,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """向提供方自己的来源查询全部待答复的授权并答复；按 Ctrl-C 不丢失已答复的。Ask the provider's own sources for
    everything that waits, and answer; Ctrl-C loses nothing that was answered.

    示例 Example:  pingzheng provision run 9144… --sources sources --key grid.key
    """
    with opened(home, as_json) as ledger:
        book, signer, party = SourceBook.load(sources), signer_of(key), party_of(ledger, provider)
        answered: Counter[str] = Counter()
        waiting = list(_waiting(ledger, party))
        with progress() as bar:
            task = bar.add_task("提供 answer", total=len(waiting))
            for row in waiting:
                drafted = ledger.provisions.ask(row.id, book.connector(row.scenario, row.source))
                answered[_answered(ledger, drafted, signer).result] += 1
                bar.advance(task)
        emit(dict(answered), as_json, "提供 Answered")


def _waiting(ledger: Ledger, provider: str) -> Iterator[Authorization]:
    after = None
    while rows := ledger.provisions.asked(provider, after, _PAGE):
        yield from rows
        after = rows[-1].id


def _answered(ledger: Ledger, drafted: Supply, signer: Signer) -> Provision:
    (row,) = ledger.provisions.submit([replace(drafted, entry=sign_entry(drafted.entry, signer))])
    return row


def _row(row: Provision) -> dict[str, object]:
    return {
        "provision": row.id,
        "authorization": row.authorization_id,
        "number": row.number,
        "result": row.result,
        "reason": row.reason,
    }
