"""Tests that several processes can share the file of private keys, and that no key is lost or invented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Misconfigured
from ledger.parties.custody import Custody
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite

PROCESSES, KEYS = 4, 25
# Each process reads the file while the file holds one key, waits until all processes have read it, and then adds its
# own keys. So no process has read the keys that the other processes add.
PROGRAM = """
import sys
from pathlib import Path
from ledger.parties.custody import Custody

custody = Custody(Path(sys.argv[1]))
print(len(custody.accounts), flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    print(*custody.create(), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Custody(tmp_path / "accounts.json").create()
    return tmp_path / "accounts.json"


def test_processes_that_add_keys_at_the_same_time_lose_no_key(path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(path), str(KEYS)]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    made = [account for process in running for account in process.communicate(timeout=60)[0].split()]
    assert len(set(made)) == PROCESSES * KEYS
    kept = json.loads(path.read_text())
    assert set(made) < set(kept)
    assert len(kept) == PROCESSES * KEYS + 1
    assert set(Custody(path).accounts) == set(kept)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["accounts.json"]


def test_a_key_added_by_another_process_is_found(path: Path) -> None:
    stale, other = Custody(path), Custody(path)
    (account,) = other.create()
    assert account in stale
    assert stale.signer(account).kid == account
    assert stale.public_key(account) == other.public_key(account)
    with pytest.raises(Misconfigured, match="KEY_NOT_HELD"):
        stale.signer("0x" + "12" * 20)


def test_a_lost_key_file_is_not_replaced_by_a_new_key_file(path: Path) -> None:
    custody = Custody(path)
    path.unlink()
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING"):
        custody.create()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{", "\udcff"])
def test_a_damaged_key_file_is_neither_used_nor_overwritten(path: Path, text: str) -> None:
    custody = Custody(path)
    raw = text.encode("utf-8", "surrogateescape")
    path.write_bytes(raw)
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"):
        Custody(path)
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"):
        custody.create()
    assert path.read_bytes() == raw


@pytest.mark.parametrize("suite", [ES256K, ES256, SM2SM3])
def test_a_key_stored_under_a_wrong_account_is_reported(path: Path, suite: Suite) -> None:
    custody = Custody(path)
    (account,) = custody.create(suite=suite)
    keys = json.loads(path.read_text())
    keys[account] = keys[account][:-1] + ("0" if keys[account][-1] != "0" else "1")
    path.write_text(json.dumps(keys))
    with pytest.raises(Misconfigured, match=f"KEY_FILE_DAMAGED.*{account}"):
        Custody(path)
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"):
        custody.create()
