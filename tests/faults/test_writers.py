"""Several processes write to one home (two programs, two servers, a command beside a server). Then one of the processes
ends.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ledger.errors import ChainUnavailable, PingzhengError
from ledger.installation.wiring import Ledger
from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import Prepared, opened
from tests.support.machine.children import forked
from tests.support.machine.command_line import cli, command, environment_of
from tests.support.machine.fault_counts import Tally

EACH = 5
SECONDS = 60


def test_two_processes_that_write_at_the_same_time_lose_no_act(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """Each process issues certificates for requests of its own, and both try to issue for some common requests.

    The process that ends first stops its node. The other process gets an error, and continues with a new node.
    """
    waiting = prepared.waiting()
    same, own = waiting[:EACH], [waiting[EACH : 2 * EACH], waiting[2 * EACH : 3 * EACH]]

    def issuing(requests: list[str]) -> list[list[str]]:
        acknowledged = []
        with opened(late) as ledger:
            for request in requests:
                number = _until_it_answers(partial(_issue, ledger, request))
                acknowledged.append([request, number])
        return acknowledged

    children = [forked(lambda mine=mine: issuing([*same, *mine])) for mine in own]
    for child in children:
        for request, number in child.result():
            acts.add(request, number)
    tally.harmless("two processes write at once", [])
    assert set(acts.issued) >= {*same, *own[0], *own[1]}
    with opened(late) as ledger:
        acts.check(ledger)


def _issue(ledger: Ledger, request: str) -> str:
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
    ledger.anchoring.flush()
    return row.certificate_no


def _until_it_answers(act: Callable[[], str]) -> str:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return act()
        except ChainUnavailable:
            assert time.monotonic() < deadline, "the node was not started again"
            time.sleep(0.1)


def test_two_processes_that_store_keys_at_the_same_time_lose_no_key(late: Path, acts: Acts, tally: Tally) -> None:
    """One process reads the custody file, and another process then changes the file. The first process adds its keys to
    the changed content.
    """

    def keeping(count: int) -> list[str]:
        with opened(late) as ledger:
            return [account for _ in range(count) for account in ledger.custody.create()]

    children = [forked(lambda: keeping(10)) for _ in range(2)]
    accounts = [account for child in children for account in child.result()]
    tally.harmless("two processes keep new keys at once", [])
    tally.acknowledged += accounts
    with opened(late) as ledger:
        tally.lost += [account for account in accounts if account not in ledger.custody]
        acts.check(ledger)


@contextmanager
def serving(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server on this home, and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [*command(home, "serve", "--port", str(port))[:-1]]
    with subprocess.Popen(line, cwd=home.parent, env=environment_of({}), stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: asked(port, "/health")[0] == 200)
            yield process, port
        finally:
            process.kill()


def asked(port: int, path: str) -> tuple[int, Any]:
    """Call a server, and return the status and body of its answer; status 0 if no server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


def until(wanted: Any) -> None:
    """Wait until ``wanted()`` is true."""
    deadline = time.monotonic() + SECONDS
    while not wanted():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def test_two_servers_and_a_command_share_one_home_folder(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """The first server started the node, and is killed. The second server and the command start a new node."""
    first, second, third = prepared.waiting()[:3]
    with serving(late) as (one, port), serving(late) as (_, other):
        _issued(late, acts, first)
        for each in (port, other):
            until(lambda each=each: _active(each, acts.issued[first]))
        tally.harmless("two servers and a command write at one home", _not_ready(port) + _not_ready(other))
        one.send_signal(signal.SIGKILL)
        one.wait(SECONDS)
        until(lambda: _active(other, acts.issued[first]))
        until(lambda: not _not_ready(other))
        tally.harmless("a server that owns the node is killed", _not_ready(other))
        _issued(late, acts, second)
        until(lambda: _active(other, acts.issued[second]))
    _issued(late, acts, third)
    with opened(late) as ledger:
        acts.check(ledger)


def _issued(home: Path, acts: Acts, request: str) -> None:
    answer = cli(home, "certificate", "issue", request)
    assert answer.exit_code == 0, answer.text
    acts.add(request, answer.printed["certificate_no"])


def _active(port: int, number: str) -> bool:
    status, answer = asked(port, f"/v1/certificates/{number}/status")
    return status == 200 and answer["state"] == "active"


def _not_ready(port: int) -> list[str]:
    status, answer = asked(port, "/ready")
    return [] if status == 200 else [f"{status} {answer and answer.get('details')}"]


def test_a_home_folder_that_is_opened_twice_shows_the_same_records_to_both_programs(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """One process opens the home twice, as two services would. Each open ledger sees what the other wrote."""
    requests = prepared.waiting()[: 2 * EACH]
    with opened(late) as one, opened(late) as other:
        for place, request in enumerate(requests):
            acts.issue((one, other)[place % 2], request)
        refusals = []
        for ledger in (one, other):
            try:
                acts.check(ledger)
            except PingzhengError as error:
                refusals.append(error.code)
        tally.harmless("two ledgers are open on one home and take turns", refusals)
