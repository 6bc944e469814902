"""A journal is cut off at every byte of its last line, and a journal is changed at every byte.

An act whose last line is incomplete was never acknowledged: the incomplete line is removed and reported. Any other
damage is refused with the number of its line, and the file is not changed.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.local import node as node_module
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.local.node_programs import find_node
from tests.support.machine.fault_counts import Tally

ACTS = 6
JOURNAL_PROGRAM = Path(node_module.__file__).with_name("journal.mjs")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the journal of a small chain."""
    folder = tmp_path_factory.mktemp("torn")
    with LocalNode(folder, program=JOURNAL, chain_id=4409) as node:
        for number in range(1, ACTS + 1):
            node.rpc("hardhat_setBalance", f"0x{number:040x}", hex(number))
    return folder / "journal.jsonl"


def test_a_journal_cut_or_changed_at_any_byte_is_repaired_or_refused(
    journal: Path, tmp_path: Path, tally: Tally
) -> None:
    command = [str(find_node()), str(Path(__file__).with_name("torn.mjs")), str(JOURNAL_PROGRAM), str(journal)]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for number, (what, *answer) in enumerate(report["results"]):
        _judge(tally, f"{what} {number}", what, report, *answer)
    counts = Counter(what for what, *_ in report["results"])
    assert counts["torn"] == report["whole"] - report["last"] and counts["flipped"] == report["whole"]


def _judge(
    tally: Tally, fault: str, what: str, report: dict[str, Any], said: list[str], records: int, size: int, goes_on: bool
) -> None:
    whole, last, lines = report["whole"], report["last"], report["lines"]
    if what in ("torn", "zeros"):
        # If all lines are read, the last line lacked only its line break, and counts as complete.
        kept = lines if records == lines else lines - 1
        if size == last and records == lines - 1 and not said:
            tally.harmless(fault, said)  # the cut is between two lines
        else:
            tally.noticed(fault, said, [f"repaired at line {lines}"])
        if records != kept or not goes_on:
            tally.lost.append(f"{fault}: {records} of {kept} records, goes on: {goes_on}")
        return
    if said and said[0].startswith("repaired"):
        # Only the last line break was changed, so no earlier line is affected.
        tally.noticed(fault, said, [f"repaired at line {lines}"])
        return
    tally.noticed(fault, [each.partition(" at ")[0] for each in said], ["JOURNAL_DAMAGED"])
    if what == "flipped" and size != whole:
        tally.lost.append(f"{fault}: a damaged file was written to")


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_a_node_starts_although_the_journals_last_line_is_incomplete(
    journal: Path, tmp_path: Path, tally: Tally, kept: float
) -> None:
    """The node keeps all complete acts, reports the incomplete line that it removed, and accepts the next act."""
    raw = journal.read_bytes()
    last = raw.rindex(b"\n", 0, -1) + 1
    end = last + 1 + int(kept * (len(raw) - last - 3))
    (tmp_path / "journal.jsonl").write_bytes(raw[:end])
    with LocalNode(tmp_path, program=JOURNAL, chain_id=4409) as node:
        tally.noticed(f"torn after {end - last} bytes", [] if node.repaired is None else ["repaired"], ["repaired"])
        node.rpc("hardhat_setBalance", f"0x{ACTS:040x}", hex(77))
        balances = {number: int(node.rpc("eth_getBalance", f"0x{number:040x}", "latest"), 16) for number in (1, 5, 6)}
    tally.acknowledged += [f"balance {number}" for number in range(1, ACTS)]
    assert balances == {1: 1, 5: 5, 6: 77}
