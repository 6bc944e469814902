"""Stores which block and logs a verifier saw, so that the verifier notices if a node later shows a fork of the chain
(protocol §8).

The chain must still contain what the verifier saw: the block with the stored number has the stored hash, and each log
still has the stored batch. A newest block with a higher number does not prove that the chain is the same. A newest
block with a lower number proves that the node is behind, or that the chain was reset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.contracts.whole_file import write_whole
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block
from ledger.domain.canonical import parse_json
from ledger.errors import ChainUnavailable, InvalidInput, Misconfigured
from ledger.proof.facts import Facts, Heads, LogFact

FORMAT: Final = "pingzheng-seen/2"
MAX_SEEN_BYTES: Final = 1024 * 1024
_HEX32: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verifier stores of the chain data that it read last: ledger digest, block, heads, and a map from issuer
    number to log.

    Hashes are 64 hex digits.
    """

    ledger: str
    block: int
    block_hash: str
    heads: Heads
    logs: Mapping[int, LogFact]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the stored file as JSON values."""
        return {
            "format": FORMAT,
            "ledger": self.ledger,
            "block": {"number": self.block, "hash": self.block_hash},
            "heads": asdict(self.heads),
            "logs": [{"issuer": issuer, **asdict(log)} for issuer, log in sorted(self.logs.items())],
        }

    def followed_by(self, now: Seen) -> Seen:
        """Return what to store after reading ``now``. Logs that ``now`` does not name stay stored.

        Raises ``ChainUnavailable`` if the stored data and ``now`` cannot belong to one chain: ``CHAIN_BEHIND_SEEN`` if
        the block of ``now`` is earlier, ``CHAIN_DIFFERS_FROM_SEEN`` if ``now`` has another ledger, another block of the
        same number, or a log that lost or changed a batch.
        """
        if now.ledger != self.ledger:
            raise _differs("ledger")
        if now.block < self.block:
            raise _behind(self.block)
        if now.block == self.block and (now.block_hash, now.heads) != (self.block_hash, self.heads):
            raise _differs(f"block {now.block}")
        for issuer, log in now.logs.items():
            # A verifier reads only the logs that it needs, so a stored log may have been read at an earlier block than
            # the stored block. So the log in ``now`` may be longer than the stored log, even if the block is the same.
            known = self.logs.get(issuer, log)
            if log.batches < known.batches or (log.batches == known.batches and log.newest != known.newest):
                raise _differs(f"log of issuer {issuer}")
        return replace(now, logs={**self.logs, **now.logs})


def seen_from(facts: Facts, before: Seen | None = None) -> Seen:
    """Return what to store after reading these facts (chain data). ``before`` is what was stored earlier.

    Raises what ``Seen.followed_by`` raises.
    """
    now = Seen(facts.chain.ledger, facts.block, facts.block_hash, facts.heads, dict(facts.logs))
    return now if before is None else before.followed_by(now)


def seen_at(reader: ChainReader, block: Block) -> Seen:
    """Return the ledger, the block, and the contracts' heads as of this block. The map of logs is empty."""
    reads = reader.batched(block.number)
    heads = [reads.head(contract) for contract in (PARTY_REGISTRY, CERTIFICATE_LOG)]
    return Seen(reader.chain.ledger, block.number, block.hash, Heads(*(head() for head in heads)), {})


def require_contained(reader: ChainReader, seen: Seen, now: Seen | None = None) -> None:
    """Raise unless the chain still contains the block and logs in ``seen``. Sends one request to the node.

    ``now`` is what the chain shows, by default at its newest block. The chain must contain ``now`` too, because several
    nodes may answer at one address, and ``now`` may come from another node than the answers here. Raises
    ``ChainUnavailable``: ``CHAIN_BEHIND_SEEN`` if the node has not reached the block that was seen,
    ``CHAIN_DIFFERS_FROM_SEEN`` if the chain does not contain that block, lacks a batch, or belongs to another ledger.
    """
    now = now or seen_at(reader, reader.latest())
    seen.followed_by(now)
    reads = reader.batched(now.block)
    blocks = [(each, reads.block(each.block)) for each in (seen, now)]
    found = {issuer: reads.commitment(issuer, log.batches - 1) for issuer, log in seen.logs.items()}
    for each, answer in blocks:
        if (block := answer()) is None:
            raise _behind(each.block)
        if block.hash != each.block_hash:
            raise _differs(f"block {each.block}")
    for issuer, commitment in found.items():
        if commitment() != seen.logs[issuer].newest:
            raise _differs(f"log of issuer {issuer}")


def load_seen(path: Path) -> Seen | None:
    """Return what the file stores, or None if there is no file.

    Raises ``Misconfigured`` ``SEEN_FORM`` if the file has another format.
    """
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MAX_SEEN_BYTES:
            raise ValueError("file too large")
        return _seen(parse_json(path.read_bytes(), max_bytes=MAX_SEEN_BYTES))
    except (InvalidInput, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            "SEEN_FORM",
            f"The file does not have the format {FORMAT}.",
            where=str(path),
            hint="Restore the file from a copy. Without it, a chain that was copied and continued is not noticed.",
        ) from error


def save_seen(path: Path, seen: Seen) -> None:
    """Write the whole file, or leave the old file as it is."""
    write_whole(path, json.dumps(seen.to_dict(), indent=1, sort_keys=True) + "\n")


def _seen(raw: Any) -> Seen:
    if raw["format"] != FORMAT:
        raise ValueError("the file has another format")
    logs = {_number(log["issuer"]): LogFact(_number(log["batches"]), _hex32(log["newest"])) for log in raw["logs"]}
    if len(logs) != len(raw["logs"]) or any(not log.batches for log in logs.values()):
        raise ValueError("a log is listed twice, or has no batch")
    return Seen(
        ledger=_hex32(raw["ledger"]),
        block=_number(raw["block"]["number"]),
        block_hash=_hex32(raw["block"]["hash"]),
        heads=Heads(_hex32(raw["heads"]["party_registry"]), _hex32(raw["heads"]["certificate_log"])),
        logs=logs,
    )


def _number(raw: Any) -> int:
    if type(raw) is not int or raw < 0:
        raise ValueError("an integer from 0 is expected")
    return raw


def _hex32(raw: Any) -> str:
    if not isinstance(raw, str) or not _HEX32.fullmatch(raw):
        raise ValueError("64 lower-case hex digits are expected")
    return raw


def _behind(block: int) -> ChainUnavailable:
    return ChainUnavailable(
        "CHAIN_BEHIND_SEEN",
        "The node has not reached a block of this chain that was seen before.",
        where=f"block {block}",
        hint="Ask another node, or wait until this node is in sync: the blocks that it lacks may contain a revocation.",
    )


def _differs(where: str) -> ChainUnavailable:
    return ChainUnavailable(
        "CHAIN_DIFFERS_FROM_SEEN",
        "The chain does not contain the blocks that this program saw before.",
        where=where,
        hint="The chain was copied and continued, or reset. Ask another node, and ask the other users of the ledger.",
    )
