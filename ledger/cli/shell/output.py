"""Print the results of commands as tables for people or as JSON for programs, and print errors with the next step."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sys
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ledger.cli.shell.progress_lines import ProgressLines, rate_of
from ledger.cli.shell.terminal import can_show, give_up
from ledger.errors import InvalidInput, Misconfigured, PingzhengError, StorageFull
from ledger.installation.explanations import explanation

SHANGHAI = ZoneInfo("Asia/Shanghai")


class _Output(Console):
    """A Rich console that raises ``BrokenPipeError`` if its pipe is closed. ``errors_explained`` handles this error."""

    def on_broken_pipe(self) -> None:
        """Raise ``BrokenPipeError`` again. Rich calls this method when it catches the error."""
        raise BrokenPipeError


console = _Output()
stderr = Console(stderr=True)
NO_THREAD: Final = "can't start new thread"
FREE_MEMORY: Final = "End other programs or raise the memory limit, then run the command again; confirmed data is kept."

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Home = Annotated[Path | None, typer.Option(help="Folder of the ledger; default: $PINGZHENG_HOME, else ./var.")]

# Members with these names are times in seconds UTC; tables show them in Shanghai time.
_TIMES = re.compile(r"(\w+_)?at|since|until|due|valid_from|valid_to|exp|iat|nbf")

# Members with these names have codes as values; labels.toml has a Chinese name for each code.
_CODED = {"class", "kind", "presented_with", "result", "roles", "state", "status"}
# Matches long hex strings, which tables shorten: party ids, accounts and digests.
_ID = re.compile(r"\b(0x)?[0-9a-f]{40,64}\b")
_SHOWN = 12
# Matches ASCII characters without a blank, such as a code or a key. A table must not break such a text into two lines.
_WORD = re.compile(r"[!-~…]+")
# Widths in characters: first the minimum width of a column of Chinese text, then the border of a column with its
# blanks.
_NARROWEST = 4
_BORDERS = 3

EXIT_NOT_VALID = 1
EXIT_ERROR = 2
EXIT_DISK_FULL = 74
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
LOG = "PINGZHENG_LOG"


def emit(value: Mapping[str, Any], as_json: bool, title: str = "") -> None:
    """Print one record as a table of two columns, or as a JSON object.

    If the terminal is too narrow for the longest code or key, each member is printed on a separate line.
    """
    if as_json:
        print_json(value)
        return
    shown = {" ".join(_names(key)): _cell(key, item) for key, item in value.items()}
    _print_table(title, [], [list(each) for each in shown.items()], [shown])


def emit_rows(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str) -> None:
    """Print many records as a table or as a JSON array. The headings of the table are the keys of the first record.

    A table shortens ids, except in its first column, which identifies the record. If the terminal is too narrow to
    print every code in one line of a column, each member is printed completely on a separate line.
    """
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(f"{title}：无 none", markup=False, highlight=False)
        return
    names = ["\n".join(_names(key)) for key in rows[0]]
    whole = [[_cell(key, item) for key, item in row.items()] for row in rows]
    cells = [[first, *(_ID.sub(_shortened, text) for text in others)] for first, *others in whole]
    _print_table(f"{title} ({len(rows)})", names, cells, [dict(zip(names, row, strict=True)) for row in whole])


def _print_table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[Mapping[str, str]]
) -> None:
    """Print a table. If the terminal is too narrow, print the unshortened records ``whole`` instead, each member on its
    own line.
    """
    columns = list(zip(*([head] if head else []), *rows, strict=True))
    widths = _widths(columns)
    if widths is None:
        _print_lines(title, whole)
        return
    table = Table(title=title or None, show_header=bool(head), title_justify="left")
    for width, (first, *_) in zip(widths, columns, strict=True):
        table.add_column(first, overflow="fold", width=width)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_lines(title: str, records: Sequence[Mapping[str, str]]) -> None:
    """Print each member of each record on a line of its own. A long line is not broken, so that values can be
    copied.
    """
    if title:
        console.print(title, markup=False, highlight=False)
    for place, record in enumerate(records):
        if place:
            console.print()
        for name, text in record.items():
            console.print(f"{' '.join(name.split())}: {text}", highlight=False, soft_wrap=True)


def _widths(columns: Sequence[Sequence[str]]) -> list[int] | None:
    """Return a width for each column, so that no code or key is broken into two lines. None if the terminal is too
    narrow for that.
    """
    least = [max(map(len, _WORD.findall(" ".join(column))), default=_NARROWEST) for column in columns]
    most = [max(cell_len(line) for text in column for line in (text or " ").split("\n")) for column in columns]
    room = console.width - sum(least) - _BORDERS * len(columns) - 1
    if room < 0:
        return None
    widths = list(least)
    for left, place in enumerate(sorted(range(len(columns)), key=lambda each: most[each] - least[each])):
        given = min(max(most[place] - least[place], 0), room // (len(columns) - left))
        widths[place] += given
        room -= given
    return widths


def _shortened(found: re.Match[str]) -> str:
    return f"{found[0][:_SHOWN]}…"


@cache
def _labels() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("ledger.cli.shell").joinpath("labels.toml").read_text("utf-8"))


def labels(kind: str) -> dict[str, str]:
    """Return the words for the codes of one kind, in both languages, from a table of labels.toml."""
    return _labels()[kind]


def _names(key: str) -> list[str]:
    """Return the lines of a member's heading: the Chinese name from labels.toml, if there is one, and the member's own
    name.
    """
    return [*filter(None, [_labels()["names"].get(key)]), key]


def coded(value: str) -> str:
    """Return a code with its Chinese name before it, if labels.toml has one."""
    return " ".join(filter(None, [_labels()["values"].get(value), value]))


def print_json(value: object) -> None:
    """Print a value as JSON on standard output. If the output's encoding lacks Chinese characters, escape them."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write((text if can_show(text) else json.dumps(value, indent=2)) + "\n")
    sys.stdout.flush()


