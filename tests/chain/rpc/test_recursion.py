"""Tests that deeply nested JSON is harmless, and that importing the chain's libraries does not change the recursion
limit.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import refused
from tests.support.chain.faulty_node import FaultyNode
from tests.support.chain.node_faults import BODIES


def test_deep_json_does_not_crash_a_process_with_a_high_recursion_limit(
    node: FaultyNode, connection: Connection
) -> None:
    """Signing libraries raise the recursion limit. With the higher limit, deeply nested JSON could overflow the
    parser's stack.
    """
    limit = sys.getrecursionlimit()
    node.fault = BODIES["JSON that is too deep"]
    sys.setrecursionlimit(100_000)
    try:
        assert refused(connection.chain_id, node).code == "NODE_ANSWER_INVALID"
    finally:
        sys.setrecursionlimit(limit)


LOADS: Final = """
import sys
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.sending.nonces import Wanted
from ledger.chain.sending.fees import Fees
from ledger.chain.sending.sender import Sender
from ledger.errors import ChainUnavailable

limit = sys.getrecursionlimit()
node = Connection("http://127.0.0.1:1")
try:
    node.chain_id()
except ChainUnavailable:
    print("asked", sys.getrecursionlimit() == limit)
Sender(node, bytes([1] * 32), chain_id=1, reverts=RevertReader([]))._signed(Wanted(None, b"", 21_000), 0, Fees(1, 1))
print("signed", sys.getrecursionlimit() == limit, "py_ecc" in sys.modules)
"""


def test_loading_the_chains_libraries_keeps_the_recursion_limit() -> None:
    result = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.split("\n")[:2] == ["asked True", "signed True True"]
