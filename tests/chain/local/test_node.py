"""Tests that the local node starts, keeps its chain, and ends with its parent process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.chain.local.node import LocalNode
from ledger.chain.local.node_programs import find_program
from ledger.chain.rpc.connection import Connection
from ledger.errors import ChainUnavailable, Misconfigured

ADDRESS = "0x" + "11" * 20
OWNER = """
import signal, sys, time
# A shell that starts tests in the background has them ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from ledger.chain.local.node import LocalNode
node = LocalNode(Path(sys.argv[1]), persistent=False).start()
print(node.pid, flush=True)
time.sleep(60)
"""


def is_gone(pid: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_restart_continues_the_same_chain(tmp_path: Path) -> None:
    with LocalNode(tmp_path, chain_id=4408, funded=[ADDRESS]) as node:
        node.mine(3)
        first = Connection(node.url)
        genesis, tip = first.block(0), first.block()
    with LocalNode(tmp_path, chain_id=4408, funded=[ADDRESS]) as node:
        again = Connection(node.url)
        assert again.chain_id() == 4408
        assert (again.block(0), again.block()) == (genesis, tip)
        assert tip is not None and tip.number == 4  # One block gave money to the account, and three blocks were mined.


def test_a_killed_node_keeps_its_blocks(tmp_path: Path) -> None:
    node = LocalNode(tmp_path).start()
    node.mine(2)
    tip = Connection(node.url).block()
    node.kill()
    with node:
        assert Connection(node.url).block() == tip


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_node_ends_with_its_parent_process(tmp_path: Path, number: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert not is_gone(pid, within=0.1)
    os.kill(owner.pid, number)
    owner.wait(10)
    owner.stdout.close()
    assert is_gone(pid)


def test_stopping_a_node_twice_is_harmless(tmp_path: Path) -> None:
    node = LocalNode(tmp_path, persistent=False).start()
    pid = node.pid
    assert pid is not None
    node.stop()
    node.stop()
    assert is_gone(pid)
    assert not node.running
    with pytest.raises(ChainUnavailable) as caught:
        node.rpc("eth_chainId")
    assert caught.value.code == "CHAIN_UNREACHABLE"


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Misconfigured) as caught:
            LocalNode(tmp_path, port=port).start()
    assert caught.value.code == "PORT_IN_USE"
    assert str(port) in caught.value.message


def test_two_nodes_cannot_share_a_chain_directory(tmp_path: Path) -> None:
    with LocalNode(tmp_path), pytest.raises(ChainUnavailable) as caught:
        LocalNode(tmp_path).start()
    assert caught.value.code == "NODE_START_FAILED"


def test_missing_node_modules_are_reported_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        find_program("ganache", tmp_path)
    assert caught.value.code == "NODE_MODULES_MISSING"
    assert "npm ci" in (caught.value.hint or "")


def test_an_interrupted_installation_of_node_modules_is_reported(tmp_path: Path) -> None:
    entry = tmp_path / "hardhat" / "dist" / "src" / "hre.js"
    entry.parent.mkdir(parents=True)
    entry.touch()
    with pytest.raises(Misconfigured, match="not completely"):
        find_program("hardhat", tmp_path)
    (tmp_path / ".package-lock.json").touch()
    assert find_program("hardhat", tmp_path) == entry


def test_the_revert_call_restores_a_snapshot(tmp_path: Path) -> None:
    with LocalNode(tmp_path, persistent=False) as node:
        token = node.snapshot()
        node.mine(2)
        node.revert(token)
        assert Connection(node.url).block_number() == 0
        with pytest.raises(Misconfigured):
            node.revert(token)


def test_a_node_that_does_not_answer_raises_chain_unreachable() -> None:
    with pytest.raises(ChainUnavailable) as caught:
        Connection("http://127.0.0.1:1", timeout=1).chain_id()
    assert caught.value.code == "CHAIN_UNREACHABLE"
    assert caught.value.hint


def test_a_server_on_the_port_that_is_no_node_raises_chain_unavailable(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(b"(")[1].split(b"/)")[0].decode()
        with pytest.raises(ChainUnavailable) as caught:
            Connection(url, timeout=2).chain_id()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    assert caught.value.code == "CHAIN_UNREACHABLE"
