"""What a verifier saw of a ledger, so that a chain that was copied and continued is noticed (protocol §8).

A chain must still contain what was seen: the block of that number has that hash, and each log has that batch. A higher
block number alone proves nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ledger.chain.reader import ChainReader
from ledger.chain.whole_file import write_whole
from ledger.domain.canonical import parse_json
from ledger.errors import ChainUnavailable, InvalidInput, Misconfigured
from ledger.proof.facts import Facts, Heads, LogFact

FORMAT: Final = "pingzheng-seen/2"
MAX_SEEN_BYTES: Final = 1024 * 1024
_HEX32: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seen:
    """Of the last facts: the ledger digest, the block, the heads, and the logs by issuer's number; hashes 64 hex."""

    ledger: str
    block: int
    block_hash: str
    heads: Heads
    logs: Mapping[int, LogFact]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "ledger": self.ledger,
            "block": {"number": self.block, "hash": self.block_hash},
            "heads": asdict(self.heads),
            "logs": [{"issuer": issuer, **asdict(log)} for issuer, log in sorted(self.logs.items())],
        }


def seen_from(facts: Facts, before: Seen | None = None) -> Seen:
    """What to remember after these facts. ``before`` is what was remembered: its other logs are kept, and all of it if
    the facts are older. Raises ``ChainUnavailable`` ``CHAIN_DIFFERS_FROM_SEEN`` for facts of another ledger."""
    ledger = facts.chain.ledger
    if before is None:
        return Seen(ledger, facts.block, facts.block_hash, facts.heads, dict(facts.logs))
    if before.ledger != ledger:
        raise _differs("ledger")
    if before.block > facts.block:
        return before
    return Seen(ledger, facts.block, facts.block_hash, facts.heads, {**before.logs, **facts.logs})


def require_contained(reader: ChainReader, seen: Seen) -> None:
    """Raises ``ChainUnavailable`` ``CHAIN_DIFFERS_FROM_SEEN`` unless the chain is of that ledger and still contains
    what was seen."""
    if reader.chain.ledger != seen.ledger:
        raise _differs("ledger")
    block = reader.block(seen.block)
    if block is None or block.hash != seen.block_hash:
        raise _differs(f"block {seen.block}")
    asked = reader.questions("latest")
    found = {issuer: asked.commitment(issuer, log.batches - 1) for issuer, log in seen.logs.items()}
    for issuer, commitment in found.items():
        if commitment() != seen.logs[issuer].newest:
            raise _differs(f"log of issuer {issuer}")


def load_seen(path: Path) -> Seen | None:
    """What was remembered in a file, None if there is no file; raises ``Misconfigured`` ``SEEN_FORM``."""
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MAX_SEEN_BYTES:
            raise ValueError("file too large")
        return _seen(parse_json(path.read_bytes(), max_bytes=MAX_SEEN_BYTES))
    except (InvalidInput, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            "SEEN_FORM",
            f"The file is none of {FORMAT}.",
            where=str(path),
            hint="Restore it from a copy. Without it, a chain that was copied and continued is not noticed.",
        ) from error


def save_seen(path: Path, seen: Seen) -> None:
    """Write the file whole or not at all."""
    write_whole(path, json.dumps(seen.to_dict(), indent=1, sort_keys=True) + "\n")


def _seen(raw: Any) -> Seen:
    if raw["format"] != FORMAT:
        raise ValueError("another format")
    logs = {_number(log["issuer"]): LogFact(_number(log["batches"]), _hex32(log["newest"])) for log in raw["logs"]}
    if len(logs) != len(raw["logs"]) or any(not log.batches for log in logs.values()):
        raise ValueError("a log stands twice, or has no batch")
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


def _differs(where: str) -> ChainUnavailable:
    return ChainUnavailable(
        "CHAIN_DIFFERS_FROM_SEEN",
        "The chain does not contain what was seen of it before.",
        where=where,
        hint="The chain was copied and continued, or it was reset. Ask another node and the other users of the ledger.",
    )
