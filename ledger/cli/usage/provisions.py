"""``pingzheng provision`` at the platform: tasks for providers, and what they answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.shell.files import parsed
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, progress
from ledger.cli.usage import providing
from ledger.cli.usage.options import Limit, PartyArgument
from ledger.provider.supply import Receipt, parse_answers
from ledger.provider.task import MAX_LIST_BYTES, MAX_NOTICES, MAX_TASKS, TaskList
from ledger.wallet.private_file import write_private

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.provisions import OwnPlatform

app = typer.Typer(no_args_is_help=True)
app.command()(providing.run)
app.command()(providing.answer)
app.command()(providing.received)
app.command()(providing.confirm)
_CHUNK: Final = 50

After = Annotated[str | None, typer.Option(help="Begin after this authorization.")]


@app.command()
def asked(
    provider: PartyArgument,
    after: After = None,
    limit: Limit = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """等待提供方答复的授权。Authorizations that wait for a provider's answer.

    示例 Example:  pingzheng provision asked 91440881MA9X000384
    """
    with opened(home, as_json) as ledger:
        rows = [
            {"authorization": row.id, "scenario": row.scenario, "source": row.source, "subject": row.subject}
            for row in ledger.usage.provisions.asked(party_of(ledger, provider), after, limit)
        ]
        emit_rows(rows, as_json, "待提供 Waiting")


@app.command()
def tasks(
    provider: PartyArgument,
    out: Annotated[Path, typer.Option(help="Where to write them.")] = Path("tasks.json"),
    authorization: Annotated[
        list[str] | None, typer.Option(help="These alone, by id; where it was supplied before: to correct it.")
    ] = None,
    after: After = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_TASKS)] = MAX_TASKS,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为离线的提供方写出任务文件，其中有主体的证件号。Write the tasks of a provider that is offline to a file. It holds
    identifiers of subjects: hand it over safely.

    示例 Example:  pingzheng provision tasks 91440881MA9X000384 --out tasks.json
    """
    with opened(home, as_json) as ledger:
        party = party_of(ledger, provider)
        if authorization:
            found = [ledger.usage.provisions.task(identifier) for identifier in authorization]
        else:
            found = ledger.usage.provisions.tasks(party, after, limit)
        erasures = [entry for _, entry in ledger.usage.provisions.erasures(party, -1, MAX_NOTICES)]
        write_private(out, TaskList(tuple(found), tuple(erasures)).to_bytes().decode())
        emit({"file": str(out), "tasks": len(found), "erasures": len(erasures)}, as_json, "任务 Tasks")


@app.command()
def submit(
    answers: Annotated[Path, typer.Argument(help="The provider's file of answers.", show_default=False)],
    receipt: Annotated[Path, typer.Option(help="Where to write what became of them.")] = Path("receipt.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """提交离线提供方的答复文件，并写出回执。Take the answers of a provider that is offline, and write a receipt for it.
    It can be repeated.

    示例 Example:  pingzheng provision submit answers.json --receipt receipt.json
    """
    with opened(home, as_json) as ledger:
        supplies = parsed(answers, MAX_LIST_BYTES, parse_answers)
        refused: dict[str, str] = {}
        with progress() as bar:
            task = bar.add_task("提交 submit", total=len(supplies))
            for start in range(0, len(supplies), _CHUNK):
                some = supplies[start : start + _CHUNK]
                outcomes = _platform(ledger).submit(some)
                refused |= {supply.digest: error.code for supply, error in zip(some, outcomes, strict=True) if error}
                bar.advance(task, len(some))
        made = Receipt(frozenset(supply.digest for supply in supplies) - refused.keys(), refused)
        write_private(receipt, made.to_bytes().decode())
        outcome = {"receipt": str(receipt), "received": len(made.received), "refused": sorted(refused.values())}
        emit(outcome, as_json, "已提交 Submitted")


def _platform(ledger: Ledger) -> OwnPlatform:
    from ledger.usage.provisions import OwnPlatform

    return OwnPlatform(ledger.usage.provisions, ledger.party)
