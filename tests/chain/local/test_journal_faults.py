"""Tests that every acknowledged change is in the journal, whichever disk call fails and whenever the
process is killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from eth_account import Account

from ledger.chain.local.node import LocalNode
from ledger.chain.rpc.connection import Block, Connection
from ledger.errors import PingzhengError, StorageFull
from tests.chain.local.journals import KEY, OWNER, blocks_of, journal_of, records_in
from tests.support.places import PROJECT

PRELOAD: Final = Path(__file__).with_name("journal_faults.mjs")
REVERTING: Final = bytes.fromhex("60006000fd")
GONE: Final = "CHAIN_UNREACHABLE"
REFUSED: Final = "NODE_REFUSED"
# For each act on a healthy chain: the error code of the answer (None if the act succeeds), and whether the act stays in
# the journal.
HEALTHY: Final = {"fund": (None, True), "nonsense": (REFUSED, False), "revert": (REFUSED, True), "mine": (None, True)}


def journaled(directory: Path) -> LocalNode:
    return LocalNode(directory, program="journal", chain_id=4409)


@dataclass
class Life:
    """The acts of HEALTHY, one after the other on one chain, with the error code of each answer."""

    node: LocalNode
    codes: dict[str, str | None] = field(default_factory=dict)
    blocks: list[Block | None] = field(default_factory=list)
    balance: int = 0

    def live(self) -> None:
        for name in HEALTHY:
            self.codes[name] = self.code_of(name)
            if self.codes[name] == GONE:
                return
            # The chain can still be read, even if the last act could not be written to the journal.
            self.blocks = blocks_of(self.node)
            self.balance = Connection(self.node.url).balance(OWNER)

    def code_of(self, name: str) -> str | None:
        try:
            getattr(self, name)()
        except PingzhengError as error:
            return error.code
        return None

    def fund(self) -> None:
        self.node.fund(OWNER)

    def nonsense(self) -> None:
        self.node.rpc("eth_sendRawTransaction", "0x00")

    def revert(self) -> None:
        """Send a transaction that reverts in its block. If the account has no money, the transaction is refused and
        gets no block.
        """
        fields = {"nonce": 0, "gas": 100_000, "gasPrice": 2 * 10**9, "value": 0, "data": REVERTING, "chainId": 4409}
        signed = Account.sign_transaction(fields, KEY)
        self.node.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())

    def mine(self) -> None:
        self.node.mine()

    def stayed(self) -> list[str]:
        """Return the acts that must be in the journal. The reverting transaction is missing if ``fund`` failed, because
        its account then has no money.
        """
        done = [name for name, code in self.codes.items() if (code, True) == HEALTHY[name]]
        return [name for name in done if name != "revert" or "fund" in done]


def lives(folder: Path, patch: pytest.MonkeyPatch, **fault: Any) -> Iterator[tuple[Life, str | None]]:
    """Let the fault happen at the first possible call, then at the second, and so on. For each of these calls, yield
    the acts' results and the error if the node failed to start.
    """
    for at in count(fault.pop("at", 1)):
        directory, fired = folder / str(at) / "chain", folder / f"fired-{at}"
        patch.setenv("NODE_OPTIONS", f"--import={PRELOAD.as_uri()}")
        patch.setenv("JOURNAL_FAULT", json.dumps({**fault, "at": at, "fired": str(fired)}))
        life, failed = Life(journaled(directory)), None
        try:
            life.node.start()
            life.live()
        except PingzhengError as error:
            failed = error.code
        life.node.stop()
        patch.delenv("NODE_OPTIONS")
        if not fired.exists():
            assert at > 3
            return
        yield life, failed


def test_a_kill_at_any_step_loses_no_acknowledged_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for life, failed in lives(tmp_path, monkeypatch, fault="kill"):
        assert failed in (None, "NODE_START_FAILED")
        *answered, last = [*life.codes.items(), ("", GONE)][: len(life.codes) or 1]
        assert (answered, last[1]) == ([(name, HEALTHY[name][0]) for name, _ in answered], GONE)
        with life.node as node:
            blocks = blocks_of(node)
            # The act that the kill interrupted may have been done, because its line may already have been on the disk
            # completely.
            assert blocks[: len(life.blocks)] == life.blocks
            assert len(blocks) - len(life.blocks) <= (last[0] in ("revert", "mine") or not life.blocks)
            assert Connection(node.url).balance(OWNER) > 0 or life.balance == 0


@pytest.mark.parametrize("fault", ["ENOSPC", "half ENOSPC"])
def test_a_full_disk_at_any_step_is_reported_and_leaves_no_partial_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    only = {"on": ["writeSync"], "times": 2} if fault.startswith("half") else {}
    for life, failed in lives(tmp_path, monkeypatch, fault=fault, **only):
        check_refused(life, failed, "DISK_FULL")


@pytest.mark.parametrize(
    ("fault", "call", "at", "code"),
    [
        ("EDQUOT", "fsyncSync", 4, "DISK_FULL"),
        ("EIO", "fsyncSync", 4, "JOURNAL_UNWRITABLE"),
        ("EIO", "writeSync", 3, "JOURNAL_UNWRITABLE"),
        ("nothing", "writeSync", 3, "JOURNAL_UNWRITABLE"),
        ("EROFS", "openSync", 3, "CHAIN_READ_ONLY"),
    ],
)
def test_every_disk_failure_gives_the_expected_error_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, call: str, at: int, code: str
) -> None:
    for life, failed in lives(tmp_path, monkeypatch, fault=fault, on=[call], at=at):
        check_refused(life, failed, code)
        assert code in life.codes.values()
        return
    pytest.fail("The call never came.")


def check_refused(life: Life, failed: str | None, code: str) -> None:
    """Check that at most one act was refused, that its error code is ``code``, and that a new process finds the same
    chain.
    """
    assert failed in (None, code)
    refused = [name for name, found in life.codes.items() if found == code]
    assert len(refused) <= 1
    healthy = {name: found for name, (found, _) in HEALTHY.items()}
    assert life.codes == ({} if failed else {**healthy, **dict.fromkeys(refused, code)})
    with life.node as node:
        assert node.repaired is None
        if failed is None:
            assert (blocks_of(node), Connection(node.url).balance(OWNER)) == (life.blocks, life.balance)
    changes = records_in(journal_of(life.node.log_path.parent).read_bytes())[1:]
    assert len(changes) == len(life.stayed())


def test_a_partial_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for life, failed in lives(tmp_path, monkeypatch, fault="short", on=["writeSync"]):
        assert failed is None
        assert life.codes == {name: code for name, (code, _) in HEALTHY.items()}
        with life.node as node:
            assert (node.repaired, blocks_of(node)) == (None, life.blocks)


def test_writing_continues_when_the_disk_has_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is so full that many calls fail, even the call that cuts off the partly written line."""
    fired = tmp_path / "fired"
    monkeypatch.setenv("NODE_OPTIONS", f"--import={PRELOAD.as_uri()}")
    fault = {"fault": "half ENOSPC", "at": 6, "times": 6, "fired": str(fired)}
    monkeypatch.setenv("JOURNAL_FAULT", json.dumps({**fault, "on": ["writeSync", "ftruncateSync", "fsyncSync"]}))
    with journaled(tmp_path / "chain") as node:
        codes: list[str | None] = []
        while codes[-2:] != [None, None] or len(codes) < 4:
            try:
                node.mine()
            except StorageFull as error:
                codes.append(error.code)
            else:
                codes.append(None)
        blocks = blocks_of(node)
    assert codes.count("DISK_FULL") >= 2
    assert len(blocks) - 1 == codes.count(None)
    monkeypatch.delenv("NODE_OPTIONS")
    with node:
        assert (node.repaired, blocks_of(node)) == (None, blocks)


ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from ledger.errors import Misconfigured, StorageFull
from tests.chain.local.journals import blocks_of, journaled
disk = Path(sys.argv[1])
def fill():
    with (disk / "ballast").open("wb", buffering=0) as file:
        while True:
            try: file.write(bytes(512))
            except OSError: return
def refused(node):
    try:
        while True: node.mine()
    except StorageFull as error:
        return error.code == "DISK_FULL"
with journaled(disk / "chain") as node:
    fill()
    assert refused(node)
    blocks = blocks_of(node)
    assert len(blocks) > 2
with node:  # starts on the full disk, its log too
    assert blocks_of(node) == blocks and refused(node)
    (disk / "ballast").unlink()
    node.mine()
    blocks = blocks_of(node)
with node:
    assert blocks_of(node) == blocks
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
with node:
    assert blocks_of(node) == blocks
    try: node.mine()
    except Misconfigured as error: assert error.code == "CHAIN_READ_ONLY"
    assert blocks_of(node) == blocks
print("whole")
"""


def test_a_chain_starts_and_answers_on_a_full_or_read_only_disk(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=256k tmpfs {tmp_path} && exec {sys.executable} -c "$0" {tmp_path}'
    # The tests mount a separate disk. This needs user namespaces, or the right to mount.
    own = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0
    done = subprocess.run(
        ["unshare", "-rm" if own else "-m", "sh", "-c", mount, ON_A_FULL_DISK],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["whole"], done.stdout + done.stderr
