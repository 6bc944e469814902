"""Checks the form of a node's answers. Each function returns the value in the answer, or raises ``Malformed``.

A dishonest node may answer anything. An answer is refused if it has the wrong form, or if it does not fit the question:
for example, if it contains another block than was asked for, the receipt of another transaction, or a log outside the
range of blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# The largest integer that SQLite and many other programs can store.
MAX_NUMBER: Final = 2**63 - 1
# The end of the year 9999 in seconds UTC, the last year that Python's datetime knows.
MAX_TIME: Final = 253_402_300_799
MAX_WORD: Final = 2**256 - 1
_MAX_TOPICS: Final = 4
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class Malformed(ValueError):
    """An answer does not have the expected form; the text names the expected form.

    Never raised outside this package.
    """


@dataclass(frozen=True, slots=True)
class Block:
    """The parts of a block's header that the ledger needs; ``time`` is seconds UTC, hashes are 64 hex digits."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int | None
    gas_limit: int


def quantity(value: Any, most: int = MAX_NUMBER) -> int:
    """Return the number from 0 to ``most`` that the answer gives as hex digits after ``0x``."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Malformed("a number in hex is expected")
    number = int(value, 16)
    if number > most:
        raise Malformed("a smaller number is expected")
    return number


def octets(value: Any) -> bytes:
    """Return the bytes that the answer gives as an even number of hex digits after ``0x``."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise Malformed("bytes in hex are expected")
    return bytes.fromhex(value[2:])


def hash_of(value: Any) -> str:
    """Return a hash in an answer as 64 lower-case hex digits without ``0x``."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Malformed("a hash of 32 bytes is expected")
    return value[2:].lower()


def address_of(value: Any) -> str:
    """Return an address in an answer as ``0x`` and 40 lower-case digits."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Malformed("an address of 20 bytes is expected")
    return value.lower()


def named(names: Sequence[str], number: int) -> str:
    """Return the name at place ``number`` of the list. Raises ``Malformed`` if our contracts do not use this number."""
    if not 0 <= number < len(names):
        raise Malformed("a number that has a name is expected")
    return names[number]


def block_of(raw: Any, number: int | None = None) -> Block | None:
    """Return the block in an answer, or None if the node has no such block. With ``number``, the block must have this
    number.
    """
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
    """Check that a receipt belongs to the given transaction, and return the receipt's fields, or None if no block has
    the transaction yet.
    """
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
    """Check that the answer is the given transaction; return its fields, or None if the node does not know it."""
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
    """Return the nonces of an account's transactions in the pending block, or None if the answer is not a pending
    block.
    """
    if raw is None:
        return None
    fields = _fields(raw)
    transactions = _list(fields.get("transactions"))
    if fields.get("hash") is not None or not all(isinstance(each, dict) for each in transactions):
        return None
    own = [each for each in transactions if address_of(each.get("from")) == address]
    return {quantity(each.get("nonce")) for each in own}


def log_of(raw: Any) -> dict[str, Any]:
    """Check a log of a mined transaction and return its fields unchanged."""
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
        raise Malformed("logs that are still part of the chain are expected")
    return fields


def logs_of(raw: Any, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the logs, after checking that each matches the ``eth_getLogs`` query and that none is repeated."""
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
    """Return the parameter of an ``eth_getLogs`` call for blocks ``first`` to ``last``, both included."""
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
