"""Nodes and journals for the tests of the local chain's journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ledger.chain.accounts import account_of
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.rpc.connection import Block, Connection
from tests.support.chain.deployed import test_key

KEY = test_key("owner of a journaled chain")
OWNER = account_of(bytes.fromhex(KEY))


def journaled(directory: Path, *, persistent: bool = True) -> LocalNode:
    return LocalNode(directory, program=JOURNAL, chain_id=4409, funded=[OWNER], persistent=persistent)


def journal_of(directory: Path) -> Path:
    return directory / "journal.jsonl"


def blocks_of(node: LocalNode) -> list[Block | None]:
    connection = Connection(node.url)
    return connection.blocks(range(connection.block_number() + 1))


def sealed(records: Iterable[dict[str, Any]]) -> bytes:
    """Return the text of a journal with these records and their checksums. The text is built from the description of
    the format, and not with the product's code.
    """
    lines, before = [], ""
    for record in records:
        body = json.dumps(record, separators=(",", ":"))[:-1]
        before = hashlib.sha256((before + body).encode()).hexdigest()[:16]
        lines.append(f'{body},"sum":"{before}"}}\n')
    return "".join(lines).encode()


def records_in(raw: bytes) -> list[dict[str, Any]]:
    """Return the records of a journal without their checksums."""
    records = [json.loads(line) for line in raw.splitlines()]
    for record in records:
        del record["sum"]
    return records
