"""What the terminals and pipes of people can take: any encoding, no standard output at all, narrow windows."""

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
    """Let printing fail for no encoding, and for no stream that was closed before the program began.

    What a stream cannot show, such as Chinese on a terminal of Latin letters, is written as ``\\uXXXX``.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the program ends
        else:
            stream.reconfigure(errors="backslashreplace")


def can_show(text: str) -> bool:
    """Whether standard output has every character of the text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def verdict_stands() -> Iterator[None]:
    """Print within: an exit code that is a verdict stays what it is, also where standard output takes no more."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(sys.stdout)
        complain(f"结果未能写出 The result could not be written: {os.strerror(error.errno or errno.EIO)}\n")


def complain(text: str) -> None:
    """Write to standard error, if it takes anything."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Print nothing more there: else the interpreter fails once more at its end, and changes the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Folding(Table):
    """A table that breaks what does not fit. Rich cuts off a sentence without a space, as Chinese ones are."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(_spaced, cells), **options)
        for column in self.columns:
            column.overflow = "fold"


def _spaced(cell: Any) -> Any:
    """Return the cell with a blank after each ``|``, so that a list of choices breaks between the choices."""
    if not isinstance(cell, Text) or "|" not in cell.plain:
        return cell
    return Text(cell.plain.replace("|", "| "), style=cell.style)


def _one_text(parts: Iterable[Any]) -> Text:
    """Help, default and environment variable of an option, one after another."""
    return Text(" ").join(parts)


def _flowing(text: str) -> str:
    """A help text with the line breaks of people, and not those of its source: English begins on a line of its own."""
    paragraphs = (" ".join(part.split("\n")) for part in text.split("\n\n"))
    return "\n\n".join(re.sub(r"([。；]) ?(?=[A-Z])", r"\1\n", part) for part in paragraphs)


_rich_text = rich_utils._make_rich_text


def _flowing_text(*, text: str, **options: Any) -> Any:
    return _rich_text(text=_flowing(inspect.cleandoc(text)), **options)


def fold_help() -> None:
    """Let ``--help`` lose no words in a narrow terminal, and break lines between the languages and not within words."""
    # Typer has no setting for these.
    setattr(rich_utils, "_make_rich_text", _flowing_text)  # noqa: B010
    setattr(rich_utils, "Table", _Folding)  # noqa: B010
    setattr(rich_utils, "Columns", _one_text)  # noqa: B010
