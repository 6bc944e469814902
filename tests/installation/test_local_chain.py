"""A local chain is kept running, is shared by programs that use its folder, and never silently restarts from zero."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.rpc.connection import Block, Connection
from ledger.errors import ChainUnavailable, Conflict, Misconfigured, PingzhengError
from ledger.installation import node_keeping
from ledger.installation.local_chain import Chain, LocalClock, open_chain
from ledger.installation.node_keeping import is_of
from ledger.installation.settings import Settings
from tests.support.ledgers.waiting_ledger import at_once
from tests.support.places import PROJECT

PATIENCE = 60


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def begun(settings: Settings) -> Settings:
    """A folder with a chain of a few blocks; the chain's node is not running."""
    with open_chain(settings, create=True) as chain:
        for _ in range(3):
            Connection(chain.url).ask("evm_mine")
    return settings


def folder_of(settings: Settings) -> Path:
    return settings.home / "chain"


def blocks_at(url: str) -> list[Block | None]:
    connection = Connection(url)
    return connection.blocks(range(connection.block_number() + 1))


def waited(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def kill(node: LocalNode) -> None:
    pid = node.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    # The node may be restarted before the test can see that it died; then only the new process id shows its death.
    assert waited(lambda: node.died or node.pid != pid)


def owned(chain: Chain) -> LocalNode:
    assert chain.node is not None
    return chain.node


def logged(logs: Sequence[Mapping[str, Any]], event: str) -> int:
    """Return the number of log lines with this event."""
    return sum(entry["event"] == event for entry in logs)


def answers(url: str) -> bool:
    try:
        return Connection(url, timeout=2).chain_id() == 1337
    except PingzhengError:
        return False


def test_a_node_that_dies_is_restarted_at_the_same_port(begun: Settings) -> None:
    with capture_logs() as logs, open_chain(begun) as chain:
        node = owned(chain)
        LocalClock(begun).skip(Connection(chain.url), 86_400)
        before = blocks_at(chain.url)
        for times in (1, 2):
            pid = node.pid
            kill(node)
            assert waited(lambda times=times: logged(logs, "local_chain_restarted") == times)
            assert node.pid != pid
            assert blocks_at(chain.url) == before
        Connection(chain.url).ask("evm_mine")
        later = Connection(chain.url).block()
    assert later is not None and before[-1] is not None
    assert later.time >= int(time.time()) + 86_000  # the restarted node's clock is still ahead
    assert logged(logs, "local_chain_died") == 2


def test_a_node_that_dies_repeatedly_is_given_up(begun: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_keeping, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(node_keeping, "WITHIN_SECONDS", 10**6)
    with capture_logs() as logs, open_chain(begun) as chain:
        node = owned(chain)

        def given_up() -> bool:
            if node.running and answers(chain.url):
                kill(node)
            return logged(logs, "local_chain_given_up") == 1

        assert waited(given_up)
        assert not answers(chain.url)
        # Killing the node while it starts counts as a failed start.
        starts = logged(logs, "local_chain_restarted") + logged(logs, "local_chain_not_started")
        assert starts == node_keeping.MAX_STARTS
        # The lock is released, so another program may run the chain.
        with open_chain(begun) as again:
            assert answers(again.url)


def test_a_node_is_not_restarted_on_a_damaged_journal(begun: Settings) -> None:
    journal = folder_of(begun) / "journal.jsonl"
    with capture_logs() as logs, open_chain(begun) as chain:
        raw = journal.read_bytes()
        journal.write_bytes(raw.replace(b"evm_mine", b"evm_mime", 1))
        kill(owned(chain))
        assert waited(lambda: logged(logs, "local_chain_given_up") == 1)
    assert [entry["reason"] for entry in logs if entry["event"] == "local_chain_given_up"] == ["JOURNAL_DAMAGED"]
    with pytest.raises(Misconfigured, match="JOURNAL_DAMAGED"), open_chain(begun):
        pass


def test_a_node_that_was_stopped_on_purpose_is_not_restarted(begun: Settings) -> None:
    with open_chain(begun) as chain:
        owned(chain).stop()
        time.sleep(5 * node_keeping.CHECK_SECONDS)
        assert not answers(chain.url)


def test_a_program_takes_over_a_shared_chain_when_the_program_that_started_the_chain_ends(begun: Settings) -> None:
    """The test simulates two programs: it opens the folder twice, with separate locks."""
    with open_chain(begun) as owner:
        second = open_chain(begun)
        shared = second.__enter__()
        assert (shared.node, shared.url) == (None, owner.url)
        before = blocks_at(owner.url)
    # The shared node is stopped, so nothing listens on its port until the other program starts its own node there.
    assert waited(lambda: answers(shared.url))
    assert blocks_at(shared.url) == before
    with open_chain(begun) as third:
        assert third.url == shared.url
    second.__exit__(None, None, None)
    assert not answers(shared.url)


OWNER = """
import sys, time
from pathlib import Path
from ledger.installation.local_chain import open_chain
from ledger.installation.settings import Settings
with open_chain(Settings(home=Path(sys.argv[1]))) as chain:
    print(chain.url, flush=True)
    time.sleep(600)
"""


def test_a_program_takes_over_a_shared_chain_when_the_program_that_started_the_chain_is_killed(begun: Settings) -> None:
    program = [sys.executable, "-c", OWNER, str(begun.home)]
    with subprocess.Popen(program, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        with capture_logs() as logs, open_chain(begun) as chain:
            assert (chain.url, chain.node) == (url, None)
            Connection(url).ask("evm_mine")
            before = blocks_at(url)
            owner.kill()
            owner.wait()
            assert waited(lambda: logged(logs, "local_chain_restarted") == 1)
            assert blocks_at(url) == before


def test_eight_programs_on_one_journal_share_one_node(begun: Settings) -> None:
    opened = [open_chain(begun) for _ in range(8)]
    chains = at_once(*[each.__enter__ for each in opened])
    assert len({chain.url for chain in chains}) == 1
    assert sum(chain.node is not None for chain in chains) == 1
    for each in opened:
        each.__exit__(None, None, None)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[LocalNode]:
    """Another chain with the same chain id, which all local chains share by default."""
    with LocalNode(tmp_path / "other", program=JOURNAL) as node:
        node.mine(2)
        yield node


def test_another_chain_at_the_recorded_address_is_not_used(begun: Settings, stranger: LocalNode) -> None:
    """The recorded node has ended. Another chain now answers at the recorded address; this can happen after a folder
    was copied.
    """
    folder = folder_of(begun)
    before = blocks_at(stranger.url)
    (folder / "node.json").write_text(json.dumps({"url": stranger.url}))
    assert not is_of(folder, stranger.url)
    with open_chain(begun) as chain:
        assert chain.url != stranger.url
        assert is_of(folder, chain.url)
        assert len(blocks_at(chain.url)) == 4
    assert blocks_at(stranger.url) == before


@pytest.mark.parametrize(
    "text", ["", "{", "null", '"x"', '{"url": 5}', '{"url": "http://example.org:80"}', "\x00" * 40]
)
def test_a_damaged_node_file_is_replaced_only_if_no_program_runs_the_chain(begun: Settings, text: str) -> None:
    noted = folder_of(begun) / "node.json"
    noted.write_text(text)
    with capture_logs() as logs, open_chain(begun) as chain:
        assert json.loads(noted.read_text()) == {"url": chain.url}
        noted.write_text(text)
        with pytest.raises(Misconfigured, match="NODE_FILE_DAMAGED"), open_chain(begun):
            pass
    assert [entry["event"] for entry in logs] == ["node_file_replaced"]


def test_no_second_node_is_started_if_the_running_node_does_not_answer(
    begun: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_keeping, "LOCK_TIMEOUT_SECONDS", 0)
    with open_chain(begun) as chain:
        owned(chain).stop()
        with pytest.raises(Conflict, match="CHAIN_RUNNING"), open_chain(begun):
            pass


def test_a_lost_journal_is_not_replaced_by_a_new_journal(begun: Settings) -> None:
    (folder_of(begun) / "journal.jsonl").unlink()
    with pytest.raises(Misconfigured, match="JOURNAL_MISSING"), open_chain(begun):
        pass
    assert not (folder_of(begun) / "journal.jsonl").exists()


def test_a_new_chain_begins_in_the_past_even_after_an_interruption(settings: Settings) -> None:
    folder_of(settings).mkdir(parents=True)
    clock = LocalClock(settings)
    clock.begin(3_600)
    clock.begin(7_200)
    assert clock.ahead == -3_600
    with open_chain(settings, create=True) as chain:
        Connection(chain.url).ask("evm_mine")
        first = Connection(chain.url).block()
    assert first is not None
    assert first.time <= int(time.time()) - 3_590
    clock.begin(7_200)
    assert clock.ahead == -3_600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "5",
        '{"ahead": "0"}',
        '{"ahead": 1.5}',
        '{"ahead": true}',
        '{"ahead": 1e300}',
        "{}",
        "[" * 999,
        "[" * 100_000,
    ],
)
def test_a_damaged_clock_file_is_reported_and_not_changed(begun: Settings, text: str) -> None:
    file = folder_of(begun) / "clock.json"
    file.write_text(text)
    for reading in (lambda: LocalClock(begun)(), lambda: open_chain(begun).__enter__()):
        with pytest.raises(Misconfigured, match="CLOCK_FILE_DAMAGED"):
            reading()
    assert file.read_text() == text


def test_a_missing_clock_file_is_reported(begun: Settings) -> None:
    (folder_of(begun) / "clock.json").unlink()
    with pytest.raises(Misconfigured, match="CLOCK_FILE_MISSING"):
        LocalClock(begun)()
    with pytest.raises(Misconfigured, match="CLOCK_FILE_MISSING"), open_chain(begun):
        pass


def test_an_old_chain_without_a_clock_file_gets_a_clock_file(begun: Settings) -> None:
    journal = folder_of(begun) / "journal.jsonl"
    changes = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    old = [{name: change[name] for name in ("method", "params", "time")} for change in changes]
    journal.write_text("".join(json.dumps(change) + "\n" for change in old))
    (folder_of(begun) / "clock.json").unlink()
    with open_chain(begun) as chain:
        assert len(blocks_at(chain.url)) == 4
    assert LocalClock(begun).ahead == 0


def test_skipping_time_moves_no_clock_if_the_chain_refuses_the_skip(begun: Settings) -> None:
    clock = LocalClock(begun)
    with open_chain(begun) as chain:
        connection = Connection(chain.url)
        clock.skip(connection, 600)
        owned(chain).stop()
        with pytest.raises(ChainUnavailable):
            clock.skip(connection, 86_400)
    assert clock.ahead == 600


def test_simultaneous_time_skips_are_added_together(begun: Settings) -> None:
    clock = LocalClock(begun)
    with open_chain(begun) as chain:
        connection = Connection(chain.url)
        at_once(*[lambda: clock.skip(connection, 100)] * 8)
        assert clock.ahead == 800
        connection.ask("evm_mine")
        tip = connection.block()
    assert tip is not None
    assert tip.time >= int(time.time()) + 790


def test_an_interrupted_time_skip_is_completed_when_the_chain_is_opened_again(begun: Settings) -> None:
    """A program is killed after it wrote the clock file and before it set the chain's clock. The next program that
    opens the chain sets the clock.
    """
    with open_chain(begun) as owner:
        (folder_of(begun) / "clock.json").write_text('{"ahead": 86400}')
        with open_chain(begun):
            Connection(owner.url).ask("evm_mine")
        tip = Connection(owner.url).block()
    assert tip is not None
    assert tip.time >= int(time.time()) + 86_000
