"""Measures the project on a node that the project does not start itself, and then replays the same transactions.

In a replay the signed transactions are sent again without the project, so the replay takes the time of the node alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.measuring.measure import Measured
from bench.own.assets import ASSET, ONBOARD, onboard, register
from bench.own.cast import BANK, DEPARTMENT, HOLDER, REGISTRAR, assemble, new_ledger
from bench.own.preparing import Preparing
from bench.own.sets import scene_of
from bench.peers.nodes import Node
from bench.stages import Stages, measure, new_measurements, sums
from ledger.chain.rpc.connection import Connection
from ledger.domain.powers import MIN_DELAY
from ledger.installation.wiring import Ledger
from ledger.proof.suites.suite import ES256K

REPLAY: Final = "only the node, with the same transactions"
_HOUR: Final = 3_600
# A replay sends the transactions faster than the measured run did, so less time passes between two moves of the clock.
# Each move is therefore this many seconds longer. Otherwise a transaction could come before its waiting period ends.
_LATER_SECONDS: Final = 120
_LOOKS: Final = 5_000
_PAUSE_SECONDS: Final = 0.001
Say = Callable[[str], None]


@dataclass
class Tape:
    """The transactions of one measured act, as they were sent, and a snapshot of the node before them."""

    name: str
    count: int
    snapshot: str
    raw: list[bytes] = field(default_factory=list)
    # For each time that the clock was moved forward: after how many transactions (the key), and by how many seconds
    # (the value).
    moved: dict[int, int] = field(default_factory=dict)


class Outside:
    """A node whose clock the benchmark moves, and the recorded transactions (tapes) that were sent to this node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ahead = 0
        self._tapes: list[Tape] = []

    def clock(self) -> int:
        """Return the time of node and ledger, in seconds UTC."""
        return int(time.time()) + self._ahead

    def skip(self, seconds: int) -> None:
        """Move the clocks of ledger and node forward."""
        self._ahead += seconds
        if self._tapes:
            tape = self._tapes[-1]
            tape.moved[len(tape.raw)] = seconds
        self._node.ask("evm_increaseTime", seconds)
        self._node.ask("evm_mine")

    @contextmanager
    def taping(self, name: str, count: int) -> Iterator[None]:
        """Record every transaction that this process sends until the end of the block."""
        tape = Tape(name, count, str(self._node.ask("evm_snapshot")))
        self._tapes.append(tape)
        original = Connection.send_raw

        def send_raw(connection: Connection, transaction: bytes) -> str:
            tape.raw.append(transaction)
            return original(connection, transaction)

        Connection.send_raw = send_raw  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            Connection.send_raw = original  # type: ignore[method-assign]

    def replay(self) -> Iterator[Measured]:
        """For each act, the last act first, return the node to its state before the act, and send the transactions
        again.

        The caller must close the ledger first, because the ledger's chain returns to an earlier state.
        """
        while self._tapes:
            tape = self._tapes.pop()
            self._node.ask("evm_revert", tape.snapshot)
            measured = Measured(f"{tape.name}: {REPLAY}", self._node.name, tape.count, tape.count)
            for place, raw in enumerate(tape.raw):
                if place in tape.moved:
                    self.skip(tape.moved[place] + _LATER_SECONDS)
                with measured.timed():
                    sent = self._node.ask("eth_sendRawTransaction", "0x" + raw.hex())
                    receipt = self._receipt(sent)
                if receipt is None or int(receipt["status"], 16) != 1:
                    raise RuntimeError(f"transaction {place} of {tape.name!r} failed when it was sent again")
                measured.gas += int(receipt["gasUsed"], 16)
            yield measured

    def _receipt(self, sent: str) -> dict[str, Any] | None:
        """Return the receipt of a transaction. Wait for it, because anvil answers a moment before the block exists."""
        for _ in range(_LOOKS):
            if found := self._node.ask("eth_getTransactionReceipt", sent):
                return dict(found)
            time.sleep(_PAUSE_SECONDS)
        return None


def measure_outside(
    node: Node, home: Path, preparing: Preparing, parties: int, certificates: int, assets: int, say: Say
) -> list[Measured]:
    """Measure onboarding, certificates and assets on ``node``, then the replay of onboarding and assets."""
    outside, found = Outside(node), list[Measured]()
    with new_ledger(home, node, outside.clock) as ledger:
        cast = assemble(ledger, (BANK, DEPARTMENT, REGISTRAR, HOLDER))
        _begin_offices(ledger, outside)
        newcomers = preparing.subjects(ledger.reader.chain, 1, parties, ES256K.alg)
        say(f"{parties:,} parties on {node.name}")
        with outside.taping(ONBOARD, parties):
            measured, ids = onboard(ledger, newcomers, node.name, parties)
        found.append(measured)
        say(f"{certificates:,} certificates on {node.name}")
        stage = new_measurements(node.name, certificates)
        items = preparing.statements(scene_of(ledger, cast, ids, 1), 0, certificates)
        measure(Stages(ledger), items, stage)
        found += sums(stage)
        say(f"{assets:,} assets on {node.name}")
        with outside.taping(ASSET, assets):
            found += register(ledger, cast, assets, node.name, outside.skip)
    return [*found, *outside.replay()]


def _begin_offices(ledger: Ledger, outside: Outside) -> None:
    """Carry out the proposal that gives the registrar its role. On this node the proposal waits for a day."""
    outside.skip(MIN_DELAY + _HOUR)
    for row in ledger.proposals.pending():
        ledger.proposals.carry_out(row.no)
    ledger.proposals.follow_up()
