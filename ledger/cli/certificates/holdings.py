"""``pingzheng holdings``: count certificates, and export lists of them for a spreadsheet or a program."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.certificates import holdings_options as by
from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, emit, emit_rows, local_time
from ledger.connectors.tabular import csv_lines
from ledger.domain.days import shanghai_time
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.holdings.overview import Holding

app = Group()
FORMATS = ("csv", "jsonl")
COLUMNS = (
    "certificate_no",
    "class",
    "scenario",
    "state",
    "issuer",
    "subject",
    "consumer",
    "providers",
    "asset",
    "created_at",
    "exp",
    "max_uses",
    "uses",
)


@app.command()
def summary(ledger: Ledger, selected: by.Selected, as_json: AsJson = False) -> None:
    """统计凭证数量，按场景、提供部门和当前状态分列。Count the certificates of each scenario and each providing
    department, by their present states.

    示例 Examples:  pingzheng holdings summary --party all · pingzheng holdings summary --scenario S51 --state
    active
    """
    counts = ledger.usage.holdings.summary(selected.filter(ledger))
    if as_json:
        emit(counts, as_json)
        return
    emit_rows(counts["by_scenario"], as_json, "按场景 By scenario")
    emit_rows(counts["by_provider"], as_json, "按部门 By department")
    head = {"合计 total": counts["total"], "时间 at": local_time(counts["at"]), "区块 block": counts["block"]}
    emit(head, as_json, "归集 Holdings")


@app.command()
def export(
    ledger: Ledger,
    out: Annotated[Path, typer.Argument(help="File to write the list to.", show_default=False)],
    form: Annotated[
        str | None, typer.Option("--format", help=f"{' or '.join(FORMATS)}; default: the ending of the file's name.")
    ] = None,
    *,
    selected: by.Selected,
    as_json: AsJson = False,
) -> None:
    """导出凭证清单：编号、代码、时间和状态；参与方只写编号，不含个人信息。Write a list of certificates to a file. It
    contains numbers, codes, times, states and party ids, but no personal data.

    In CSV, times are in Shanghai time; in JSON lines, they are in seconds UTC.

    示例 Example:  pingzheng holdings export expiring.csv --party all --state active --expires-before 2026-12-31
    """
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in FORMATS:
        raise InvalidInput(
            "FORMAT_UNKNOWN", "The format of a list must be csv or jsonl.", where="format", hint="Give --format csv."
        )
    count = _write(out, ledger.usage.holdings.each(selected.filter(ledger)), as_csv=chosen == "csv")
    emit({"file": str(out), "certificates": count}, as_json)


def _write(out: Path, holdings: Iterable[Holding], *, as_csv: bool) -> int:
    """Write the list to a temporary file and then rename that file, so that an interrupted export leaves no file that
    looks complete.
    """
    draft, count = out.with_name(f"{out.name}.part"), 0
    with draft.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines([COLUMNS]) if as_csv else ())
        for holding in holdings:
            row = holding.to_dict()
            file.writelines(csv_lines([_cells(row)]) if as_csv else (json.dumps(row, ensure_ascii=False), "\n"))
            count += 1
    draft.replace(out)
    return count


def _cells(row: dict[str, Any]) -> list[object]:
    shown = row | {
        "providers": " ".join(row["providers"]),
        "created_at": shanghai_time(row["created_at"]),
        "exp": shanghai_time(row["exp"]),
    }
    return [shown[name] for name in COLUMNS]
