"""Processes that have only few file descriptors, a limit of file size or memory, or an odd clock, time zone
or locale.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import Prepared, opened
from tests.support.machine.children import forked
from tests.support.machine.command_line import Answer, cli, command, ended, program
from tests.support.machine.fault_counts import Tally

MEGABYTE = 1024 * 1024
FILES = ["TOO_MANY_FILES", "FILE_REFUSED", "DATABASE_UNREACHABLE", "NODE_START_FAILED", "CHAIN_UNREACHABLE"]
SIZE = [
    "DISK_FULL",
    "JOURNAL_UNWRITABLE",
    "CHAIN_UNREACHABLE",
    "DATABASE_UNREACHABLE",
    "TRANSACTION_UNCONFIRMED",
    "NODE_START_FAILED",
]
MEMORY = ["NODE_START_FAILED", "MEMORY_SHORT", "CHAIN_UNREACHABLE"]


def limited(home: Path, request: str, limit: int, value: int) -> Answer:
    """Issue a certificate in a process in which the resource ``limit`` is limited to ``value``."""

    def issue() -> list[Any]:
        resource.setrlimit(limit, (value, value))
        answer = cli(home, "certificate", "issue", request)
        return [answer.exit_code, answer.printed, answer.text]

    return Answer(*forked(issue).result())


# The limit is set only after the modules are loaded, because the memory that loading needs differs between machines.
LOADED: Final = """
import resource, sys
import ledger.cli.certificates.certificates, ledger.installation.wiring, api.app
from ledger.cli.program import run
with open("/proc/self/statm") as pages:
    loaded = int(pages.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (loaded + {more},) * 2)
run()
"""


def with_memory(home: Path, request: str, more: int) -> Answer:
    """Issue a certificate in a process that may use ``more`` bytes of memory beyond what it uses after loading its
    modules.

    The process is new, because a forked process would already use more memory.
    """
    interpreter, option, _, *arguments = command(home, "certificate", "issue", request)
    return ended([interpreter, option, LOADED.format(more=more), *arguments], home)


def until_done(
    tally: Tally,
    acts: Acts,
    home: Path,
    request: str,
    values: Iterable[int],
    attempt: Callable[[int], Answer],
    expected: list[str],
) -> None:
    """Repeat the act with a growing limit until it succeeds. Every earlier attempt must be refused with an expected
    code.
    """
    for value in values:
        answer = attempt(value)
        if answer.exit_code == 0:
            acts.add(request, answer.printed["certificate_no"])
            break
        tally.noticed(f"a limit of {value}", [answer.code or "DONE"], expected)
    with opened(home) as ledger:
        acts.issue(ledger, request)
        acts.check(ledger)


def test_a_process_without_free_file_descriptors_reports_this_and_loses_nothing(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    # The limit bounds the numbers of file descriptors, not how many are open. Therefore each attempt gets as its limit
    # the number of a free descriptor: the first attempt may open two files, the next one three.
    used = {int(each.name) for each in Path("/proc/self/fd").iterdir()}
    limits = list(islice((number for number in count() if number not in used), 2, 60))
    request = prepared.waiting()[0]
    attempt = partial(limited, late, request, resource.RLIMIT_NOFILE)
    until_done(tally, acts, late, request, limits, attempt, FILES)


def test_a_process_that_reaches_the_file_size_limit_reports_this(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """The write that reaches the limit is stored only up to the limit, which may be at any byte. When the node writes
    again, the system kills it.
    """
    request, size = prepared.waiting()[0], (late / "chain" / "journal.jsonl").stat().st_size
    attempt = partial(limited, late, request, resource.RLIMIT_FSIZE)
    until_done(tally, acts, late, request, range(size, size + 3000, 230), attempt, SIZE)


def test_a_process_without_free_memory_reports_this_and_loses_nothing(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    request = prepared.waiting()[0]
    attempt = partial(with_memory, late, request)
    until_done(tally, acts, late, request, [each * MEGABYTE for each in (4, 16, 64, 256, 1024)], attempt, MEMORY)


@pytest.mark.parametrize("back", [7_200, 86_400, 10 * 365 * 86_400])
def test_a_clock_that_went_back_is_reported(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally, back: int
) -> None:
    request, now = prepared.waiting()[0], time.time

    def earlier() -> list[Any]:
        time.time = lambda: now() - back
        answers = [cli(late, "certificate", "issue", request), cli(late, "status")]
        return [answers[0].code or "ISSUED", *(each["code"] for each in answers[1].printed.values() if "code" in each)]

    tally.noticed(f"the clock went back by {back} seconds", forked(earlier).result(), ["CLOCK_WENT_BACK"])
    with opened(late) as ledger:
        acts.issue(ledger, request)
        acts.check(ledger)


def test_a_clock_that_went_back_by_seconds_is_harmless(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """A clock that is set over the network may be set back by seconds, so this must not stop the ledger."""
    request, now = prepared.waiting()[0], time.time
    with opened(late) as ledger:
        acts.issue(ledger, prepared.waiting()[1])

    def earlier() -> list[Any]:
        time.time = lambda: now() - 20
        answer = cli(late, "certificate", "issue", request)
        return [answer.exit_code, answer.printed, answer.text]

    answer = Answer(*forked(earlier).result())
    tally.harmless("the clock went back by 20 seconds", [] if answer.code is None else [answer.code])
    acts.add(request, answer.printed["certificate_no"])
    with opened(late) as ledger:
        acts.check(ledger)


PLACES = {
    "the last time zone on earth, in ASCII": {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"},
    "the first time zone on earth, without a language": {
        "TZ": "Etc/GMT+12",
        "LC_ALL": "POSIX",
        "LANG": "",
        "PYTHONCOERCECLOCALE": "0",
    },
    "a time zone that does not exist": {"TZ": "Nowhere/Land", "LC_ALL": "xx_XX.UTF-8"},
}


@pytest.mark.parametrize("place", PLACES)
def test_time_zone_and_locale_do_not_change_written_data(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally, place: str
) -> None:
    """The time zone and the locale of the machine do not change written data."""
    request = prepared.waiting()[0]
    answer = program(late, "certificate", "issue", request, **PLACES[place])
    tally.harmless(place, [] if answer.code is None else [answer.code])
    with opened(late) as ledger:
        if answer.exit_code == 0:
            acts.add(request, answer.printed["certificate_no"])
        acts.check(ledger)
