"""Submit a file with many signed statements, and print or write the outcome of each line.

The lines are recorded in parts. Recorded lines stay recorded if the command is interrupted with Ctrl-C or killed. The
next run of the same command skips these lines, and says in its report that they were recorded before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.cli.shell.output import EXIT_INTERRUPTED, EXIT_NOT_VALID, emit, emit_rows, progress, stderr
from ledger.connectors.tabular import csv_lines
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.installation.explanations import explanation
from ledger.wallet.private_file import write_whole

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.batches.kinds import Item, Kind

StatementsFile = Annotated[
    Path,
    typer.Argument(
        help="JSON Lines (.jsonl) with one item on each line, or CSV, Excel or Parquet with a column for each member.",
        show_default=False,
    ),
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", help="CSV file to which the outcome of each line is written.")
]
RECORDED, BEFORE, REFUSED = "recorded", "recorded_before", "refused"
_PART: Final = 100
_SHOWN: Final = 20
_COLUMNS: Final = ("line", "outcome", "records", "code", "where", "message", "hint")

Outcomes = dict[int, dict[str, Any]]


def submit_file(ledger: Ledger, kind: str, file: Path, report: Path | None, as_json: bool) -> None:
    """Record every item of the file that is not refused. The exit code is 1 if a line is refused.

    Raises the errors of ``files.lines_in``, and errors that do not concern a single line, such as a full disk.
    """
    from ledger.usage.batches.files import lines_in

    outcomes: Outcomes = {}
    interrupted = False
    total = sum(1 for _ in lines_in(file, kind))
    try:
        with progress() as bars:
            task = bars.add_task("提交 submit", total=total)
            lines = iter(lines_in(file, kind))
            while part := list(islice(lines, _PART)):
                outcomes |= _submitted(ledger, ledger.usage.batches.kinds[kind], part)
                bars.advance(task, len(part))
    except KeyboardInterrupt:
        interrupted = True
    if kind == "certificates" and outcomes and not interrupted:
        ledger.anchoring.flush()
    _tell(outcomes, file, report, as_json)
    if interrupted:
        stderr.print(
            "\n已中断：已记录的不会丢失；再次执行同一命令即可继续，已记录的会跳过。"
            "\nInterrupted: what is recorded is kept. Run the same command again: it skips what is recorded.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(each["outcome"] == REFUSED for each in outcomes.values()):
        raise typer.Exit(EXIT_NOT_VALID)


def _submitted(ledger: Ledger, kind: Kind, part: list[tuple[int, Item | InvalidInput]]) -> Outcomes:
    """Record the items of some lines. Items that are recorded already are skipped."""
    refused = {line: _refused(item) for line, item in part if isinstance(item, InvalidInput)}
    items = {line: item for line, item in part if not isinstance(item, InvalidInput)}
    before = dict(zip(items, ledger.usage.batch_runner.before(kind, list(items.values())), strict=True))
    found = refused | {line: _row(BEFORE, records) for line, records in before.items() if records is not None}
    for party, some in groupby([line for line in items if line not in found], lambda line: kind.party(items[line])):
        found |= _recorded(ledger, kind, party, {line: items[line] for line in some})
    return {line: found[line] for line, _ in part}


def _recorded(ledger: Ledger, kind: Kind, party: str | None, items: Mapping[int, Item]) -> Outcomes:
    try:
        actor = ledger.actor(ledger.party if party is None else party)
    except (Conflict, Forbidden, NotFound) as refusal:
        return {line: _refused(refusal) for line in items}
    outcomes = ledger.usage.batch_runner.each(actor, kind, items)
    return {
        line: _refused(outcome) if isinstance(outcome, PingzhengError) else _row(RECORDED, outcome)
        for line, outcome in outcomes.items()
    }


def _row(outcome: str, records: list[str], refusal: PingzhengError | None = None) -> dict[str, Any]:
    if refusal is None:
        return {"outcome": outcome, "records": records, "code": None, "where": None, "message": None, "hint": None}
    texts = explanation(refusal.code, refusal.message, refusal.hint)
    shown = {"code": refusal.code, "where": refusal.where, "message": texts.message, "hint": texts.hint}
    return {"outcome": outcome, "records": records, **shown}


def _refused(refusal: PingzhengError) -> dict[str, Any]:
    return _row(REFUSED, [], refusal)


def _tell(outcomes: Outcomes, file: Path, report: Path | None, as_json: bool) -> None:
    counts = Counter(each["outcome"] for each in outcomes.values())
    summary: dict[str, Any] = {"file": str(file), **{name: counts[name] for name in (RECORDED, BEFORE, REFUSED)}}
    lines = ({"line": line, **each} for line, each in outcomes.items())
    if report is not None:
        write_whole(report, _csv(lines).encode("utf-8-sig"))
        summary["report"] = str(report)
    if as_json:
        emit(summary | {"lines": [{"line": line, **each} for line, each in outcomes.items()]}, as_json)
        return
    emit(summary, as_json, "提交 Submitted")
    refused = [
        {"line": line, "code": each["code"], "where": each["where"], "message": each["message"]}
        for line, each in outcomes.items()
        if each["outcome"] == REFUSED
    ]
    if refused:
        emit_rows(refused[:_SHOWN], as_json, "未记录 Refused")


def _csv(lines: Iterable[Mapping[str, Any]]) -> str:
    cells = ({**line, "records": " ".join(line["records"])} for line in lines)
    return "".join(csv_lines([_COLUMNS, *([each.get(column) for column in _COLUMNS] for each in cells)]))
