"""What a node's answers must look like: each function gives the value, or raises ``Malformed``.

A node is asked for hex numbers, hashes, blocks, receipts and logs. It may answer anything. Nothing goes on from here
that has not the right form, and nothing that is not what was asked for: another block, another transaction's receipt, a
log outside of the range.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# SQLite and most other programs count in 63 bits.
MAX_NUMBER: Final = 2**63 - 1
# The end of the year 9999, in seconds UTC: no calendar goes further.
MAX_TIME: Final = 253_402_300_799
MAX_WORD: Final = 2**256 - 1
_MAX_TOPICS: Final = 4
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class Malformed(ValueError):
    """An answer is not what the call returns; the text says what was expected. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header as far as the ledger needs it; ``time`` is seconds UTC, hashes are 64 hex digits."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int | None
    gas_limit: int


def quantity(value: Any, most: int = MAX_NUMBER) -> int:
    """A number from 0 to ``most``, from hex digits after ``0x``."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Malformed("a number in hex is expected")
    number = int(value, 16)
    if number > most:
        raise Malformed("a smaller number is expected")
    return number


def octets(value: Any) -> bytes:
    """Bytes from an even number of hex digits after ``0x``."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise Malformed("bytes in hex are expected")
    return bytes.fromhex(value[2:])


def hash_of(value: Any) -> str:
    """A hash as 64 lower-case hex digits without ``0x``."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Malformed("a hash of 32 bytes is expected")
    return value[2:].lower()


def address_of(value: Any) -> str:
    """An address, ``0x`` and 40 lower-case digits."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Malformed("an address of 20 bytes is expected")
    return value.lower()


def named(names: Sequence[str], number: int) -> str:
    """The name of a number in its list; another number comes from contracts that are not ours."""
    if not 0 <= number < len(names):
        raise Malformed("a number that has a name is expected")
    return names[number]


def block_of(raw: Any, number: int | None = None) -> Block | None:
    """A block from a node's answer, None where it has none; with ``number`` it must be that one."""
    if raw is None:
        return None
    fields = _fields(raw)
    base_fee = fields.get("baseFeePerGas")
    block = Block(
        number=quantity(fields.get("number")),
        hash=hash_of(fields.get("hash")),
        parent=hash_of(fields.get("parentHash")),
        time=quantity(fields.get("timestamp"), MAX_TIME),
        base_fee=None if base_fee is None else quantity(base_fee, MAX_WORD),
        gas_limit=quantity(fields.get("gasLimit")),
    )
    if number is not None and block.number != number:
        raise Malformed("the block of the number asked for is expected")
    return block


def receipt_of(raw: Any, tx_hash: str) -> dict[str, Any] | None:
    """The receipt of that very transaction, None where it has no block yet. Its fields stay as the node gave them."""
    if raw is None:
        return None
    fields = _fields(raw)
    if hash_of(fields.get("transactionHash")) != tx_hash.lower():
        raise Malformed("the receipt of the transaction asked for is expected")
    if fields.get("blockNumber") is None:
        return None
    number, block = quantity(fields["blockNumber"]), hash_of(fields.get("blockHash"))
    quantity(fields.get("status"), 1)
    quantity(fields.get("gasUsed"))
    if fields.get("contractAddress") is not None:
        address_of(fields["contractAddress"])
    for log in _list(fields.get("logs")):
        log_of(log)
        if (quantity(log["blockNumber"]), hash_of(log["blockHash"])) != (number, block):
            raise Malformed("logs of the receipt's own block are expected")
    return fields


def transaction_of(raw: Any, tx_hash: str) -> dict[str, Any] | None:
    """That very transaction, None where the node does not know it. Its fields stay as the node gave them."""
    if raw is None:
        return None
    fields = _fields(raw)
    if hash_of(fields.get("hash")) != tx_hash.lower():
        raise Malformed("the transaction asked for is expected")
    address_of(fields.get("from"))
    quantity(fields.get("nonce"))
    octets(fields.get("input"))
    if fields.get("to") is not None:
        address_of(fields["to"])
    if fields.get("blockNumber") is not None:
        quantity(fields["blockNumber"])
    return fields


def pending_nonces_of(raw: Any, address: str) -> set[int] | None:
    """The nonces of an account's transactions in a block to come; None for one that has a hash: it is mined."""
    if raw is None:
        return None
    fields = _fields(raw)
    transactions = _list(fields.get("transactions"))
    if fields.get("hash") is not None or not all(isinstance(each, dict) for each in transactions):
        return None
    own = [each for each in transactions if address_of(each.get("from")) == address]
    return {quantity(each.get("nonce")) for each in own}


def log_of(raw: Any) -> dict[str, Any]:
    """A log in its block. Its fields stay as the node gave them."""
    fields = _fields(raw)
    address_of(fields.get("address"))
    octets(fields.get("data"))
    topics = _list(fields.get("topics"))
    if len(topics) > _MAX_TOPICS:
        raise Malformed("at most four topics are expected")
    for topic in topics:
        hash_of(topic)
    quantity(fields.get("blockNumber"))
    quantity(fields.get("logIndex"))
    hash_of(fields.get("blockHash"))
    hash_of(fields.get("transactionHash"))
    if fields.get("removed") not in (None, False):
        raise Malformed("logs that the chain holds are expected")
    return fields


def logs_of(raw: Any, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The logs that match a query, as ``eth_getLogs`` takes it; each once."""
    first, last = quantity(query["fromBlock"]), quantity(query["toBlock"])
    addresses = {address.lower() for address in query["address"]}
    found = [log_of(log) for log in _list(raw)]
    for log in found:
        if not first <= quantity(log["blockNumber"]) <= last or address_of(log["address"]) not in addresses:
            raise Malformed("logs of the blocks and contracts asked for are expected")
        if not _matches(log["topics"], query["topics"]):
            raise Malformed("logs of the topics asked for are expected")
    if len({(quantity(log["blockNumber"]), quantity(log["logIndex"])) for log in found}) != len(found):
        raise Malformed("each log once is expected")
    return found


def log_query(addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None]) -> dict[str, Any]:
    """The parameter of an ``eth_getLogs`` over blocks ``first`` to ``last``, both included."""
    return {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last), "topics": list(topics)}


def _matches(topics: Sequence[str], wanted: Sequence[str | None]) -> bool:
    if len(topics) < len(wanted):
        return False
    return all(each is None or each.lower() == topic.lower() for each, topic in zip(wanted, topics, strict=False))


def _fields(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Malformed("an object is expected")
    return dict(raw)


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise Malformed("a list is expected")
    return raw
