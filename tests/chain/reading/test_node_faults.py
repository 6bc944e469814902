"""Tests that every read from a faulty node returns the right answer or raises a PingzhengError."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from ledger.chain.contracts.creation import check_creation
from ledger.chain.contracts.deployment import (
    CERTIFICATE_LOG,
    PARTY_REGISTRY,
    Deployment,
    check_deployment,
    deployment_of,
)
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.memory import Seen, require_contained, seen_at
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.chain.watching import key_changes, pending
from ledger.errors import ChainUnavailable, PingzhengError
from ledger.proof.bundle import Position
from tests.support.chain.deployed import PARTIES, SCENARIO, Chain
from tests.support.chain.faulty_node import Call, FaultyNode, Turn
from tests.support.chain.node_faults import BODIES, HTTP, RESULTS, WIRE
from tests.support.chain.outcome import outcome
from tests.support.chain.reads import asset_by_fingerprint, is_silent, next_seq, state_of, use_history, uses_of
from tests.support.chain.scripted_ledger import ALL_ASSETS, CONSENT, REQUEST, live

BANK, FIRM, ISSUER = (PARTIES[name] for name in ("bank", "enterprise", "issuer"))
LEAF: Final = Position(ISSUER.no, 0, 1)


@dataclass(frozen=True, slots=True)
class Faced:
    """A chain with every kind of event, behind a node with faults."""

    chain: Chain
    node: FaultyNode
    last: int

    @property
    def reader(self) -> ChainReader:
        """Return a new reader, which remembers nothing of earlier reads."""
        connection = Connection(self.node.url, timeout=30, max_bytes=1 << 20)
        return ChainReader(ChainClient(connection, self.chain.deployment))


@pytest.fixture(scope="module")
def behind(node: LocalNode, deployment: Deployment) -> Iterator[Faced]:
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployment, ISSUER.key)
    chain = Chain(node, deployment, client, ChainReader(client), dict(PARTIES))
    live(chain)
    with FaultyNode(upstream=node.url) as faulty:
        yield Faced(chain, faulty, chain.reader.block_number())
    node.revert(token)


@pytest.fixture
def lived(behind: Faced) -> Faced:
    behind.node.fault = None
    return behind


def seen(faced: Faced) -> Seen:
    return seen_at(faced.chain.reader, faced.chain.reader.latest())


ASSET: Final = ALL_ASSETS[0]
Read = Callable[[Faced, ChainReader], Any]
READS: Final[dict[str, Read]] = {
    "latest": lambda _, reader: reader.latest(),
    "block_number": lambda _, reader: reader.block_number(),
    "block": lambda faced, reader: reader.block(faced.last),
    "blocks": lambda faced, reader: reader.blocks([1, faced.last]),
    "events": lambda faced, reader: reader.events(reader.deploy_block, faced.last),
    "party_events": lambda faced, reader: reader.party_events(reader.deploy_block, faced.last),
    "heads": lambda _, reader: reader.heads([(PARTY_REGISTRY, None), (CERTIFICATE_LOG, None)]),
    "party_no": lambda _, reader: reader.party_no(FIRM.id),
    "party": lambda _, reader: reader.party(FIRM.no),
    "account": lambda _, reader: reader.account(FIRM.account),
    "accreditation": lambda _, reader: reader.accreditation(ISSUER.no, SCENARIO),
    "batch_count": lambda _, reader: reader.batch_count(ISSUER.no),
    "next_seq": lambda _, reader: next_seq(reader, ISSUER.no),
    "commitment": lambda _, reader: reader.commitment(ISSUER.no, 0),
    "anchored": lambda _, reader: reader.anchored(ISSUER.no, 0),
    "state_of": lambda _, reader: state_of(reader, LEAF),
    "status_of": lambda _, reader: reader.status_of(LEAF),
    "uses_of": lambda _, reader: uses_of(reader, BANK.no, REQUEST),
    "use_history": lambda faced, reader: use_history(reader, BANK.no, REQUEST, block=faced.last),
    "withdrawn_at": lambda _, reader: reader.withdrawn_at(FIRM.no, CONSENT),
    "hold_of": lambda _, reader: reader.hold_of(CONSENT),
    "hold_history": lambda faced, reader: reader.hold_history(CONSENT, block=faced.last),
    "asset": lambda _, reader: reader.asset(ASSET),
    "rights": lambda _, reader: reader.rights(ASSET),
    "annulled_ancestor": lambda _, reader: reader.annulled_ancestor(ASSET),
    "asset_by_fingerprint": lambda _, reader: asset_by_fingerprint(reader, "ab" * 32),
    "asset_count": lambda _, reader: reader.asset_count(),
    "proposals": lambda _, reader: reader.proposals(),
    "officers": lambda _, reader: reader.officers(),
    "paused_until": lambda _, reader: reader.paused_until(),
    "running": lambda _, reader: reader.running(),
    "is_silent": lambda _, reader: is_silent(reader, FIRM.no),
    "key_changes": lambda _, reader: key_changes(reader, FIRM.no, 0),
    "pending": lambda _, reader: pending(reader, FIRM.no),
    "check_deployment": lambda _, reader: check_deployment(reader.connection, reader.deployment),
    "check_creation": lambda _, reader: check_creation(reader.connection, reader.deployment),
    "deployment_of": lambda _, reader: deployment_of(reader.connection, reader.chain).addresses,
    "require_contained": lambda faced, reader: require_contained(reader, seen(faced)),
}
# For these faults and reads, an empty answer is valid, because there may be no events, no code or no contract. The
# value is the result of the read.
EMPTY: Final[dict[tuple[str, str], Any]] = {
    ("a list", "events"): [],
    ("a list", "party_events"): [],
    ("null", "block"): None,
    ("empty hex", "heads"): ["", ""],
    ("hex of odd length", "block_number"): 0x123,
}


@pytest.mark.parametrize("read", READS)
def test_every_reader_reads_a_healthy_node(lived: Faced, read: str) -> None:
    assert READS[read](lived, lived.reader) == READS[read](lived, lived.chain.reader)


@pytest.mark.parametrize("fault", RESULTS)
def test_every_read_refuses_an_unexpected_result(lived: Faced, fault: str) -> None:
    for name, read in READS.items():
        lived.node.fault = RESULTS[fault]
        found = outcome(lambda: read(lived, lived.reader))  # noqa: B023 (called here)
        if (fault, name) in EMPTY:
            assert found == EMPTY[fault, name], name
            continue
        assert isinstance(found, PingzhengError), (name, found)
        # These error codes are also correct, because some wrong answers look like those of a node without our
        # contracts, or of a node that is behind.
        others = {"BLOCK_MISSING", "CONTRACT_MISSING", "CONTRACT_CODE_MISMATCH", "CHAIN_ID_CHANGED"}
        others |= {"CHAIN_GENESIS_CHANGED", "CONTRACT_CREATION_UNKNOWN", "PARTY_HISTORY_INCOMPLETE"}
        assert found.code == "NODE_ANSWER_INVALID" or found.code in others, (name, found.code)


@pytest.mark.parametrize("fault", [*BODIES, *HTTP, *(name for name in WIRE if name != "gzip bomb")])
def test_every_read_turns_a_network_fault_into_a_pingzheng_error(lived: Faced, fault: str) -> None:
    for name, read in READS.items():
        lived.node.fault = {**BODIES, **HTTP, **WIRE}[fault]
        found = outcome(lambda: read(lived, lived.reader))  # noqa: B023 (called here)
        assert isinstance(found, ChainUnavailable), (name, found)
        assert found.where == lived.node.url and found.hint, name


WORDS: Final = [bytes(32), b"\xff" * 32, b"\0" * 31 + b"\x20", b"\0" * 24 + b"\xff" * 8, b"\x80" + bytes(31)]


@pytest.mark.parametrize("seed", range(40))
def test_random_return_data_gives_a_pingzheng_error_or_valid_values(lived: Faced, seed: int) -> None:
    """The random data include unknown numbers, huge lengths, and flags that are neither true nor false."""
    chance = random.Random(seed)

    def made_up(call: Call, answer: Any) -> Any:
        if call["method"] != "eth_call":
            return answer
        words = b"".join(chance.choice([*WORDS, bytes([0] * 31 + [chance.randrange(256)])]) for _ in range(40))
        return {**answer, "result": "0x" + words[: chance.choice([0, 31, 32, 33, 64, 320, 1280])].hex()}

    lived.node.fault = lambda turn: turn.each(made_up)
    for read in READS.values():
        outcome(lambda: read(lived, lived.reader))  # noqa: B023 (called here)


@pytest.mark.parametrize("seed", range(40))
def test_changed_logs_give_a_pingzheng_error_or_valid_values(lived: Faced, seed: int) -> None:
    chance = random.Random(seed)

    def tampered(turn: Turn) -> None:
        def change(call: Call, answer: Any) -> Any:
            if call["method"] != "eth_getLogs" or not answer["result"]:
                return answer
            logs = [dict(log) for log in answer["result"]]
            log = chance.choice(logs)
            field = chance.choice(["topics", "data", "address", "blockNumber", "logIndex"])
            longer = log["data"] + "00"
            odd: Any = chance.choice(["0x", "0x00", longer, "0x" + "ff" * 64, None, 7, [], ["0x" + "ab" * 32]])
            logs[logs.index(log)] = {**log, field: odd}
            return {**answer, "result": logs}

        turn.each(change)

    lived.node.fault = tampered
    for name in ("events", "party_events", "anchored", "status_of", "use_history", "hold_history", "key_changes"):
        outcome(lambda: READS[name](lived, lived.reader))  # noqa: B023 (called here)


def test_a_huge_count_from_the_node_takes_no_memory(lived: Faced) -> None:
    """The node says how many uses and holds there are. The number may be false and huge, so the reader must not create
    a list of that length.
    """
    most = "0x" + f"{2**64 - 1:064x}" * 2

    def counted(call: Call, answer: Any) -> Any:
        return {**answer, "result": most} if call["method"] == "eth_call" else answer

    lived.node.fault = lambda turn: turn.each(counted)
    for name in ("use_history", "hold_history"):
        found = outcome(lambda: READS[name](lived, lived.reader))  # noqa: B023 (called here)
        assert isinstance(found, ChainUnavailable), found
