"""``pingzheng status``, ``log`` and ``index``: looking at the ledger."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.installation.restore import adopt, lost
from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import AsJson, Home, confirm, emit

if TYPE_CHECKING:
    from ledger.installation.participant import Participant

log = typer.Typer(no_args_is_help=True)
index = typer.Typer(no_args_is_help=True)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """检查链、数据库、条目、存证和索引是否正常；不正常时退出码为 1。Whether chain, database, entries, anchoring and
    index are in order; exit code 1 if not.

    示例 Example:  pingzheng status
    """
    with participating(home, as_json) as ledger:
        checks = ledger.inspection.readiness() | {"entries": _entries(ledger)}
        checks |= _archive(ledger) | _sealing(ledger) | _lost(ledger)
        emit(checks, as_json, "状态 Status")
        fine = all(check["ok"] for check in checks.values())
    if not fine:
        raise typer.Exit(1)


def _archive(ledger: Participant) -> dict[str, Any]:
    """How far the archive goes, where there is one."""
    archiving = getattr(ledger, "archiving", None)
    told = None if archiving is None else archiving.check()
    return {} if told is None else {"archive": told}


def _sealing(ledger: Participant) -> dict[str, Any]:
    """How many texts are closed since a restore, and what opens them; nothing if none is."""
    from ledger.store.sealing import closed_texts

    with ledger.database.read() as session:
        found = closed_texts(session)
    return {} if found is None else {"sealing": {"ok": False, "code": found.code, **found.details, "hint": found.hint}}


def _lost(ledger: Participant) -> dict[str, Any]:
    """Return the number of lost batches and missing entries; empty if no batch is lost.

    ``ok`` stays true: the operator accepted the loss at the restore.
    """
    from ledger.installation.recovery.adopting import lost_finding

    with ledger.database.read() as session:
        found = lost_finding(session)
    return {} if found is None else {"lost": {"ok": True, "code": found.code, **found.details, "hint": found.hint}}


log.command()(adopt)
log.command()(lost)


@log.command()
def head(home: Home = None, as_json: AsJson = False) -> None:
    """链上的日志头，索引的历史是否与之相符，条目是否为当初所追加。The log's head on the chain, whether the indexed
    history folds to it, and whether the entries are those that were appended. Exit code 1 if not.

    示例 Example:  pingzheng log head
    """
    with participating(home, as_json) as ledger:
        told = ledger.inspection.head() | {"entries": _entries(ledger)}
        emit(told, as_json, "日志头 Head")
    if not told["entries"]["ok"] or told["finding"] is not None:
        raise typer.Exit(1)


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
        emit(ledger.inspection.proof(ledger.actor(ledger.party), seq), as_json, f"存证证明 Proof of entry {seq}")


@log.command()
def anchor(home: Home = None, as_json: AsJson = False) -> None:
    """立即把等待的条目上链。Anchor now what waits for its batch.

    示例 Example:  pingzheng log anchor
    """
    with opened(home, as_json) as ledger:
        done = ledger.anchoring.flush()
        emit({"batches": done.batches, "gas": done.gas}, as_json)


@index.command()
def rebuild(
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="链丢失了末尾且无法恢复：以现有的链为准。The chain lost its end for good: take it as it is.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """丢弃索引，从链上重放。Drop the index and replay it from the chain.

    With --accept-loss, batches that the chain has lost wait again for their anchor. Revocations, registrations and
    other acts that it has lost must be done again.

    示例 Examples:  pingzheng index rebuild · pingzheng index rebuild --accept-loss --yes
    """
    if accept_loss:
        with opened(home, as_json) as ledger:
            confirm("以现有的链为准，放弃它丢失的内容？ Take the chain as it is and give up what it lost?", yes)
            emit(asdict(ledger.accept_loss()), as_json, "接受丢失 Accepted")
        return
    with participating(home, as_json) as ledger:
        done = ledger.follower.rebuild()
        emit({"events": done.events, "block": done.block_number}, as_json, "索引 Index")


@index.command()
def check(home: Home = None, as_json: AsJson = False) -> None:
    """重放索引并逐行比较，把每个资产的头与链上的比较，再核对每个条目和批次。Replay the index and compare it row for
    row with the one that was, every asset's head with the chain's, every entry with its leaf, and every batch with its
    root and its anchor.

    Exit code 1 on a difference; `findings` names it.

    示例 Example:  pingzheng index check
    """
    with participating(home, as_json) as ledger:
        ledger.follower.sync()
        findings = ledger.inspection.entries()
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
            "findings": [finding.to_dict() for finding in findings],
        }
        emit(told, as_json, "索引 Index")
    if differing or findings or not audit.agrees:
        raise typer.Exit(1)


def _entries(ledger: Participant) -> dict[str, Any]:
    findings = ledger.inspection.entries()
    if not findings:
        return {"ok": True}
    return {"ok": False, "code": findings[0].code, "where": [finding.where for finding in findings]}
