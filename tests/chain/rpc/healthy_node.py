"""The answers of a healthy node to the calls of each method of a connection, and a check of error messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection
from ledger.errors import ChainUnavailable
from tests.support.chain.faulty_node import FaultyNode

Read = Callable[[Connection], Any]
ADDRESS: Final = "0x" + "ab" * 20
HASH: Final = "ee" * 32
MAX_BYTES: Final = 1 << 20
BLOCK: Final = {
    "number": "0x5",
    "hash": "0x" + "11" * 32,
    "parentHash": "0x" + "22" * 32,
    "timestamp": "0x65",
    "baseFeePerGas": "0x7",
    "gasLimit": "0x1c9c380",
    # A proof-of-authority chain has such long extra data; some libraries refuse more than 32 bytes.
    "extraData": "0x" + "ab" * 97,
}
LOG: Final[dict[str, Any]] = {
    "address": ADDRESS,
    "topics": ["0x" + "33" * 32],
    "data": "0x",
    "blockNumber": "0x5",
    "blockHash": BLOCK["hash"],
    "transactionHash": "0x" + HASH,
    "logIndex": "0x0",
    "removed": False,
}
RECEIPT: Final = {
    "transactionHash": "0x" + HASH,
    "blockNumber": "0x5",
    "blockHash": BLOCK["hash"],
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
    "logs": [LOG],
}
TRANSACTION: Final = {
    "hash": "0x" + HASH,
    "from": ADDRESS,
    "to": None,
    "nonce": "0x3",
    "input": "0x60",
    "blockNumber": None,
}
HEALTHY: Final[dict[str, Any]] = {
    "eth_chainId": "0x539",
    "eth_blockNumber": "0x7",
    "eth_getBlockByNumber": BLOCK,
    "eth_getCode": "0x60",
    "eth_call": "0x01",
    "eth_getTransactionCount": "0x3",
    "eth_getBalance": hex(10**27),
    "eth_gasPrice": "0x3b9aca07",
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_estimateGas": "0x5208",
    "eth_sendRawTransaction": "0x" + HASH,
    "eth_getTransactionReceipt": RECEIPT,
    "eth_getTransactionByHash": TRANSACTION,
    "eth_getLogs": [LOG],
}
READERS: Final[dict[str, Read]] = {
    "chain_id": lambda node: node.chain_id(),
    "block_number": lambda node: node.block_number(),
    "block latest": lambda node: node.block(),
    "block": lambda node: node.block(5),
    "blocks": lambda node: node.blocks([5, 5]),
    "code": lambda node: node.code(ADDRESS),
    "call": lambda node: node.call(ADDRESS, b""),
    "call_many": lambda node: node.call_many([(ADDRESS, b"")]),
    "transaction_count": lambda node: node.transaction_count(ADDRESS),
    "balance": lambda node: node.balance(ADDRESS),
    "gas_price": lambda node: node.gas_price(),
    "tip": lambda node: node.tip(),
    "estimate_gas": lambda node: node.estimate_gas(ADDRESS, b"", sender=ADDRESS),
    "send_raw": lambda node: node.send_raw(b"raw"),
    "receipt": lambda node: node.receipt(HASH),
    "transaction": lambda node: node.transaction(HASH),
    "logs": lambda node: node.logs([ADDRESS], 5, 5),
}


def refused(ask: Callable[[], Any], node: FaultyNode | None = None) -> ChainUnavailable:
    """Check that a call is refused and that its error has a message, a place and a hint; return the error."""
    with pytest.raises(ChainUnavailable) as caught:
        ask()
    assert caught.value.message and caught.value.hint
    assert node is None or caught.value.where == node.url
    assert json.dumps(caught.value.details)
    return caught.value
