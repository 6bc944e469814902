"""Prints the summary of a run: counts, stages, refused cases, duplicates, and the provenance of one asset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from ledger.demo.stages import Run
from ledger.demo.tally import by_check

SHOWN_DUPLICATES = 3

_COUNTS = {
    "institutions": "机构 institutions",
    "resources": "数据资源 resources",
    "registrations": "登记 registrations",
    "duplicates_refused": "重复登记被拒 duplicates refused",
    "lives": "后续变更的登记 registrations with a later history",
    "subjects": "数据主体 data subjects",
    "requested": "请求 requests",
    "authorised": "已授权 authorised",
    "issued": "用数凭证 usage certificates",
    "verified": "核验有效并使用 verified as valid and used",
    "caught": "反例被拦下 refused, as expected",
}
# The columns of the first of two tables about requests. One table with all columns would be wider than a terminal.
_ASKED = {
    "requested": "请求\nasked",
    "declined": "拒绝\ndeclined",
    "unanswered": "未答\nlapsed",
    "authorised": "授权\nauthorised",
    "supplied": "提供\nsupplied",
    "no_data": "无数据\nno data",
    "refused": "拒供\nrefused",
}
_ISSUED = {"timed_out": "超时\nlate", "issued": "签发\nissued", "verified": "有效\nvalid"}
STAND_IN = (
    "主体的姓名、证号均为虚构；数据行取自真实公开面板，列的对应只是代替（如以工资代替缴费基数）。\n"
    "Names and numbers of subjects are invented. The rows come from real public panels, whose columns stand in for\n"
    "others (a wage for the contribution base, for example). 对应表 The mapping is in summary.json."
)


def print_summary(console: Console, run: Run) -> None:
    """Print the run's report, and how many of its acts were already done in earlier runs."""
    console.print(_counts(run), _stages(run), *_found(run), *_scenarios(run), STAND_IN, _refusals(run), _caught(run))
    console.print(*([_powers(run)] if run.powers else []), _duplicates(run), _transfer(run))


def _counts(run: Run) -> Table:
    table = _table("数量 Counts", "", _number(""))
    table.show_header = False
    for name, title in _COUNTS.items():
        table.add_row(title, f"{run.counts.get(name, 0):,}")
    return table


def _stages(run: Run) -> Table:
    numbers = (_number(head) for head in ("数量 count", "秒 s", "gas", "gas/件 each"))
    table = _table("阶段 Stages", _folded("阶段 stage"), *numbers)
    for stage in run.stages:
        gas = (f"{stage.gas:,}", f"{stage.gas_each:,}") if stage.gas else ("–", "–")
        table.add_row(stage.name, f"{stage.count:,}", f"{stage.seconds:.1f}", *gas)
    table.add_row("合计 total", "", f"{sum(stage.seconds for stage in run.stages):.1f}", "", "", style="bold")
    return table


def _found(run: Run) -> tuple[str, ...]:
    if not run.found:
        return ()
    return (
        f"接续此前的演示：其中 {run.found:,} 项此前已完成，没有重做；秒和 gas 只计本次。\n"
        f"This run continued an earlier one: {run.found:,} of these acts were already done and not repeated. Seconds\n"
        "and gas are of this run only.",
    )


def _scenarios(run: Run) -> tuple[Table, Table]:
    more = ("拦下\ncaught", "秒\ns", "存证 gas/件\nanchors, each", "使用 gas/件\nuse, each")
    asked = _table("场景：从请求到提供 Scenarios, from request to supply", "场景", *map(_number, _ASKED.values()))
    used = _table(
        "场景：从签发到使用 Scenarios, from issuance to use", "场景", *map(_number, (*_ISSUED.values(), *more))
    )
    for tally in run.tallies.values():
        asked.add_row(tally.scenario, *(str(tally.counts[name] or "–") for name in _ASKED))
        used.add_row(
            tally.scenario,
            *(str(tally.counts[name] or "–") for name in _ISSUED),
            str(len(tally.caught)),
            f"{tally.seconds:.1f}",
            f"{tally.gas_each:,}",
            f"{tally.use_gas_each:,}",
        )
    return asked, used


