"""Writes docs/gas.md: the measured gas of each act, its limit, and the reason if the gas has risen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scripts.gas.limits import MAX_RUNTIME_BYTES, PROJECT, SIZE_FILE, committed

PAGE: Final = PROJECT / "docs" / "gas.md"
HEAD: Final = """\
# Gas: what a transaction costs

`python -m scripts.gas` measures every act on a local chain (ganache), and writes this page, `contracts/gas.json` and
`contracts/size.json`. A test measures again and compares. A figure above its limit has a reason, and so has a figure
that is higher than before.

“Each” is the share of one item in a batch. “Forwarded” means that the party signs a request and the platform pays.
“Signed” means that anybody can send what the party signed.

These decisions explain the figures:
[3, a revocation](adr/0003-what-a-revocation-buys.md),
[4, the storage of an asset](adr/0004-one-asset-one-word.md),
[9, what is counted by statement and by position](adr/0009-keyed-by-what-was-signed.md),
[11, proposals](adr/0011-two-parties-and-a-delay.md).
"""
LIMIT: Final = f"A contract may have at most {MAX_RUNTIME_BYTES:,} bytes of code."


def page(table: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int]) -> str:
    """Return docs/gas.md, made from the committed figures."""
    figures = [f"| {name} | {row['gas']:,} | {_limit(row)} |" for name, row in table.items()]
    above = [f"| {name} | {row['why']} |" for name, row in table.items() if "why" in row]
    rises = [
        f"| {name} | {row['rise']['from']:,} | {row['gas']:,} | {row['rise']['why']} |"
        for name, row in table.items()
        if "rise" in row
    ]
    code = [f"| {name} | {size:,} | {MAX_RUNTIME_BYTES - size:,} |" for name, size in sizes.items()]
    heads = {
        "Acts": ["| act | gas | limit |", "|---|---:|---:|"],
        "Above the limit": ["| act | reason |", "|---|---|"],
        "Higher than before": ["| act | before | now | what the difference buys |", "|---|---:|---:|---|"],
        "Size of the code": ["| contract | bytes | left |", "|---|---:|---:|"],
    }
    sections = zip(heads.items(), (figures, above, rises, code), strict=True)
    parts = [f"## {title}\n\n" + "\n".join([*head, *rows]) for (title, head), rows in sections]
    return "\n\n".join([HEAD.rstrip("\n"), *parts, LIMIT]) + "\n"


def write(path: Path = PAGE) -> None:
    """Write the page from contracts/gas.json and contracts/size.json."""
    path.write_text(page(committed(), json.loads(SIZE_FILE.read_text())), "utf-8")


def _limit(row: Mapping[str, Any]) -> str:
    return f"{row['limit']:,}" if "limit" in row else "–"
