"""Print the report of a verification for people: the checks in Chinese and English, and the disclosed fields."""

from __future__ import annotations

from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from ledger.cli.shell.output import console, emit, local_time
from ledger.installation.explanations import explanation
from ledger.proof.report import NAMES, Check, Report, Verdict
from ledger.proof.signing_keys import keys_in_words
from ledger.rulebooks.scenarios import ScenarioBook

ACCEPTED, FIELDS_MISSING, NOT_ACCEPTED = "OK", "FIELDS_MISSING", "NOT_ACCEPTED"
_ANSWERS: Final = {
    ACCEPTED: "[bold green]符合核验方的要求 ACCEPTED[/]",
    FIELDS_MISSING: "[bold red]不符合要求 NOT ACCEPTED: FIELDS_MISSING[/]  未披露 not disclosed:",
    NOT_ACCEPTED: "[bold red]不符合要求 NOT ACCEPTED: NOT_ACCEPTED[/]  取值不可接受 values that are not accepted:",
}
_MARKS: Final = {
    Verdict.PASSED: "[green]✓ 通过 passed[/]",
    Verdict.FAILED: "[bold red]✗ 未通过 failed[/]",
    Verdict.NOT_APPLICABLE: "– 不适用 not applicable",
    Verdict.NOT_REACHED: "… 未进行 not reached",
}
# For each check: its Chinese name, and a Chinese sentence that is true if the check has passed.
_CHECKS: Final = dict(
    zip(
        NAMES,
        (
            ("格式", "凭证和各条目格式正确，属于本账本。"),
            ("签名", "由链上登记的账户签名。"),
            ("签发方", "凭证上链时，签发方有签发资格。"),
            ("披露", "披露的字段与签名时一致。"),
            ("收录", "凭证及其依据都收录在日志中。"),
            ("存证", "凭证包中的存证与链上一致。"),
            ("有效期", "凭证在有效期内。"),
            ("状态", "凭证有效，没有暂停、冻结或撤销。"),
            ("次数", "使用次数尚未用完。"),
            ("使用方", "主体向本使用方出示，随机串相符。"),
            ("授权", "授权有效，提供已签名。"),
        ),
        strict=True,
    )
)
_NOT_MADE: Final = {
    Verdict.NOT_APPLICABLE: "登记凭证不需要这项检查。",
    Verdict.NOT_REACHED: "前面的检查未通过，没有进行这项检查。",
}


def print_report(report: Report, accepted: dict[str, Any] | None, scenarios: ScenarioBook) -> None:
    """Print the checks, the keys, the warnings and the disclosed fields. If the scenario is known here, the fields are
    printed with their titles.
    """
    verdict = "[bold green]有效 VALID[/]" if report.valid else f"[bold red]无效 NOT VALID: {report.result}[/]"
    table = Table(title=f"{report.certificate_no or ''}  {verdict}", title_justify="left")
    for head in ("#", "检查 check", "结果 result", "代码 code", "说明 reason"):
        table.add_column(head, overflow="fold")
    for check in report.checks:
        name = f"{_CHECKS[check.name][0]} {check.name}"
        table.add_row(str(check.number), name, _MARKS[check.verdict], check.code, escape(reason_of(check)))
    console.print(table)
    console.print(
        f"判定时间 judged at {local_time(report.at)} · 链上数据 facts as of block {report.block}, "
        f"{local_time(report.block_time)} (Asia/Shanghai)",
        highlight=False,
    )
    for line in keys_in_words(report, local_time) if report.valid else ():
        console.print(line, highlight=False, markup=False)
    for caution in report.cautions:
        reason = explanation(caution.code, caution.message).message
        console.print(f"[bold yellow]注意 caution[/] [bold]{caution.code}[/]  {escape(reason)}", highlight=False)
    if report.disclosed:
        titles = _titles(report, scenarios)
        shown = {f"{titles.get(name, '')} {name}".strip(): value for name, value in report.disclosed.items()}
        emit(shown, as_json=False, title="披露内容 Disclosed")
    if accepted is not None:
        fields = escape(", ".join(accepted["fields"]))
        console.print(f"{_ANSWERS[accepted['code']]} {fields}".rstrip(), highlight=False, soft_wrap=True)


def reason_of(check: Check) -> str:
    """Return the result of a check as a sentence in Chinese and English."""
    if check.verdict is Verdict.FAILED:
        return explanation(check.code, check.message).message
    chinese = _NOT_MADE.get(check.verdict, _CHECKS[check.name][1])
    if "compared" in check.details:
        chinese += "规则为核验方所认可。" if check.details["compared"] else "规则没有与场景文件比较。"
    return f"{chinese} {check.message}"


def _titles(report: Report, scenarios: ScenarioBook) -> dict[str, str]:
    """Return the Chinese title of each field. The map is empty unless the certificate was issued with the scenario
    definition that is known here.
    """
    definition = report.claims.get("scenario_digest")
    known = (scenario for scenario in scenarios.all() if scenario.digest == definition)
    return {field.name: field.title.zh for scenario in known for field in scenario.fields}
