"""``pingzheng provision`` on the platform. Writes tasks for providers, and records the providers' answers."""

from __future__ import annotations

from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.shell.files import parsed
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of
from ledger.cli.shell.output import AsJson, emit, emit_rows, progress
from ledger.cli.usage import providing
from ledger.cli.usage.options import Limit, PartyArgument
from ledger.cli.usage.submitting import ReportFile, StatementsFile, submit_file
from ledger.provider.supply import Receipt, Supply, parse_answers
from ledger.provider.task import MAX_LIST_BYTES, MAX_NOTICES, MAX_TASKS, TaskList
from ledger.wallet.private_file import write_private

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

app = Group()
app.command()(providing.run)
app.command()(providing.answer)
app.command()(providing.received)
app.command()(providing.confirm)
_CHUNK: Final = 50

After = Annotated[str | None, typer.Option(help="List only authorizations after this id.")]


@app.command()
def asked(
    ledger: Ledger, provider: PartyArgument, after: After = None, limit: Limit = 20, as_json: AsJson = False
) -> None:
    """列出等待提供方答复的授权。List the authorizations that wait for a provider's answer.

    示例 Example:  pingzheng provision asked 91440881MA9X000384
    """
    rows = [
        {"authorization": row.id, "scenario": row.scenario, "source": row.source, "subject": row.subject}
        for row in ledger.usage.provider_acts.asked(actor_of(ledger, provider), after, limit)
    ]
    emit_rows(rows, as_json, "待提供 Waiting")


@app.command()
def tasks(
    ledger: Ledger,
    provider: PartyArgument,
    out: Annotated[Path, typer.Option(help="File to which the tasks are written.")] = Path("tasks.json"),
    authorization: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Write only the tasks about the authorizations with these ids. If data was already supplied, the task "
                "asks for a correction."
            )
        ),
    ] = None,
    after: After = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_TASKS)] = MAX_TASKS,
    as_json: AsJson = False,
) -> None:
    """为离线的提供方写出任务文件。文件含主体的证件号码，请妥善交接。Write a file with the tasks of an offline provider.
    The file contains identifiers of subjects: hand it over safely.

    示例 Example:  pingzheng provision tasks 91440881MA9X000384 --out tasks.json
    """
    actor, acts = actor_of(ledger, provider), ledger.usage.provider_acts
    if authorization:
        found = [acts.task(actor, identifier) for identifier in authorization]
    else:
        found = acts.tasks(actor, after, limit)
    erasures = [entry for _, entry in acts.erasures(actor, -1, MAX_NOTICES)]
    write_private(out, TaskList(tuple(found), tuple(erasures)).to_bytes().decode())
    emit({"file": str(out), "tasks": len(found), "erasures": len(erasures)}, as_json, "任务 Tasks")


@app.command()
def submit(
    ledger: Ledger,
    answers: Annotated[Path, typer.Argument(help="The provider's file of answers.", show_default=False)],
    receipt: Annotated[Path, typer.Option(help="File to which the receipt is written.")] = Path("receipt.json"),
    as_json: AsJson = False,
) -> None:
    """提交离线提供方的答复文件，并写出给该提供方的回执；命令可重复执行。Submit the answers of an offline provider, and
    write a receipt for the provider. You can run the command again without harm.

    示例 Example:  pingzheng provision submit answers.json --receipt receipt.json
    """
    supplies = parsed(answers, MAX_LIST_BYTES, parse_answers)
    refused: dict[str, str] = {}
    with progress() as bar:
        task = bar.add_task("提交 submit", total=len(supplies))
        for provider, own in groupby(sorted(supplies, key=_provider), _provider):
            platform = ledger.usage.provider_acts.platform(ledger.actor(provider))
            while some := list(islice(own, _CHUNK)):
                outcomes = zip(some, platform.submit(some), strict=True)
                refused |= {supply.digest: error.code for supply, error in outcomes if error}
                bar.advance(task, len(some))
    made = Receipt(frozenset(supply.digest for supply in supplies) - refused.keys(), refused)
    write_private(receipt, made.to_bytes().decode())
    outcome = {"receipt": str(receipt), "received": len(made.received), "refused": sorted(refused.values())}
    emit(outcome, as_json, "已提交 Submitted")


@app.command("submit-file")
def submit_many(ledger: Ledger, file: StatementsFile, report: ReportFile = None, as_json: AsJson = False) -> None:
    """提交文件中已签名的多个答复，每行为一个答复；中断后再次执行即可继续。Submit the signed answers in a file, one on
    each line. After an interruption, run the command again to continue.

    示例 Example:  pingzheng provision submit-file answers.jsonl --report report.csv
    """
    submit_file(ledger, "provisions", file, report, as_json)


def _provider(supply: Supply) -> str:
    return str(supply.entry["provider"])
