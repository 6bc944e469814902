"""Tests that a damaged journal is refused with the number of the damaged line, and is not changed. Only an incomplete
end, which a crash can cause, is cut off.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.local.node_output import Repair
from ledger.chain.local.node_programs import find_node
from ledger.chain.rpc.connection import Connection
from ledger.errors import Incoherent, Misconfigured
from tests.chain.local.journals import OWNER, blocks_of, journal_of, journaled, records_in, sealed
from tests.support.places import PROJECT

DAMAGED, DIFFERS, OTHER = "JOURNAL_DAMAGED", "JOURNAL_DIFFERS", "JOURNAL_OF_ANOTHER_CHAIN"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a journal with a header, an account that got money, and three blocks."""
    directory = tmp_path_factory.mktemp("good")
    with journaled(directory) as node:
        node.mine(3)
    return journal_of(directory).read_bytes()


@pytest.fixture(scope="module")
def outcomes(good: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / "good").write_bytes(good)
    program = [str(find_node()), str(Path(__file__).with_name("read_damaged.mjs"))]
    paths = [PROJECT / "ledger" / "chain" / "local" / "journal.mjs", directory / "good", directory / "journal.jsonl"]
    done = subprocess.run([*program, *map(str, paths)], capture_output=True, text=True, timeout=300, check=True)
    return dict(json.loads(done.stdout))


