"""Open the ledger that a command needs, explain errors, and write log lines to standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from ledger.cli.shell.output import LOG, errors_explained, stderr

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.installation.wiring import Ledger

T = TypeVar("T")


@contextmanager
def opened(home: Path | None, as_json: bool = False) -> Iterator[Ledger]:
    """Open the ledger in ``home``. If that fails, print the error and end the program with exit code 2."""
    # Imported here, because the libraries for chain and database take seconds to import, and many commands do not need
    # them.
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_ledger

    with errors_explained(as_json), ExitStack() as stack:
        yield _shown(stack, lambda: open_ledger(Settings.at(home)))


@contextmanager
def participating(home: Path | None, as_json: bool = False) -> Iterator[Participant]:
    """Open the operator's ledger or the joined installation in ``home``; errors are handled as in ``opened``."""
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_participant

    with errors_explained(as_json), ExitStack() as stack:
        yield _shown(stack, lambda: open_participant(Settings.at(home)))


@contextmanager
def shown_while(doing: str, opening: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter ``opening()``, and show the text ``doing`` on a terminal until the ledger is open."""
    with ExitStack() as stack:
        yield _shown(stack, opening, doing)


def _shown(
    stack: ExitStack, opening: Callable[[], AbstractContextManager[T]], doing: str = "打开账本 Opening the ledger…"
) -> T:
    """Enter ``opening()`` and show progress on a terminal, because starting a local chain takes seconds."""
    # If the error output goes to a pipe, show no progress: nobody would see it, and the system may refuse to start the
    # thread that draws it.
    with stderr.status(doing) if stderr.is_terminal else nullcontext():
        return stack.enter_context(opening())


def configure_logging() -> None:
    """Write log lines as JSON to standard error. ``$PINGZHENG_LOG`` sets the lowest level that is written (default:
    warning).
    """
    level = logging.getLevelNamesMapping().get(os.environ.get(LOG, "WARNING").upper(), logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Look up sys.stderr for each log line, because other code may have replaced sys.stderr and closed the old
        # stream.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
