"""``pingzheng status``, ``log`` and ``index``: inspect the ledger, its log and its index."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.installation.restore import adopt, lost
from ledger.cli.shell.group import Group
from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import AsJson, Home, confirm, emit

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.installation.wiring import Ledger

log = Group()
index = Group()


def status(ledger: Participant, as_json: AsJson = False) -> None:
    """检查链、数据库、条目、存证和索引是否正常；有一项不正常的，退出码为 1。Check chain, database, entries, anchoring
    and index. The exit code is 1 if a check finds a problem.

    示例 Example:  pingzheng status
    """
    checks = ledger.inspection.readiness() | {"entries": _entries(ledger)}
    checks |= _archive(ledger) | _sealing(ledger) | _lost(ledger)
    emit(checks, as_json, "状态 Status")
    fine = all(check["ok"] for check in checks.values())
    if not fine:
        raise typer.Exit(1)


def _archive(ledger: Participant) -> dict[str, Any]:
    """Return the state of the archive, or an empty object if there is no archive."""
    archiving = getattr(ledger, "archiving", None)
    state = None if archiving is None else archiving.check()
    return {} if state is None else {"archive": state}


def _sealing(ledger: Participant) -> dict[str, Any]:
    """Return how many encrypted texts cannot be read since a restore, and how to make them readable. The map is empty
    if all texts can be read.
    """
    from ledger.store.sealing import closed_texts

    with ledger.database.read() as session:
        found = closed_texts(session)
    return {} if found is None else {"sealing": {"ok": False, "code": found.code, **found.details, "hint": found.hint}}


def _lost(ledger: Participant) -> dict[str, Any]:
    """Return which batches were lost and how many entries are missing. The map is empty if no batch was lost.

    ``ok`` is true although batches are lost, because the operator accepted the loss at the restore.
    """
    from ledger.installation.recovery.adopting import lost_finding

    with ledger.database.read() as session:
        found = lost_finding(session)
    return {} if found is None else {"lost": {"ok": True, "code": found.code, **found.details, "hint": found.hint}}


log.command()(adopt)
log.command()(lost)


@log.command()
def head(ledger: Participant, as_json: AsJson = False) -> None:
    """显示链上的日志头，检查索引的历史是否与它相符，以及条目是否被改动。Show the log's head (running digest) on the
    chain. Check that the indexed history gives the same head, and that no entry was changed. The exit code is 1 if a
    check fails.

    示例 Example:  pingzheng log head
    """
    shown = ledger.inspection.head() | {"entries": _entries(ledger)}
    emit(shown, as_json, "日志头 Head")
    if not shown["entries"]["ok"] or shown["finding"] is not None:
        raise typer.Exit(1)


@log.command()
def batch(ledger: Ledger, number: Annotated[int, typer.Argument(min=0)], as_json: AsJson = False) -> None:
    """显示一个批次的条目范围、根和存证。Show which entries a batch contains, its root, and its anchor on the chain.

    示例 Example:  pingzheng log batch 0
    """
    emit(ledger.inspection.batch(number), as_json, f"批次 Batch {number}")


@log.command()
def proof(ledger: Ledger, seq: Annotated[int, typer.Argument(min=0)], as_json: AsJson = False) -> None:
    """显示条目的存证证明。Show the inclusion proof of an entry: it proves that the entry is in its anchored batch.

    示例 Example:  pingzheng log proof 0
    """
    emit(ledger.inspection.proof(ledger.actor(ledger.party), seq), as_json, f"存证证明 Proof of entry {seq}")


@log.command()
def anchor(ledger: Ledger, as_json: AsJson = False) -> None:
    """立即把所有等待的条目上链存证。Anchor all waiting entries now.

    示例 Example:  pingzheng log anchor
    """
    done = ledger.anchoring.flush()
    emit({"batches": done.batches, "gas": done.gas}, as_json)


@index.command()
def rebuild(
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="If the chain's last blocks are lost for good: continue with the blocks that are left.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """删除索引，再按链上的记录重建。加 --accept-loss 的，链丢失的批次重新上链；丢失的撤销、登记等须由您重新办理。Delete
    the index and build it again from the chain.

    With --accept-loss, batches that the chain has lost are anchored again. You must repeat the lost revocations,
    registrations and other acts.

    示例 Examples:  pingzheng index rebuild · pingzheng index rebuild --accept-loss --yes
    """
    if accept_loss:
        with opened(home, as_json) as ledger:
            confirm("接受现有的链，放弃已丢失的内容？ Accept the remaining chain and give up the lost acts?", yes)
            emit(asdict(ledger.accept_loss()), as_json, "接受丢失 Accepted")
        return
    with participating(home, as_json) as ledger:
        done = ledger.follower.rebuild()
        emit({"events": done.events, "block": done.block_number}, as_json, "索引 Index")


@index.command()
def check(ledger: Participant, as_json: AsJson = False) -> None:
    """另建一份索引，与现有索引逐行比较；并将每个资产、条目和批次与链上核对。Build the index a second time and compare
    it with the present index, row by row. Also compare every asset's head (running digest), every entry and every batch
    with the chain.

    The exit code is 1 if there is a difference; `findings` lists the differences.

    示例 Example:  pingzheng index check
    """
    ledger.follower.sync()
    findings = ledger.inspection.entries()
    before = ledger.follower.snapshot_rows()
    ledger.follower.rebuild()
    after = ledger.follower.snapshot_rows()
    differing = sorted(name for name in after if before[name] != after[name])
    audit = ledger.follower.audit()
    result = {
        "rows": sum(map(len, after.values())),
        "equal": not differing,
        "differing": differing,
        "assets": audit.assets,
        "assets_on_chain": audit.assets_on_chain,
        "assets_agree": audit.agrees,
        "assets_differing": list(audit.differing),
        "findings": [finding.to_dict() for finding in findings],
    }
    emit(result, as_json, "索引 Index")
    if differing or findings or not audit.agrees:
        raise typer.Exit(1)


def _entries(ledger: Participant) -> dict[str, Any]:
    findings = ledger.inspection.entries()
    if not findings:
        return {"ok": True}
    return {"ok": False, "code": findings[0].code, "where": [finding.where for finding in findings]}
