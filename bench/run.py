"""One whole run measures the floor, the compared products (the peers) on each node, and this project, one after the
other on the same machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.measuring.floor import floor
from bench.measuring.machine import bytes_in, load, machine, memory_mb
from bench.measuring.measure import Measured
from bench.own.assets import onboard, register
from bench.own.cast import BANK, DEPARTMENT, HOLDER, REGISTRAR, assemble, new_ledger
from bench.own.growth import Growth
from bench.own.outside import measure_outside
from bench.own.preparing import Preparing, preparing
from bench.own.proving import erase_one, rebuild_index, verify_some
from bench.own.sets import SUITES, count_stages, measure_sets, measure_suite, scene_of
from bench.own.statements import Scene
from bench.peers import packages
from bench.peers.nodes import ANVIL, DURABILITY, EMBEDDED, GANACHE, running
from bench.peers.run import TOKENS, measure_peers
from ledger import __version__
from ledger.installation.local_chain import LocalClock
from ledger.installation.wiring import Ledger
from ledger.proof.suites.suite import ES256K

FORMAT: Final = "pingzheng-bench/1"
NODES: Final = (ANVIL, EMBEDDED, GANACHE)
OWN_DURABILITY: Final = (
    "database: SQLite, synchronous=FULL, each set on disk before it is acknowledged; "
    "chain: each transaction in a journal on disk (fsync) before it is answered"
)
Say = Callable[[str], None]
Tell = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a run measures. ``seconds`` is the time for each act of a compared product, and ``nodes`` are the nodes
    on which the compared products run.

    ``outside`` has the nodes that the project does not start itself, each with the numbers of parties and of assets to
    make on it.
    """

    size: int
    subjects: int
    assets: int
    outside: Mapping[str, int]
    verified: int
    seconds: float = 1.5
    nodes: tuple[str, ...] = NODES
    tokens: int = TOKENS
    suites: tuple[str, ...] = tuple(SUITES)

    @classmethod
    def of(cls, size: int) -> Plan:
        """Return the plan for a number of certificates. The numbers of all other items have upper limits."""
        verified = min(1_000, max(1, size // 10))
        outside = {ANVIL: min(size, 200), GANACHE: min(size, 50)}
        return cls(size, min(size, 1_000 if size < 100_000 else 10_000), min(size, 1_000), outside, verified)


class Run:
    """Collects the results of a run. ``say`` is called when a part begins, and ``tell`` with the progress of the long
    run.
    """

    def __init__(self, plan: Plan, say: Say, tell: Tell) -> None:
        self._plan = plan
        self._say = say
        self._tell = tell
        self._measured: list[Measured] = []
        self._found: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Measure everything, and return the results as JSON."""
        begun, before = time.time(), load()
        with tempfile.TemporaryDirectory(prefix="pingzheng-bench-") as name, preparing() as prepared:
            folder = Path(name)
            self._found["machine"] = machine(folder)
            if packages.installed():
                self._found["packages"] = packages.versions()
                self._peers(folder)
            self._own(folder / "home", folder, prepared)
            if packages.installed():
                self._outside(folder, prepared)
        return {
            "format": FORMAT,
            "version": __version__,
            "at": time.strftime("%Y-%m-%d", time.gmtime(begun)),
            "seconds": round(time.time() - begun),
            "load_before": before,
            "size": self._plan.size,
            "subjects": self._plan.subjects,
            "durability": {**DURABILITY, "this project": OWN_DURABILITY},
            "measured": [each.to_dict() for each in self._measured],
            **self._found,
        }

    def _peers(self, folder: Path) -> None:
        for name in self._plan.nodes:
            place = folder / f"peers-{name}"
            self._measured += measure_peers(name, place, self._plan.seconds, self._say, self._plan.tokens)

    def _own(self, home: Path, folder: Path, prepared: Preparing) -> None:
        plan, say = self._plan, self._say
        with new_ledger(home) as ledger:
            cast = assemble(ledger, (BANK, DEPARTMENT, REGISTRAR, HOLDER))
            say(f"{plan.subjects:,} parties on {EMBEDDED}")
            newcomers = prepared.subjects(ledger.reader.chain, 1, plan.subjects, ES256K.alg)
            measured, ids = onboard(ledger, newcomers, EMBEDDED, min(1_000, plan.subjects))
            self._measured.append(measured)
            scene = scene_of(ledger, cast, ids, 1)
            say("the floor")
            self._found["floor"] = floor(folder, prepared.statements(scene, 0, 1)[0].asked.entry)
            say(f"{plan.size:,} certificates on {EMBEDDED}")
            growth = Growth(ledger, scene, prepared, EMBEDDED, plan.size)
            self._found["growth"] = growth.run(self._tell)
            self._found["beginning_us"] = growth.beginning_us
            self._found |= {"memory_mb": memory_mb(), "bytes": bytes_in(home)}
            self._measured += growth.whole
            self._measured += measure_sets(ledger, scene, prepared, EMBEDDED, plan.size, say)
            say("what the stages ask of database and node")
            self._found["counts"] = count_stages(ledger, scene, prepared, plan.size)
            for suite in plan.suites:
                say(f"certificates with keys of {suite}")
                self._measured += measure_suite(ledger, prepared, EMBEDDED, suite, plan.size)
            self._prove(ledger, scene, growth.numbers)
            say(f"{plan.assets:,} assets on {EMBEDDED}")
            clock = LocalClock(ledger.settings)
            self._measured += register(
                ledger, cast, plan.assets, EMBEDDED, lambda seconds: clock.skip(ledger.reader.connection, seconds)
            )

    def _prove(self, ledger: Ledger, scene: Scene, numbers: list[str]) -> None:
        self._say(f"verify {self._plan.verified:,} certificates, rebuild the index, erase one certificate")
        self._found["verified"] = verify_some(ledger, scene, numbers, self._plan.verified)
        self._found["index"] = rebuild_index(ledger)
        self._found["erased"] = erase_one(ledger, numbers[0])

    def _outside(self, folder: Path, prepared: Preparing) -> None:
        certificates = min(self._plan.size, 1_000)
        for name, amount in self._plan.outside.items():
            with running(name, folder / f"outside-{name}") as node:
                home = folder / f"home-{name}"
                self._measured += measure_outside(node, home, prepared, amount, certificates, amount, self._say)
