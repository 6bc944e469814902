"""Make output work on every terminal and pipe: with any encoding, closed streams and narrow windows."""

from __future__ import annotations

import errno
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.table import Table
from rich.text import Text
from typer import rich_utils


def open_streams() -> None:
    """Prepare the standard streams. After that, printing never fails because of an encoding or a closed stream.

    Characters that a stream's encoding lacks, such as Chinese in Latin-1, are written as ``\\uXXXX``.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the program ends
        else:
            stream.reconfigure(errors="backslashreplace")


def can_show(text: str) -> bool:
    """Return whether the encoding of standard output has every character of the text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def verdict_stands() -> Iterator[None]:
    """If the block cannot write to standard output, report this on standard error. The exit code does not change,
    because it shows the command's result.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(sys.stdout)
        complain(f"无法写入结果 The result could not be written: {os.strerror(error.errno or errno.EIO)}\n")


def complain(text: str) -> None:
    """Write a text to standard error. If that is impossible, do nothing."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Redirect the stream to the null device. Otherwise Python's last flush of the stream could change the exit
    code.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Folding(Table):
    """A table that breaks long cells into several lines. Rich itself would cut off Chinese text, because Chinese text
    has no blanks.
    """

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(_spaced, cells), **options)
        for column in self.columns:
            column.overflow = "fold"


def _spaced(cell: Any) -> Any:
    """Add a blank after each ``|`` in a cell, so that a long list of choices is broken between two choices."""
    if not isinstance(cell, Text) or "|" not in cell.plain:
        return cell
    return Text(cell.plain.replace("|", "| "), style=cell.style)


def _one_text(parts: Iterable[Any]) -> Text:
    """Join the parts of an option's help (its text, default and environment variable) to one text."""
    return Text(" ").join(parts)


def _flowing(text: str) -> str:
    """Return a docstring as help text: join its lines, but begin a new line where the English text begins."""
    paragraphs = (" ".join(part.split("\n")) for part in text.split("\n\n"))
    return "\n\n".join(re.sub(r"([。；]) ?(?=[A-Z])", r"\1\n", part) for part in paragraphs)


_rich_text = rich_utils._make_rich_text


def _flowing_text(*, text: str, **options: Any) -> Any:
    return _rich_text(text=_flowing(inspect.cleandoc(text)), **options)


def fold_help() -> None:
    """Make ``--help`` show every word in a narrow terminal, with a line break between the languages."""
    # Typer has no settings for how help texts flow, so some functions in Typer's module are replaced.
    setattr(rich_utils, "_make_rich_text", _flowing_text)  # noqa: B010
    setattr(rich_utils, "Table", _Folding)  # noqa: B010
    setattr(rich_utils, "Columns", _one_text)  # noqa: B010
