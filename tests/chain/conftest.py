"""Fixtures for the tests of the chain: a chain on a fast node, and the contracts, which are compiled only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.contracts.abi import Interface
from ledger.chain.contracts.compile import HARNESS, compile_contracts
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Sender
from tests.support.chain.deployed import PARTIES, Chain, deployed_on
from tests.support.places import PROJECT


@dataclass(frozen=True, slots=True)
class Harness:
    """A deployed contract whose functions call the libraries of the contracts, so that tests can call the libraries."""

    connection: Connection
    interface: Interface
    address: str

    def ask(self, function: str, rows: list[tuple[Any, ...]]) -> list[Any]:
        """Call one function once for each argument list in ``rows``, all in one request, and return the answers."""
        calls = [(self.address, self.interface.encode_call(function, row)) for row in rows]
        answers = self.connection.call_many(calls)
        return [self.interface.decode_result(function, answer)[0] for answer in answers]


@pytest.fixture
def fast_chain(tmp_path: Path) -> Iterator[Chain]:
    """Return a chain like ``chain``, but on its own fast node, for tests that write thousands of records."""
    funded = [party.account for party in PARTIES.values()]
    with LocalNode(tmp_path, program=JOURNAL, chain_id=4413, funded=funded, persistent=False) as node:
        client = ChainClient(Connection(node.url), deployed_on(node), PARTIES["issuer"].key)
        yield Chain(node, client.deployment, client, ChainReader(client), dict(PARTIES))


@pytest.fixture(scope="session")
def compiled() -> dict[str, dict[str, Any]]:
    """Return the artifacts of the contracts by name, compiled from the current sources."""
    return compile_contracts(PROJECT)


@pytest.fixture(scope="session")
def harness(node: LocalNode, compiled: dict[str, dict[str, Any]]) -> Harness:
    artifact = compiled[HARNESS]
    connection = Connection(node.url)
    key = bytes.fromhex(PARTIES["enterprise"].key)
    sender = Sender(connection, key, chain_id=node.chain_id, reverts=RevertReader([]))
    receipt = sender.send(None, bytes.fromhex(artifact["bytecode"]))
    return Harness(connection, Interface(HARNESS, artifact["abi"]), str(receipt["contractAddress"]).lower())
