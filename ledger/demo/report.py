"""The run's summary for people: counts, stages, unhappy cases, duplicates, one provenance."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ledger.demo.stages import Run

SHOWN_DUPLICATES = 3

_COUNTS = {
    "parties": "参与方 parties",
    "resources": "数据资源 resources",
    "registrations": "登记 registrations",
    "duplicates_refused": "重复登记被拒 duplicates refused",
    "lives": "走完一生的登记 registrations lived to their end",
    "authorizations": "授权 authorisations",
    "provisions": "提供 provisions",
    "usage_certificates": "用数凭证 usage certificates",
    "verifications": "核验 verifications",
    "verified_valid": "核验有效 verified as valid",
}


def print_summary(console: Console, run: Run) -> None:
    """Everything the run has to tell."""
    console.print(_counts(run), _stages(run), _unhappy(run), _duplicates(run), _transfer(run))


def _counts(run: Run) -> Table:
    table = Table(title="数量 Counts", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, title in _COUNTS.items():
        table.add_row(title, f"{run.counts.get(name, 0):,}")
    return table


def _stages(run: Run) -> Table:
    table = Table(title="阶段 Stages", title_justify="left")
    table.add_column("阶段 stage")
    for head in ("数量 count", "秒 s", "gas", "gas/件 each"):
        table.add_column(head, justify="right")
    for stage in run.stages:
        gas = (f"{stage.gas:,}", f"{stage.gas_each:,}") if stage.gas else ("–", "–")
        table.add_row(stage.name, f"{stage.count:,}", f"{stage.seconds:.1f}", *gas)
    table.add_row("合计 total", "", f"{sum(stage.seconds for stage in run.stages):.1f}", "", "", style="bold")
    return table


def _unhappy(run: Run) -> Table:
    table = Table(title="反例：各由哪项检查拦下 Unhappy cases, and the check that caught each", title_justify="left")
    table.add_column("情形 case")
    table.add_column("检查 check")
    table.add_column("代码 code")
    table.add_column("", justify="center")
    for caught in run.caught:
        table.add_row(caught.case, caught.check, caught.code, "✓" if caught.right else "✗")
    return table


def _duplicates(run: Run) -> Table:
    title = f"重复登记（前 {SHOWN_DUPLICATES} 条）Duplicate registrations, first {SHOWN_DUPLICATES}"
    table = Table(title=title, title_justify="left")
    table.add_column("资源 resource")
    table.add_column("说明 message")
    for refusal in run.refused[:SHOWN_DUPLICATES]:
        table.add_row(refusal["resource"], refusal["message"])
    return table


def _transfer(run: Run) -> Table:
    table = Table(title=f"溯源 Provenance of asset {run.transfer['asset'][:12]}…", title_justify="left")
    table.add_column("事件 event")
    table.add_column("区块 block", justify="right")
    table.add_column("交易 transaction")
    for event in run.transfer["events"]:
        table.add_row(event["name"], str(event["block"]), event["tx"][:16] + "…")
    proof = run.transfer["completeness"]
    verdict = "完整 complete" if proof["complete"] else "不完整 INCOMPLETE"
    table.add_row(f"{verdict}: {proof['events']} events", str(proof["block"]), f"head {proof['head'][:16]}…")
    return table
