"""Opening the ledger for a command: its errors explained, its log lines on standard error."""

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
    """The ledger in ``home``; what goes wrong is printed and ends the program with exit code 2."""
    # Not above: chain and database take seconds to import, and half of the commands open no ledger.
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_ledger

    with errors_explained(as_json), ExitStack() as stack:
        yield _shown(stack, lambda: open_ledger(Settings.at(home)))


@contextmanager
def participating(home: Path | None, as_json: bool = False) -> Iterator[Participant]:
    """The ledger in ``home``, or the joined installation; errors as in ``opened``."""
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_participant

    with errors_explained(as_json), ExitStack() as stack:
        yield _shown(stack, lambda: open_participant(Settings.at(home)))


@contextmanager
def shown_while(doing: str, opening: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Open it, and show on a terminal what is being done."""
    with ExitStack() as stack:
        yield _shown(stack, opening, doing)


def _shown(
    stack: ExitStack, opening: Callable[[], AbstractContextManager[T]], doing: str = "打开账本 Opening the ledger…"
) -> T:
    """Open it, and show on a terminal that something happens: a local chain that is to be started takes seconds."""
    # Nobody watches a pipe, and the thread that turns the wheel is one that the system may refuse.
    with stderr.status(doing) if stderr.is_terminal else nullcontext():
        return stack.enter_context(opening())


def configure_logging() -> None:
    """JSON lines on standard error, from ``$PINGZHENG_LOG`` (default: warning) up."""
    level = logging.getLevelNamesMapping().get(os.environ.get(LOG, "WARNING").upper(), logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for at each line: whoever redirected standard error before may have closed that.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