def test_every_changed_bit_of_a_journal_is_reported_with_the_number_of_the_line(
    good: bytes, outcomes: dict[str, Any]
) -> None:
    assert len(outcomes["flips"]) == 8 * len(good)
    for bit, outcome in enumerate(outcomes["flips"]):
        line = good[: bit // 8].count(b"\n") + 1
        assert outcome == {"code": DAMAGED, "line": line, "isUntouched": True}, bit


def test_a_cut_journal_is_read_to_its_last_complete_line(good: bytes, outcomes: dict[str, Any]) -> None:
    assert len(outcomes["beginnings"]) == len(good) + 1
    header = good.index(b"\n")
    for size, outcome in enumerate(outcomes["beginnings"]):
        kept = good[:size].rpartition(b"\n")[0] + b"\n"
        if 0 < size < header:
            assert outcome == {"code": DAMAGED, "line": 1, "isUntouched": True}
        elif good[size : size + 1] == b"\n":
            line = kept.count(b"\n") + (size > header)
            repair = {"line": line, "bytes": 0, "reason": "without its line break"}
            assert outcome == {"records": line, "repairs": [repair], "size": size + 1}
        elif size == 0 or good[size - 1 : size] == b"\n":
            assert outcome == {"records": good[:size].count(b"\n"), "repairs": [], "size": size}
        else:
            lines = kept.count(b"\n")
            repair = {"line": lines + 1, "bytes": size - len(kept), "reason": "torn"}
            assert outcome == {"records": lines, "repairs": [repair], "size": len(kept)}


def lines_of(raw: bytes) -> list[bytes]:
    return raw.splitlines(keepends=True)


def without_line(raw: bytes) -> bytes:
    lines = lines_of(raw)
    return b"".join(lines[:2] + lines[3:])


def without_header(raw: bytes) -> bytes:
    return b"".join(lines_of(raw)[1:])


def last_line_twice(raw: bytes) -> bytes:
    return raw + lines_of(raw)[-1]


def lines_swapped(raw: bytes) -> bytes:
    lines = lines_of(raw)
    return b"".join([*lines[:2], lines[3], lines[2], *lines[4:]])


def hole(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes(40) + raw[middle + 40 :]


def blank_line(raw: bytes) -> bytes:
    return raw + b"\n"


def line_of_another(raw: bytes) -> bytes:
    """Return the journal ``raw``, with its header replaced by the header of another chain that has the same
    settings.
    """
    return sealed([{**records_in(raw)[0], "id": "0" * 16}]) + b"".join(lines_of(raw)[1:])


def other_blocks(raw: bytes) -> bytes:
    """Return a journal with correct checksums whose calls no longer give the recorded blocks, as if a new version of
    the program handled the calls differently.
    """
    header, fund, *others = records_in(raw)
    return sealed([header, {**fund, "params": [OWNER, "0x1"]}, *others])


def refused_in_the_middle(raw: bytes) -> bytes:
    records = records_in(raw)
    return sealed([*records[:3], {**records[3], "method": "eth_sendRawTransaction", "params": ["0x00"]}, *records[3:]])


def other_setting(name: str, value: object) -> Callable[[bytes], bytes]:
    def changed(raw: bytes) -> bytes:
        header, *others = records_in(raw)
        return sealed([{**header, name: value}, *others])

    return changed


CASES: dict[str, tuple[Callable[[bytes], bytes], str, int]] = {
    "a line is missing": (without_line, DAMAGED, 3),
    "the header is missing": (without_header, DAMAGED, 1),
    "a line is there twice": (last_line_twice, DAMAGED, 6),
    "lines are swapped": (lines_swapped, DAMAGED, 3),
    "a hole": (hole, DAMAGED, 3),
    "a blank line": (blank_line, DAMAGED, 6),
    "the lines of another journal": (line_of_another, DAMAGED, 2),
    "a text": (lambda _: b"Dear colleague,\nthis is no journal.\n", DAMAGED, 1),
    "a text without a line break": (lambda _: b"no journal", DAMAGED, 1),
    "another program's JSON": (lambda _: b'{"name": "x"}\n', DAMAGED, 1),
    "other blocks": (other_blocks, DIFFERS, 4),
    "a refused change in the middle": (refused_in_the_middle, DIFFERS, 4),
    "another chain id": (other_setting("chain_id", 4408), OTHER, 1),
    "another gas limit": (other_setting("gas_limit", 1), OTHER, 1),
    "a later format": (other_setting("journal", 3), OTHER, 1),
}


@pytest.mark.parametrize(("damage", "code", "line"), CASES.values(), ids=CASES)
def test_damage_that_no_crash_can_cause_is_reported_with_the_number_of_the_line(
    good: bytes, tmp_path: Path, damage: Callable[[bytes], bytes], code: str, line: int
) -> None:
    raw = damage(good)
    journal_of(tmp_path).write_bytes(raw)
    with pytest.raises(Misconfigured) as caught:
        journaled(tmp_path).start()
    assert (caught.value.code, caught.value.details["line"]) == (code, line)
    assert caught.value.hint
    assert journal_of(tmp_path).read_bytes() == raw


def test_the_checksum_of_each_journal_line_covers_that_line_and_all_lines_before_it(good: bytes) -> None:
    assert sealed(records_in(good)) == good


def test_a_missing_journal_is_not_replaced_by_a_new_journal(good: bytes, tmp_path: Path) -> None:
    """A node creates a journal only in its first run with ``create``. It creates none if a folder has the journal's
    name.
    """
    expecting = LocalNode(tmp_path / "lost", program=JOURNAL, chain_id=4409, create=False)
    with pytest.raises(Misconfigured, match="JOURNAL_MISSING"):
        expecting.start()
    assert not journal_of(tmp_path / "lost").exists()
    with journaled(tmp_path / "ran") as node:
        pass
    journal_of(tmp_path / "ran").write_bytes(b"")
    with pytest.raises(Misconfigured, match="JOURNAL_MISSING"):
        node.start()
    journal_of(tmp_path / "folder").mkdir(parents=True)
    with pytest.raises(Misconfigured, match=DAMAGED):
        journaled(tmp_path / "folder").start()


def test_an_incomplete_last_line_of_a_journal_is_cut_off_and_reported(good: bytes, tmp_path: Path) -> None:
    torn = lines_of(good)[-1][:-9]
    journal_of(tmp_path).write_bytes(good + torn)
    with journaled(tmp_path) as node:
        assert node.repaired == Repair(line=6, bytes=len(torn), reason="torn")
        assert journal_of(tmp_path).read_bytes() == good
        node.mine()
        longer = blocks_of(node)
    with node:
        assert (node.repaired, blocks_of(node)) == (None, longer)


def test_zero_bytes_at_the_end_of_a_journal_after_a_power_cut_are_cut_off(good: bytes, tmp_path: Path) -> None:
    journal_of(tmp_path).write_bytes(good + bytes(700))
    with journaled(tmp_path) as node:
        assert node.repaired == Repair(line=6, bytes=700, reason="torn")
    assert journal_of(tmp_path).read_bytes() == good


def test_the_last_change_of_a_journal_is_removed_at_the_next_start_if_the_chain_refused_it(
    good: bytes, tmp_path: Path
) -> None:
    """A process wrote a change to the journal, and the chain refused this change. The process ended before it could
    remove the change's line again.
    """
    with journaled(tmp_path) as node:
        tip = node.rpc("eth_getBlockByNumber", "latest", False)["hash"]
    records = records_in(journal_of(tmp_path).read_bytes())
    time = records_in(good)[-1]["time"]
    refused = {"after": tip, "method": "eth_sendRawTransaction", "params": ["0x00"], "time": time}
    whole = sealed(records)
    journal_of(tmp_path).write_bytes(sealed([*records, refused]))
    with node:
        assert node.repaired == Repair(line=len(records) + 1, bytes=0, reason="refused")
    assert journal_of(tmp_path).read_bytes() == whole


def test_an_old_journal_without_checksums_is_rewritten_with_checksums(good: bytes, tmp_path: Path) -> None:
    header, *changes = records_in(good)
    old = "".join(
        json.dumps({name: change[name] for name in ("method", "params", "time")}) + "\n" for change in changes
    )
    journal_of(tmp_path).write_text(old + '{"method":"evm_mi')
    with journaled(tmp_path) as node:
        assert node.repaired == Repair(line=5, bytes=17, reason="torn")
        blocks = blocks_of(node)
        node.mine()
    new = records_in(journal_of(tmp_path).read_bytes())
    assert [{**record, "id": header["id"]} for record in new[:1]] == [header]
    assert new[1:5] == changes
    with journaled(tmp_path) as node:
        assert blocks_of(node)[:-1] == blocks
    journal_of(tmp_path).write_text(old.replace('"evm_mine"', '"evm_mine', 1))
    with pytest.raises(Misconfigured, match=DAMAGED):
        journaled(tmp_path).start()


def test_nothing_is_written_to_a_journal_that_was_replaced_while_the_chain_runs(good: bytes, tmp_path: Path) -> None:
    directory = tmp_path / "chain"
    with journaled(directory) as node:
        before = blocks_of(node)
        aside = tmp_path / "aside"
        for change in (lambda: journal_of(directory).rename(aside), lambda: shutil.copy(aside, journal_of(directory))):
            change()
            with pytest.raises(Incoherent, match="JOURNAL_CHANGED"):
                node.mine()
            assert Connection(node.url).blocks(range(len(before))) == before
        aside.rename(journal_of(directory))
        node.mine()
        journal_of(directory).write_bytes(good)
        with pytest.raises(Incoherent, match="JOURNAL_CHANGED"):
            node.mine()
