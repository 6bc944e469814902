"""Tests which facts (chain data) an installation accepts after it has seen earlier facts, and what it remembers of
facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.reading import remembering
from ledger.chain.reading.memory import Seen, load_seen, save_seen, seen_from
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.rpc.connection import Block, Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable
from ledger.proof.facts import LogFact
from tests.chain.consented import ISSUER, Consented, made
from tests.chain.reading.test_copied import Copied, client_at, copied
from tests.support.chain.deployed import PARTIES, Chain
from tests.support.chain.hiding_nodes import StuckConnection
from tests.support.chain.scripted_ledger import CONSENT, ROOT

__all__ = ["copied"]
RIVAL = PARTIES["other_issuer"]


class Switched(Connection):
    """A connection that a test can switch between two nodes at any moment. If ``headers`` is set to one of the two
    nodes, this node answers the requests for blocks, as if both nodes had the same address.
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)
        self._nodes = Connection(first), Connection(second)
        self.behind = self.headers = self._nodes[0]

    def switch(self) -> None:
        self.behind = self.headers = self._nodes[1 - self._nodes.index(self.behind)]

    def request(self, method: str, *params: Any) -> Any:
        return self.behind.request(method, *params)

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self.behind.ask_many(calls)
        headers = [call for call in calls if call[0] == "eth_getBlockByNumber"]
        found = iter(self.headers.ask_many(headers))
        return [
            next(found) if method == "eth_getBlockByNumber" else answer
            for (method, _), answer in zip(calls, answers, strict=True)
        ]


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ChainUnavailable) as caught:
        yield
    assert caught.value.code == code and caught.value.hint


@pytest.fixture
def consented(chain: Chain) -> Consented:
    return made(chain)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "new" / "seen.json"


def test_the_newest_facts_are_remembered(chain: Chain, consented: Consented, memory: Path) -> None:
    remembered = Remembered(chain.reader, memory)
    assert remembered.facts(consented.bundle) == consented.facts()
    assert load_seen(memory) == seen_from(consented.facts())
    chain.client.send(calls.anchor(300, 1, ROOT))
    remembered.facts(consented.bundle)
    seen = load_seen(memory)
    assert seen == seen_from(consented.facts()) and seen.logs[ISSUER.no].batches == 2


def test_the_newest_block_is_remembered_with_the_logs_that_were_seen(
    chain: Chain, consented: Consented, memory: Path
) -> None:
    remembered = Remembered(chain.reader, memory)
    assert remembered.newest() == chain.reader.latest()
    seen = load_seen(memory)
    assert seen is not None and (seen.block, seen.logs) == (chain.reader.block_number(), {})
    logs = remembered.facts(consented.bundle).logs
    chain.node.mine(3)
    block = remembered.newest()
    seen = load_seen(memory)
    assert seen is not None and (seen.block, seen.block_hash, seen.logs) == (block.number, block.hash, logs)


def test_a_log_that_grew_since_it_was_last_seen_is_accepted(chain: Chain, consented: Consented, memory: Path) -> None:
    """The memory contains the length of a log, and a later block. That block was read without the log, so the log may
    have become longer before that block.
    """
    remembered = Remembered(chain.reader, memory)
    remembered.facts(consented.bundle)
    chain.client.send(calls.anchor(300, 1, ROOT))
    block = remembered.newest()
    assert load_seen(memory).logs[ISSUER.no].batches == 1
    facts = remembered.facts(consented.bundle)
    assert (facts.block, facts.logs[ISSUER.no].batches) == (block.number, 2)
    assert load_seen(memory).logs == facts.logs


