"""A node fails while an open ledger writes. Each fault gives an error code, and no act is done by mistake.

When the node works again, the refused act is repeated. It is then done once, and nothing else is lost.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.errors import ChainUnavailable, PingzhengError
from ledger.installation.wiring import Ledger
from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import Prepared, copied, opened
from tests.support.chain.faulty_node import FaultyNode, Spoil
from tests.support.chain.node_faults import BODIES, FAULTS, HTTP, RESULTS, SLOW, WIRE, only, result
from tests.support.machine.fault_counts import Tally
from tests.support.machine.processes import kill_nodes, nodes_in

SECONDS = 0.5  # one call to a faulty node, with all its attempts, may take this many seconds
KINDS = {"results": RESULTS, "bodies": BODIES, "http": HTTP, "wire": WIRE, "slow": SLOW}
# The JSON-RPC methods that the service calls to issue a certificate and to anchor it.
METHODS = ("eth_call", "eth_getBlockByNumber", "eth_getLogs", "eth_sendRawTransaction", "eth_getTransactionCount")


@dataclass
class World:
    """An open ledger and a node in which faults can be injected."""

    ledger: Ledger
    faulty: FaultyNode
    requests: Iterator[str]

    @contextmanager
    def spoiled(self, fault: Spoil) -> Iterator[None]:
        connection = self.ledger.reader.connection
        before = connection.timeout, connection.send_timeout
        self.faulty.fault, connection.timeout, connection.send_timeout = fault, SECONDS, SECONDS
        yield
        self.faulty.fault = None
        connection.timeout, connection.send_timeout = before

    def well(self, acts: Acts, request: str) -> None:
        """Check, after the fault was removed, that a refused act is now done once and that nothing is lost."""
        # This is one turn of the background work; a server does several turns in a second.
        self.ledger.anchoring.tick()
        acts.issue(self.ledger, request)
        acts.check(self.ledger)


@pytest.fixture(scope="module")
def world(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = copied(prepared.late, tmp_path_factory.mktemp("nodes") / "home")
    shutil.copytree(home / "chain", home.parent / "node")
    with (
        LocalNode(home.parent / "node", program=JOURNAL) as node,
        FaultyNode(upstream=node.url) as faulty,
        opened(home, rpc_url=faulty.url) as ledger,
    ):
        yield World(ledger, faulty, iter(prepared.waiting()))


def refusal(act: Callable[[], Any]) -> str:
    """Do an act; return DONE if it succeeded, UNAVAILABLE if the chain was unavailable, else the error code."""
    try:
        act()
    except ChainUnavailable:
        return "UNAVAILABLE"
    except PingzhengError as error:
        return error.code
    except Exception as error:  # the product must raise only its own errors, so any other exception is reported
        return f"FOREIGN {type(error).__name__}"
    return "DONE"


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_whose_answers_are_all_wrong_is_reported(world: World, acts: Acts, tally: Tally, kind: str) -> None:
    """No act is written, no answer is invented in place of chain data, and the readiness check names the fault."""
    request, known = next(world.requests), next(iter(acts.issued.values()))
    for name, fault in KINDS[kind].items():
        with world.spoiled(fault):
            seen = [refusal(lambda: acts.issue(world.ledger, request))]
            seen.append(refusal(lambda: world.ledger.verification.public_status(known)))
            chain = world.ledger.inspection.readiness()["chain"]
            seen.append("READY" if chain["ok"] else "UNAVAILABLE" if "code" in chain else "WITHOUT A CODE")
        tally.noticed(f"every answer of the node: {name}", seen, ["UNAVAILABLE"])
    world.well(acts, request)


@pytest.mark.parametrize("method", METHODS)
def test_wrong_answers_of_the_node_to_one_method_do_not_make_an_act_happen_twice(
    world: World, acts: Acts, tally: Tally, method: str
) -> None:
    """Each act is done, or it gets an error code. If the node did an act before it gave a wrong answer, the act is not
    done again.
    """
    for fault in ("null", "a number", "a list", "no hex", "closes at once", "500"):
        issue = partial(acts.issue, world.ledger, next(world.requests))
        with world.spoiled(only(FAULTS[fault], method)):
            code = refusal(issue)
        tally.noticed(f"the node answers {method} with {fault}", [code], ["UNAVAILABLE", "DONE"])
        world.ledger.anchoring.tick()
        issue()
    acts.check(world.ledger)


def test_a_node_of_another_chain_is_refused(
    world: World, acts: Acts, tally: Tally, prepared: Prepared, tmp_path: Path
) -> None:
    """The URL of the node of an open ledger suddenly leads to another chain, which has another chain id or
    the same id.
    """
    request = next(world.requests)
    with world.spoiled(only(result("0x1"), "eth_chainId")):
        checks = world.ledger.inspection.readiness()
        tally.noticed("the node has another chain id", [str(checks["chain"].get("code"))], ["CHAIN_ID_CHANGED"])
    shutil.copytree(prepared.other / "chain", tmp_path / "node")
    with (
        LocalNode(tmp_path / "node", program=JOURNAL) as other,
        FaultyNode(upstream=other.url) as stranger,
        world.spoiled(lambda turn: turn.give(stranger._passed_on(turn.asked))),
    ):
        seen = [refusal(lambda: acts.issue(world.ledger, request))]
        seen += [str(check["code"]) for check in world.ledger.inspection.readiness().values() if "code" in check]
    tally.noticed("the node has another chain of the same id", seen, OTHER_CHAIN)
    world.well(acts, request)


OTHER_CHAIN = ["UNAVAILABLE", "CHAIN_GENESIS_CHANGED", "CONTRACT_MISSING", "LEDGER_DIFFERS", "NODE_ANSWER_INVALID"]


def test_the_health_route_works_without_the_node(world: World, tally: Tally) -> None:
    """/health depends only on the process; only readiness and acts need the node."""

    @contextmanager
    def already_open() -> Iterator[Ledger]:
        yield world.ledger

    with TestClient(create_app(already_open), raise_server_exceptions=False) as client:
        for fault in ("never", "endless body", "null"):
            with world.spoiled(FAULTS[fault]):
                assert client.get("/health").status_code == 200
                ready = client.get("/ready")
            seen = [f"{ready.status_code} {ready.json()['code']}"]
            tally.noticed(f"a server's node: {fault}", seen, ["503 NOT_READY"])
    assert world.faulty.fault is None


def test_a_killed_local_node_is_started_again(prepared: Prepared, late: Path, acts: Acts, tally: Tally) -> None:
    """The open ledger starts its killed node again, on the same port and with all earlier acts. The test asks until the
    node answers.
    """
    with opened(late) as ledger:
        for request in prepared.waiting()[:3]:
            acts.issue(ledger, request)
            url = ledger.reader.connection.url
            kill_nodes(late / "chain")
            code = refusal(ledger.reader.block_number)
            tally.noticed("the local node is killed", [code], ["UNAVAILABLE", "DONE"])
            _until_it_answers(ledger)
            assert ledger.reader.connection.url == url
        acts.check(ledger)


def _until_it_answers(ledger: Ledger) -> None:
    deadline = time.monotonic() + 30
    while refusal(ledger.reader.block_number) != "DONE":
        assert time.monotonic() < deadline, "the node was not started again"
        time.sleep(0.05)


def test_the_ledger_works_again_when_a_suspended_node_continues(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """After SIGSTOP the node keeps its connections and answers nothing, until SIGCONT."""
    first, second = prepared.waiting()[:2]
    with opened(late) as ledger:
        connection = ledger.reader.connection
        acts.issue(ledger, first)
        before, connection.timeout, connection.send_timeout = connection.timeout, SECONDS, SECONDS
        (pid,) = nodes_in(late / "chain")
        os.kill(pid, signal.SIGSTOP)
        seen = [refusal(lambda: acts.issue(ledger, second)), refusal(ledger.reader.block_number)]
        tally.noticed("the local node is stopped", seen, ["UNAVAILABLE"])
        os.kill(pid, signal.SIGCONT)
        connection.timeout = connection.send_timeout = before
        acts.issue(ledger, second)
        acts.check(ledger)
