"""Runs small demonstrations that are interrupted or killed at a chosen point.

``python -m tests.demo.small_runs <folder> <step> …``
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ledger.certificates.tables import Certificate, Presentation
from ledger.chain.rpc.connection import Connection
from ledger.demo.opening import open_pilot
from ledger.demo.pilot import Size, run_pilot
from ledger.demo.stages import Run
from ledger.index.tables import EVENTS
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger
from ledger.parties.tables import Party
from ledger.registration.tables import Registration
from ledger.store.database import Database
from ledger.store.tables import Entry

# A request, or the certificate that is issued for it, can end in several ways. With 42 firms, the scenario with the
# most ways has a request that ends in each of them. The other 24 subjects are persons, for four other scenarios.
SMALL = Size(66, firms=42, data_sets=14)
SENT, WRITTEN = "the node has a transaction", "a change is in the database"
# The number of these events differs between runs, because it depends on when a run was interrupted.
_BY_CHANCE = ("Anchored",)


@contextmanager
def replaced(owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Replace a method with a wrapper during the block."""
    original = getattr(owner, name)
    setattr(owner, name, wrap(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


class Points:
    """Observes a run. At each point it calls ``strike`` with the name of the step, the kind of point (the beginning of
    the step, a transaction or a database change), and the point's number among the points of this kind in the step.
    """

    def __init__(self, strike: Callable[[str, str, int], None]) -> None:
        self._strike = strike
        self._step = "opening"
        self._happened: Counter[str] = Counter()

    def reached(self, step: str) -> None:
        """Record that the step with this name begins. After the last step, the name is empty."""
        self._step = step
        self._happened.clear()
        self._strike(step, "before", 0)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Report every transaction that the node accepts, and every change that is committed."""
        with replaced(Connection, "send_raw", self._after), replaced(Database, "write", self._written):
            yield

    def _after(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def sent(*arguments: Any, **named: Any) -> Any:
            answer = send(*arguments, **named)
            self._happens(SENT)
            return answer

        return sent

    def _written(self, write: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def written(*arguments: Any, **named: Any) -> Iterator[Any]:
            with write(*arguments, **named) as session:
                yield session
            self._happens(WRITTEN)

        return written

    def _happens(self, what: str) -> None:
        self._happened[what] += 1
        self._strike(self._step, what, self._happened[what])


def run_small(ledger: Ledger, out: Path, points: Points) -> Run:
    """Run the small demonstration. If an earlier run was interrupted, the acts of that run are not repeated."""
    with points.watched():
        return run_pilot(ledger, out, lambda _name, _total: lambda _count: None, SMALL, points.reached)


def reported(run: Run) -> dict[str, Any]:
    """Return the report of a run, without the parts that always differ between runs: ids, times, gas, and the list of
    what earlier runs had done.
    """
    summary = run.to_dict()
    return {
        "counts": summary["counts"],
        "stages": [(stage["name"], stage["count"]) for stage in summary["stages"]],
        "scenarios": [
            {name: value for name, value in scenario.items() if "gas" not in name and name != "milliseconds"}
            for scenario in summary["scenarios"]
        ],
        "unhappy": summary["unhappy"],
        "duplicates": summary["duplicates"],
        "transfer": [event["name"] for event in summary["transfer"]["events"]],
        "powers": [summary["powers"][name]["proposal"]["state"] for name in ("recovery", "veto")],
        "as_expected": run.as_expected,
    }


def kept(ledger: Ledger) -> dict[str, Any]:
    """Return how many entries, events, certificates and presentations of each kind the ledger and its chain have."""
    ledger.follower.sync()
    ended = Presentation.result.not_in(("pending", "lapsed"))
    with ledger.database.read() as session:

        def counted(column: Any, *conditions: Any) -> dict[str, int]:
            query = select(column, func.count()).where(*conditions).group_by(column)
            return {str(kind): number for kind, number in session.execute(query)}

        return {
            "entries": counted(Entry.type),
            "events": counted(EVENTS.c.name, EVENTS.c.name.not_in(_BY_CHANCE)),
            "certificates": counted(Certificate.scenario),
            "presentations": counted(Presentation.result, ended),
            "parties": counted(Party.kind),
            "registrations": counted(Registration.resource_code),
        }


def main(folder: Path, step: str, what: str, time: int) -> None:
    """Run the demonstration until the given point, and kill this process there."""

    def strike(*point: Any) -> None:
        if point == (step, what, time):
            os.kill(os.getpid(), signal.SIGKILL)

    points = Points(strike)
    with points.watched(), open_pilot(Settings(home=folder / "var")) as ledger:
        run_small(ledger, folder / "out", points)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