Asked = Callable[[Remembered, Consented], object]
ASKING: dict[str, Asked] = {
    "facts": lambda remembered, consented: remembered.facts(consented.bundle),
    "newest": lambda remembered, consented: remembered.newest(),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_attack_a_chain_that_is_replaced_by_a_copy_at_run_time_is_refused(
    copied: Copied, memory: Path, ask: Asked
) -> None:
    """The copy has more blocks than the real chain, but it is refused, and the memory of the real chain is
    not changed.
    """
    node = Switched(copied.real.url, copied.copy.url)
    client_at(copied.real, copied.deployment, "enterprise").send(calls.withdraw(CONSENT))
    copied.copy.mine(20)
    client = ChainClient(node, copied.deployment)
    reader = ChainReader(client)
    known = Consented(Chain(copied.real, copied.deployment, client, reader, dict(PARTIES)), copied.bundle)
    running = Remembered(reader, memory)
    ask(running, known)
    seen = load_seen(memory)
    node.switch()
    for process in (running, Remembered(reader, memory)):
        with refused("CHAIN_DIFFERS_FROM_SEEN"):
            ask(process, known)
        assert load_seen(memory) == seen
    node.switch()
    for process in (running, Remembered(reader, memory)):
        ask(process, known)
    assert load_seen(memory) == seen


def test_attack_facts_of_a_copy_with_blocks_of_the_real_chain_are_refused(copied: Copied, memory: Path) -> None:
    """The block of the facts is compared with the real chain too. So facts of a copy are refused even if the node
    afterwards shows the blocks of the real chain.
    """
    node = Switched(copied.real.url, copied.copy.url)
    remembered = Remembered(ChainReader(ChainClient(node, copied.deployment)), memory)
    remembered.facts(copied.bundle)
    seen = load_seen(memory)
    for each in (copied.real, copied.copy):
        client_at(each, copied.deployment, "enterprise" if each is copied.real else "provider").send(
            calls.withdraw(CONSENT)
        )
    node.switch()
    node.headers = Connection(copied.real.url)
    with refused("CHAIN_DIFFERS_FROM_SEEN"):
        remembered.facts(copied.bundle)
    assert load_seen(memory) == seen
    node.switch()
    remembered.facts(copied.bundle)


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_attack_facts_of_a_block_before_the_remembered_block_are_refused(
    chain: Chain, consented: Consented, memory: Path, ask: Asked
) -> None:
    """The facts come from the block before the certificate's revocation. With them, the certificate would be valid."""
    node = StuckConnection(chain.node.url)
    reader = ChainReader(ChainClient(node, chain.deployment))
    before = reader.latest().number
    chain.client.send(calls.revoke(0, 1, "fraud"))
    running = Remembered(reader, memory)
    ask(running, consented)
    seen = load_seen(memory)
    assert seen is not None and seen.block == before + 1
    node.stuck_at = before
    for process in (running, Remembered(reader, memory)):
        with refused("CHAIN_BEHIND_SEEN"):
            ask(process, consented)
        assert load_seen(memory) == seen
    node.stuck_at = None
    ask(running, consented)


def test_a_node_without_the_remembered_block_is_reported_as_behind(
    chain: Chain, consented: Consented, memory: Path
) -> None:
    """Two nodes share one address. The facts come from one node, and are then compared with blocks of the other node,
    which does not have the block of the facts yet.
    """

    class Lagging(Connection):
        def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
            answers = zip(calls, super().ask_many(calls), strict=True)
            return [None if method == "eth_getBlockByNumber" else answer for (method, _), answer in answers]

    Remembered(chain.reader, memory).facts(consented.bundle)
    lagging = ChainReader(ChainClient(Lagging(chain.node.url), chain.deployment))
    with refused("CHAIN_BEHIND_SEEN"):
        Remembered(lagging, memory).facts(consented.bundle)


def test_a_log_that_lost_a_batch_is_noticed_although_the_newest_block_did_not_change(
    chain: Chain, consented: Consented, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While there is no new block, a process compares the chain with its memory only at the first read, and then every
    ten seconds. So a new process notices the loss at once, and a running process after ten seconds.
    """
    remembered = Remembered(chain.reader, memory)
    remembered.facts(consented.bundle)
    seen = load_seen(memory)
    assert seen is not None
    save_seen(memory, replace(seen, logs={**seen.logs, RIVAL.no: LogFact(1, "ee" * 32)}))
    remembered.facts(consented.bundle)
    with refused("CHAIN_DIFFERS_FROM_SEEN"):
        Remembered(chain.reader, memory).facts(consented.bundle)
    monkeypatch.setattr(remembering, "COMPARE_SECONDS", 0)
    with refused("CHAIN_DIFFERS_FROM_SEEN"):
        remembered.facts(consented.bundle)


def test_a_record_that_another_process_stored_meanwhile_is_not_overwritten(
    chain: Chain, consented: Consented, memory: Path
) -> None:
    """While this process reads its facts, another process stores a record. The facts were not compared with this
    record, so they do not replace it. The next call compares its facts with the record.
    """

    class Meanwhile(Connection):
        """A connection. During its first request, another process writes the memory file."""

        wrote: Seen | None = None

        def block(self, number: int | str = "latest") -> Block | None:
            if self.wrote is not None:
                save_seen(memory, self.wrote)
            return super().block(number)

    node = Meanwhile(chain.node.url)
    remembered = Remembered(ChainReader(ChainClient(node, chain.deployment)), memory)
    remembered.facts(consented.bundle)
    seen = load_seen(memory)
    assert seen is not None
    chain.node.mine(2)
    node.wrote = replace(seen, block=seen.block + 1, block_hash="ee" * 32)
    remembered.facts(consented.bundle)
    assert load_seen(memory) == node.wrote
    with refused("CHAIN_DIFFERS_FROM_SEEN"):
        remembered.facts(consented.bundle)
