"""A process is killed (SIGKILL) in every phase, from issue to backup. Acknowledged acts are not lost, and other acts
can be repeated.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from tests.faults.acknowledged import Acts
from tests.faults.killed_acts import ACTS, run
from tests.faults.prepared_homes import Prepared, copied, opened
from tests.support.machine.fault_counts import Tally

SEND: Final = "ledger.chain.sending.client:ChainClient.send"
RAW: Final = "ledger.chain.rpc.connection:Connection.send_raw"
# The points at which a process is killed: the function, before or after it, and at which of its calls. At the second
# call, the first act is already acknowledged.
POINTS: Final[dict[str, list[tuple[str, str, int]]]] = {
    "issue": [
        ("ledger.store.log:append_numbered", "after", 2),
        ("ledger.usage.issuing.issuance:Issuance.issue", "after", 2),
        ("ledger.store.log:close_batch", "after", 2),
        ("ledger.log.coherence:Coherence.require", "after", 2),
        ("ledger.installation.recovery.archiving:Archiving.__call__", "after", 2),
        (SEND, "before", 2),
        (RAW, "after", 2),
        (SEND, "after", 2),
        ("ledger.log.anchoring:Anchoring.flush", "after", 2),
    ],
    "revoke": [(SEND, "before", 2), (RAW, "after", 2), (SEND, "after", 2)],
    "erase": [
        ("ledger.installation.recovery.archiving:Archiving.record_erasure", "after", 2),
        ("ledger.store.sealing:Sealer.erase", "after", 2),
        ("ledger.installation.recovery.archiving:Archiving.erase", "before", 2),
        ("ledger.store.database:Database.scrub", "before", 2),
    ],
    "rotate": [
        ("ledger.privacy.key_providers:write_private", "before", 1),
        ("ledger.privacy.key_providers:write_private", "after", 1),
        ("ledger.store.sealing:Sealer.rewrap", "after", 1),
        ("ledger.store.database:Database.scrub", "before", 1),
    ],
    "propose": [(RAW, "before", 1), (RAW, "after", 1), (RAW, "after", 2), (RAW, "after", 3)],
    "back": [
        ("ledger.installation.recovery.backup:_copy_data", "after", 1),
        ("ledger.installation.recovery.backup:_copy_keys", "after", 1),
        ("ledger.installation.recovery.manifests:Manifest.write", "after", 1),
        ("ledger.installation.recovery.backup:sync_folder", "before", 1),
    ],
}
CASES: Final = [(act, point) for act, points in POINTS.items() for point in points]


@pytest.mark.parametrize(
    "act, point", CASES, ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value))
)
def test_an_act_whose_process_was_killed_can_be_repeated_and_no_act_is_lost(
    prepared: Prepared, tmp_path: Path, acts: Acts, tally: Tally, act: str, point: tuple[str, str, int]
) -> None:
    home = copied(prepared.late, tmp_path / "home")
    plan = {"home": str(home), "act": act, "arguments": _arguments(act, prepared, tmp_path / "first"), "point": point}
    reported = _killed(plan)
    again = plan | {"arguments": _arguments(act, prepared, tmp_path / "second")}
    with opened(home) as ledger:
        try:
            ACTS[act](ledger, reported.append, *again["arguments"])
            said: list[str] = []
        except PingzhengError as error:
            said = [error.code]
        tally.harmless(f"killed {point[1]} {point[0].rpartition(':')[2]}, call {point[2]}: {act}", said)
        _look(ledger, acts, reported)


def _arguments(act: str, prepared: Prepared, folder: Path) -> Sequence[str]:
    if act == "back":
        folder.mkdir()
    several: dict[str, Sequence[str]] = {
        "issue": prepared.waiting()[:2],
        "revoke": prepared.numbers[2:4],
        "erase": prepared.numbers[4:6],
        "propose": ("S01", "S02"),
        "back": (str(folder),),
    }
    return several.get(act, ())


def _killed(plan: dict[str, Any]) -> list[str]:
    """Run the plan in a child process that must be killed; return the acts that it acknowledged before the kill."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # The child reports through a pipe, because pytest captures standard output.
            with os.fdopen(writing, "w") as lines:
                run(plan, lambda line: print(line, file=lines, flush=True))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        reported = lines.read().split("\n")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"{plan['point']} was not reached"
    return [line for line in reported if line]


def _look(ledger: Ledger, acts: Acts, reported: Sequence[str]) -> None:
    """Check the results of all acts that the killed child or the process after it acknowledged."""
    erased = set[str]()
    for what, *names in map(str.split, reported):
        if what == "issued":
            acts.add(*names)
        elif what == "revoked":
            acts.ended(*names)
        else:
            acts.tally.acknowledged.append(" ".join((what, *names)))
        if what == "erased":
            erased |= {*names}
        elif what == "accredited":
            number = ledger.reader.party_no(ledger.installation.operator)
            assert all(ledger.reader.accreditation(number, scenario)[1] for scenario in names)
        elif what == "rotated":
            assert ledger.key_rotation.status().outdated == 0
    acts.gone(ledger, erased)
    acts.check(ledger)