def _table(title: str, *columns: Column | str) -> Table:
    return Table(*columns, title=title, title_justify="left")


def _number(head: str) -> Column:
    return Column(head, justify="right")


def _folded(head: str) -> Column:
    return Column(head, overflow="fold")


def _refusals(run: Run) -> Table:
    columns = map(_folded, ("检查 check", "代码 code", "场景 scenarios"))
    table = _table("各场景由哪项检查拦下 The check that refused, by scenario", *columns)
    found: dict[tuple[str, str], list[str]] = {}
    for tally in run.tallies.values():
        for check, code, count in tally.refusals():
            found.setdefault((check, code), []).append(f"{tally.scenario}×{count}")
    for (check, code), scenarios in sorted(found.items(), key=lambda item: by_check(*item[0])):
        table.add_row(check, code, " ".join(scenarios))
    return table


def _caught(run: Run) -> Table:
    table = _table(
        "反例：各由哪项检查拦下 Cases that must fail, and the check that refused each",
        _folded("情形 case"),
        _number("次 times"),
        "检查 check",
        _folded("代码 code"),
        Column("", justify="center"),
    )
    for case in run.cases:
        right = "✓" if case["as_expected"] else "✗"
        table.add_row(case["case"], str(case["count"]), case["check"], case["code"], right)
    return table


def _powers(run: Run) -> Table:
    """Return the events of the key recovery as a table. Times are in seconds since the loss was reported. Institutions
    are given by the numbers that they got when the ledger was founded.
    """
    powers, officers = run.powers, {party: str(place) for place, party in enumerate(run.powers["officers"], start=1)}
    recovery, change, forged = powers["recovery"], powers["recovery"]["proposal"], powers["veto"]["proposal"]
    events = [
        (
            recovery["reported_at"],
            "企业丢失密钥，机构 1 挂失，当即生效 A firm lost its key: officer 1 reported the loss, effective at once",
        ),
        (change["at"], _proposed("新密钥", "A new key for it", change, officers)),
        (forged["at"], _proposed("伪造另一企业的恢复", "A forged recovery of another firm", forged, officers)),
        (forged["ended_at"], "该企业以自己的密钥否决 That firm vetoed the recovery with its own key"),
        (
            change["ended_at"],
            f"等待 {powers['delay']} 秒后，新密钥生效 After {powers['delay']} s of waiting the new key took effect",
        ),
        (None, f"企业以新密钥授权并出示 With the new key the firm consented, and presented {recovery['certificate']}"),
    ]
    table = _table(
        "密钥恢复与否决 A recovered key, and a vetoed forged recovery", _number("秒 s"), _folded("事件 event")
    )
    for at, event in events:
        table.add_row("–" if at is None else f"+{at - recovery['reported_at']}", event)
    return table


def _proposed(chinese: str, english: str, proposal: Mapping[str, Any], officers: Mapping[str, str]) -> str:
    by, other = officers[proposal["by"]], officers[proposal["confirmed_by"]]
    return f"{chinese}：机构 {by} 提议，{other} 确认 {english}: proposed by officer {by}, confirmed by officer {other}"


def _duplicates(run: Run) -> Table:
    title = f"重复登记（前 {SHOWN_DUPLICATES} 条）Duplicate registrations, first {SHOWN_DUPLICATES}"
    table = _table(title, "资源 resource", _folded("说明 message"))
    for refusal in run.refused[:SHOWN_DUPLICATES]:
        table.add_row(refusal["resource"], refusal["message"])
    return table


def _transfer(run: Run) -> Table:
    title = f"溯源 Provenance of asset {run.transfer['asset'][:12]}…"
    table = _table(title, "事件 event", _number("区块 block"), "交易 transaction")
    for event in run.transfer["events"]:
        table.add_row(event["name"], str(event["block"]), event["tx"][:16] + "…")
    proof = run.transfer["completeness"]
    verdict = "完整 complete" if proof["complete"] else "不完整 INCOMPLETE"
    table.add_row(f"{verdict}: {proof['events']} events", str(proof["block"]), f"head {proof['head'][:16]}…")
    return table
