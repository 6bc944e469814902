"""A journal that ends in the middle of a line, at every byte, and one that was changed, at every byte.

What a crash left of a last line was never answered: it is cut off and reported. Anything else is refused by the number
of its line, and the file stays as it is.
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
    """The journal of a small chain."""
    folder = tmp_path_factory.mktemp("torn")
    with LocalNode(folder, program=JOURNAL, chain_id=4409) as node:
        for number in range(1, ACTS + 1):
            node.rpc("hardhat_setBalance", f"0x{number:040x}", hex(number))
    return folder / "journal.jsonl"


def test_every_byte_of_a_journal(journal: Path, tmp_path: Path, tally: Tally) -> None:
    command = [str(find_node()), str(Path(__file__).with_name("torn.mjs")), str(JOURNAL_PROGRAM), str(journal)]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for number, (what, *answer) in enumerate(told["results"]):
        _judge(tally, f"{what} {number}", what, told, *answer)
    counts = Counter(what for what, *_ in told["results"])
    assert counts["torn"] == told["whole"] - told["last"] and counts["flipped"] == told["whole"]


def _judge(
    tally: Tally, fault: str, what: str, told: dict[str, Any], said: list[str], records: int, size: int, goes_on: bool
) -> None:
    whole, last, lines = told["whole"], told["last"], told["lines"]
    if what in ("torn", "zeros"):
        # Without its line break alone a line is whole.
        kept = lines if records == lines else lines - 1
        if size == last and records == lines - 1 and not said:
            tally.harmless(fault, said)  # the cut is between two lines
        else:
            tally.noticed(fault, said, [f"repaired at line {lines}"])
        if records != kept or not goes_on:
            tally.lost.append(f"{fault}: {records} of {kept} records, goes on: {goes_on}")
        return
    if said and said[0].startswith("repaired"):
        # The very last line break became something else: no line before it is touched.
        tally.noticed(fault, said, [f"repaired at line {lines}"])
        return
    tally.noticed(fault, [each.partition(" at ")[0] for each in said], ["JOURNAL_DAMAGED"])
    if what == "flipped" and size != whole:
        tally.lost.append(f"{fault}: a damaged file was written to")


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_a_node_goes_on_after_a_torn_tail(journal: Path, tmp_path: Path, tally: Tally, kept: float) -> None:
    """The node itself: the whole acts are there, it says what it cut, and it takes the next act."""
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
