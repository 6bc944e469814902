"""``pingzheng status``, ``log`` and ``index``: looking at the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.opening import opened, participating
from ledger.cli.output import AsJson, Home, emit

log = typer.Typer(no_args_is_help=True)
index = typer.Typer(no_args_is_help=True)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """检查链、数据库、存证和索引是否正常；不正常时退出码为 1。Whether chain, database, anchoring and index are in
    order; exit code 1 if not.

    示例 Example:  pingzheng status
    """
    with participating(home, as_json) as ledger:
        checks = ledger.inspection.readiness()
        emit(checks, as_json, "状态 Status")
        fine = all(check["ok"] for check in checks.values())
    if not fine:
        raise typer.Exit(1)


@log.command()
def head(home: Home = None, as_json: AsJson = False) -> None:
    """链上的日志头，以及索引的历史是否与之相符。The log's head on the chain, and whether the indexed history folds
    to it.

    示例 Example:  pingzheng log head
    """
    with participating(home, as_json) as ledger:
        emit(ledger.inspection.head(), as_json, "日志头 Head")


@log.command()
def batch(number: Annotated[int, typer.Argument(min=0)], home: Home = None, as_json: AsJson = False) -> None:
    """一个批次：范围、根和锚点。One batch: its range, root and anchor.

    示例 Example:  pingzheng log batch 0
    """
    with opened(home, as_json) as ledger:
        emit(ledger.inspection.batch(number), as_json, f"批次 Batch {number}")


@log.command()
def proof(seq: Annotated[int, typer.Argument(min=0)], home: Home = None, as_json: AsJson = False) -> None:
    """条目的存证证明。The inclusion proof of an entry.

    示例 Example:  pingzheng log proof 0
    """
    with opened(home, as_json) as ledger:
        emit(ledger.inspection.proof(seq), as_json, f"存证证明 Proof of entry {seq}")


@log.command()
def anchor(home: Home = None, as_json: AsJson = False) -> None:
    """立即把等待的条目上链。Anchor now what waits for its batch.

    示例 Example:  pingzheng log anchor
    """
    with opened(home, as_json) as ledger:
        done = ledger.anchoring.flush()
        emit({"batches": done.batches, "gas": done.gas}, as_json)


@index.command()
def rebuild(home: Home = None, as_json: AsJson = False) -> None:
    """丢弃索引，从链上重放。Drop the index and replay it from the chain.

    示例 Example:  pingzheng index rebuild
    """
    with participating(home, as_json) as ledger:
        done = ledger.follower.rebuild()
        emit({"events": done.events, "block": done.block_number}, as_json, "索引 Index")


@index.command()
def check(home: Home = None, as_json: AsJson = False) -> None:
    """重放索引并与原来的逐行比较，再把每个资产的头与链上的比较。Replay the index and compare it row for row with
    the one that was, and every asset's head with the chain's.

    Exit code 1 on a difference.

    示例 Example:  pingzheng index check
    """
    with participating(home, as_json) as ledger:
        ledger.follower.sync()
        before = ledger.follower.snapshot_rows()
        ledger.follower.rebuild()
        after = ledger.follower.snapshot_rows()
        differing = sorted(name for name in after if before[name] != after[name])
        audit = ledger.follower.audit()
        told = {
            "rows": sum(map(len, after.values())),
            "equal": not differing,
            "differing": differing,
            "assets": audit.assets,
            "assets_on_chain": audit.assets_on_chain,
            "assets_agree": audit.agrees,
            "assets_differing": list(audit.differing),
        }
        emit(told, as_json, "索引 Index")
    if differing or not audit.agrees:
        raise typer.Exit(1)
