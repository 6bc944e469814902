"""Show which rooms (packages) of ledger/ three flows use, and find calls against the order of the rooms.

The flows run on a small real ledger: from a request to a verified use, from a registration to its certificate, and a
withdrawal. Each call from a function of one room to a function of another room is recorded, even if code of a library
is between the two. The import-linter contract in pyproject.toml gives the order of the rooms. A call *climbs* if the
called room is above the calling room or on its level. Imports cannot climb. So a climbing call is possible only if a
higher room has passed a function or an object to a lower room. HANDED_DOWN lists these functions, each with the reason.

Example:
    python scripts/flows.py    run the flows, print rooms and climbs, exit 1 if a climb has no reason
"""

from __future__ import annotations

import logging
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any, Final

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.consents import Consent
from tests.support.actors.pilots import Pilot, assembled
from tests.support.places import PROJECT

CONTRACT: Final = "One direction"
# Functions that a higher room passes to a lower room. Each key is a pattern of function names; its value says why the
# lower room calls these functions.
HANDED_DOWN: Final = {
    "*.<genexpr>": "a sequence that the room above computes while the room below reads it",
    "certificates.verification.*:*.announce": "the hash of a use's transaction is recorded before it is sent",
    "demo.actors:*": "the pilot's provider, which answers from memory in the place of a file or a database",
    "installation.*account_of": "a party's account, for rooms that act on the chain in its name",
    "installation.local_chain:LocalClock.__call__": "the clock: a room is given the time, it does not ask the machine",
    "installation.recovery.archiving:Archiving.__call__": "the archive gets each batch before its anchor is sent",
    "parties.register:Parties.identity": "the name of a subject, which the tests' provider knows from the register",
    "privacy.key_providers:*": "the keys that seal personal text, wherever the installation keeps them",
    "registration.certificates:*.<lambda>": "a certificate names its place in the log, which appending it decides",
    "rulebooks.templates:expecting": "the templates that a scenario allows; a verifier of bundles knows no books",
    "store.database:Database.require_writable": "nothing is sent to the chain while the database differs from it",
    "usage.lookups:texts_of": "a certificate's disclosures are sealed with its provisions, which only `usage` knows",
    "usage.issuing.issuance:*.<lambda>": "a certificate names its place in the log, which appending it decides",
}


@dataclass(frozen=True, slots=True)
class Climb:
    """A call from a room (a package of ledger/) to a room above it or on its level: the calling room, and the called
    function.
    """

    room: str
    target: str

    @property
    def pattern(self) -> str | None:
        """Return the pattern of HANDED_DOWN that matches the called function, or None."""
        return next((pattern for pattern in HANDED_DOWN if fnmatchcase(self.target, pattern)), None)

    def __str__(self) -> str:
        return f"{self.room} → {self.target}"


def levels() -> dict[str, int]:
    """Return the level of each room in the import-linter contract; the lowest room has the highest number."""
    linter = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in linter["contracts"] if each["name"] == CONTRACT)
    return {
        room.strip().removeprefix("ledger."): level for level, layer in enumerate(layers) for room in layer.split("|")
    }


@dataclass
class Recorder:
    """Records the rooms of a flow in the order of their first calls, the number of calls between rooms, and the climbs
    (calls to a room above or on the same level).
    """

    levels: Mapping[str, int] = field(default_factory=levels)
    rooms: list[str] = field(default_factory=list)
    calls: int = 0
    climbs: Counter[Climb] = field(default_factory=Counter)
    _known: dict[str, str | None] = field(default_factory=dict)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Until the end of the block, record the calls of this thread and of the threads that it starts."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call" or (room := self._room(frame.f_code)) is None:
            return
        caller = frame.f_back
        while caller is not None and self._room(caller.f_code) is None:
            caller = caller.f_back
        before = caller and self._room(caller.f_code)
        if before == room:
            return
        if room not in self.rooms:
            self.rooms.append(room)
        if before is not None:
            self.calls += 1
            if self.levels[room] <= self.levels[before]:
                self.climbs[Climb(before, _name(frame.f_code))] += 1

    def _room(self, code: CodeType) -> str | None:
        """Return the room of a function in ledger/; None for other functions, and for code that runs on import."""
        if code.co_name == "<module>":
            return None
        if code.co_filename not in self._known:
            path, ledger = Path(code.co_filename), PROJECT / "ledger"
            room = path.relative_to(ledger).parts[0].removesuffix(".py") if path.is_relative_to(ledger) else None
            self._known[code.co_filename] = room if room in self.levels else None
        return self._known[code.co_filename]


def _name(code: CodeType) -> str:
    module = Path(code.co_filename).relative_to(PROJECT / "ledger").with_suffix("")
    return f"{'.'.join(module.parts)}:{code.co_qualname}"


def use(pilot: Pilot) -> None:
    """Make a request, its authorization, the provision and the certificate; let the consumer use the certificate."""
    firm = pilot.firm()
    if not pilot.accept(firm, pilot.certificate(firm)).valid:
        raise SystemExit("the use was refused")


def registration(pilot: Pilot) -> None:
    """Apply for a registration, review and publish it, issue its certificate, and verify the certificate."""
    if not pilot.report(pilot.confirmed()).valid:
        raise SystemExit("the registration certificate was refused")


def withdrawal(pilot: Pilot) -> None:
    """Issue a usage certificate, and let its subject withdraw the authorization."""
    consent = Consent(pilot)
    consent.withdraw()
    if consent.report().valid:
        raise SystemExit("the certificate survived the withdrawal")


FLOWS: Final[dict[str, Callable[[Pilot], None]]] = {
    "a request to a verified use": use,
    "a registration to its certificate": registration,
    "a withdrawal": withdrawal,
}


def recorded(pilot: Pilot) -> dict[str, Recorder]:
    """Run each flow and return its recorder."""
    recorders = {}
    for name, flow in FLOWS.items():
        recorders[name] = Recorder()
        with recorders[name].recording():
            flow(pilot)
    return recorders


def main() -> int:
    """Run the flows, print them, and return the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with TemporaryDirectory(prefix="flows-") as folder, create_ledger(Settings(home=Path(folder), delay=0)) as ledger:
        recorders = recorded(assembled(ledger))
    unexplained = 0
    for name, flow in recorders.items():
        print(f"{name}: {' → '.join(flow.rooms)}")
        print(f"  {flow.calls} calls between rooms, {flow.climbs.total()} to a room above or on the same level:")
        for climb, times in sorted(flow.climbs.items(), key=str):
            unexplained += climb.pattern is None
            print(f"    {climb}, {times}×: {HANDED_DOWN[climb.pattern] if climb.pattern else 'WITHOUT A REASON'}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