def local_time(seconds: int) -> str:
    """Convert a time in seconds UTC to a text in Shanghai time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


class _Rate(ProgressColumn):
    """The column with the number of steps that a task finishes in a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, or nothing before the first step."""
        return Text(rate_of(task))


def progress() -> Progress:
    """Return progress bars on standard error, with the rate and the time that is left. If standard error is not a
    terminal, print a plain line every few seconds.
    """
    if not stderr.is_terminal:
        return ProgressLines(stderr)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
        transient=False,
    )


@contextmanager
def errors_explained(as_json: bool = False) -> Iterator[None]:
    """If the block raises an error, explain the error and exit with code 2. After Ctrl-C, exit with code 130."""
    try:
        yield
    except PingzhengError as error:
        fail(error, as_json)
    except KeyboardInterrupt:
        stderr.print(
            "\n已中断，已确认的内容不会丢失；再次执行即可继续。 "
            "Interrupted; confirmed data is kept. Run the command again to continue."
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        give_up(sys.stdout)
        raise typer.Exit(EXIT_BROKEN_PIPE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        fail(_foreign(error), as_json)


def _foreign(error: Exception) -> PingzhengError:
    """Convert an exception from a library to an error of ``ledger.errors``. The exception's text is left out, because
    it may contain personal data.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        if error.filename is None:
            give_up(sys.stdout)
        return StorageFull(
            "DISK_FULL",
            "The disk is full; the data was not written.",
            where=None if error.filename is None else str(error.filename),
            hint="Free space on the disk, then run the command again.",
        )
    # If the system refuses to start a thread, Python raises an error whose exact type is RuntimeError.
    if isinstance(error, MemoryError) or (type(error) is RuntimeError and error.args == (NO_THREAD,)):
        return Misconfigured("MEMORY_SHORT", "The system did not give this program more memory.", hint=FREE_MEMORY)
    if isinstance(error, OSError) and error.filename is not None:
        return Misconfigured("FILE_REFUSED", f"The system reports: {error.strerror}.", where=str(error.filename))
    if logging.getLevelName(os.environ.get(LOG, "").upper()) == logging.DEBUG:
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Misconfigured("INTERNAL", f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}.")


def confirm(question: str, yes: bool) -> None:
    """Ask the question on the terminal. If the answer is yes, or if ``yes`` is set, return.

    Raises ``InvalidInput`` ``NOT_CONFIRMED`` if the answer is no or there is no terminal.
    """
    if yes or (sys.stdin.isatty() and typer.confirm(question, err=True)):
        return
    raise InvalidInput(
        "NOT_CONFIRMED",
        "The action cannot be undone and was not confirmed.",
        where="--yes",
        hint="确认执行请加 --yes。 Add --yes to confirm.",
    )


def ask(question: str, yes: bool, as_json: bool) -> None:
    """Ask the question before an act that cannot be undone, if a person is at a terminal.

    A script has no terminal, or asks for JSON output. Scripts are not asked, because the person who runs a script has
    already decided.
    """
    if sys.stdin.isatty() and not as_json:
        confirm(question, yes)


def fail(error: PingzhengError, as_json: bool) -> NoReturn:
    """Print an error and end the program with exit code 2, or with 74 (EX_IOERR in sysexits.h) if a disk is full."""
    if as_json:
        print_json(error_members(error))
    else:
        explain(error)
    raise typer.Exit(EXIT_DISK_FULL if isinstance(error, StorageFull) else EXIT_ERROR)


def explain(error: PingzhengError) -> None:
    """Print an error for people on standard error. Lines are not broken, so that people can copy commands from them."""
    explained = explanation(error.code, error.message, error.hint)
    head = f"[bold red]错误 error[/] [bold]{error.code}[/]  {escape(explained.message)}"
    stderr.print(head, highlight=False, soft_wrap=True)
    if error.where:
        stderr.print(f"  位置 where: {error.where}", highlight=False, markup=False, soft_wrap=True)
    if explained.hint:
        stderr.print(f"  下一步 next: {explained.hint}", highlight=False, markup=False, soft_wrap=True)


def error_members(error: PingzhengError) -> dict[str, Any]:
    """Return the members of an error for JSON output."""
    explained = explanation(error.code, error.message, error.hint)
    return {
        "error": error.code,
        "message": explained.message,
        "where": error.where,
        "hint": explained.hint,
        "details": error.details,
    }


def _cell(name: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if name in _CODED and isinstance(value, str):
        return escape(coded(value))
    if isinstance(value, int) and _TIMES.fullmatch(name):
        return local_time(value) if value else "–"
    if isinstance(value, dict):
        return ", ".join(f"{escape(str(key))}: {_cell(str(key), item)}" for key, item in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        between = "; " if any(isinstance(item, (dict, list, tuple)) for item in value) else ", "
        return between.join(_cell(name if name in _CODED else "", item) for item in value) or "–"
    return escape(str(value))
