"""What the commands print: tables for people, JSON for machines, errors that say what to do next."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ledger.errors import InvalidInput, PingzhengError

SHANGHAI = ZoneInfo("Asia/Shanghai")
console = Console()
stderr = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Home = Annotated[Path | None, typer.Option(help="Folder of the ledger; default: $PINGZHENG_HOME, else ./var.")]

EXIT_NOT_VALID = 1
EXIT_ERROR = 2


def emit(value: Mapping[str, Any], as_json: bool, title: str = "") -> None:
    """One record: a two-column table, or one JSON object."""
    if as_json:
        print_json(value)
        return
    grid = Table(title=title or None, show_header=False, title_justify="left")
    for key, item in value.items():
        grid.add_row(key, _cell(item))
    console.print(grid)


def emit_rows(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str) -> None:
    """Many records: a table with the keys of the first as its head, or a JSON array."""
    if as_json:
        print_json(rows)
        return
    table = Table(title=f"{title} ({len(rows)})", title_justify="left")
    for key in rows[0] if rows else ():
        table.add_column(key, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(item) for item in row.values()))
    console.print(table)


def print_json(value: object) -> None:
    """JSON on standard output, unescaped Chinese, nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def local_time(seconds: int) -> str:
    """Seconds UTC as people in Zhanjiang read them."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def progress() -> Progress:
    """A progress bar on standard error; silent when that is not a terminal's."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=False,
    )


@contextmanager
def errors_explained(as_json: bool = False) -> Iterator[None]:
    """Turn our errors into a message and exit code 2, and Ctrl-C into a calm goodbye."""
    try:
        yield
    except PingzhengError as error:
        fail(error, as_json)
    except KeyboardInterrupt:
        stderr.print(
            "\n已中断，已确认的内容不会丢失。 Interrupted; nothing acknowledged is lost. Run it again to go on."
        )
        raise typer.Exit(130) from None


def confirm(question: str, yes: bool) -> None:
    """Go on only if a person says so, or ``yes`` was said before.

    Raises ``InvalidInput`` ``NOT_CONFIRMED``, also where there is no terminal to ask on.
    """
    if yes or (sys.stdin.isatty() and typer.confirm(question, err=True)):
        return
    raise InvalidInput(
        "NOT_CONFIRMED",
        "This cannot be undone and was not confirmed.",
        where="--yes",
        hint="确认请加 --yes。 Add --yes.",
    )


def fail(error: PingzhengError, as_json: bool) -> NoReturn:
    """Print an error and end with exit code 2."""
    if as_json:
        print_json(error_told(error))
    else:
        explain(error)
    raise typer.Exit(EXIT_ERROR)


def explain(error: PingzhengError) -> None:
    """Print an error for people, on standard error."""
    stderr.print(f"[bold red]错误 error[/] [bold]{error.code}[/]  {escape(error.message)}", highlight=False)
    if error.where:
        stderr.print(f"  位置 where: {error.where}", highlight=False, markup=False)
    if error.hint:
        stderr.print(f"  下一步 next: {error.hint}", highlight=False, markup=False)


def error_told(error: PingzhengError) -> dict[str, Any]:
    """An error as JSON values."""
    return {
        "error": error.code,
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "details": error.details,
    }


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, (dict, list, tuple)):
        return escape(json.dumps(value, ensure_ascii=False))
    return escape(str(value))
