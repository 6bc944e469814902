"""``pingzheng scenario``: shows the scenarios in force, and checks scenario files before they are used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.shell.group import Group
from ledger.cli.shell.output import (
    EXIT_ERROR,
    AsJson,
    coded,
    console,
    emit,
    emit_rows,
    error_members,
    explain,
    labels,
    print_json,
)
from ledger.domain.definitions.scenario import Scenario
from ledger.errors import PingzhengError
from ledger.installation.settings import Settings
from ledger.rulebooks.scenarios import ScenarioBook, scenario_json

app = Group()

_FEN = 100


@app.command("list")
def listing(as_json: AsJson = False) -> None:
    """列出生效的场景。List the scenarios in force.

    示例 Example:  pingzheng scenario list
    """
    rows = [
        {
            "code": item.code,
            "标题 title": f"{item.title.zh} {item.title.en}",
            "依据 standing": item.standing if as_json else labels("scenario_standing")[item.standing],
            "来源 sources": len(item.sources),
            "mode": item.payload_mode,
            "days": item.max_validity_days,
            "uses": item.max_uses,
        }
        for item in ScenarioBook.load(Settings.at(None).scenarios).all()
    ]
    emit_rows(rows, as_json, "场景 Scenarios")


@app.command()
def show(code: str, as_json: AsJson = False) -> None:
    """查看场景的依据、限制、来源、字段和规则。Show a scenario: on what it is based, and its limits, sources, fields and
    rules.

    示例 Example:  pingzheng scenario show S01
    """
    item = ScenarioBook.load(Settings.at(None).scenarios).get(code)
    if as_json:
        print_json(scenario_json(item))
        return
    _show(item)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Scenario files, YAML.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """检查场景文件，不需要账本；指出每个文件中第一处错误所在的行和成员。Check scenario files without a ledger. For each
    file, report the line and the member of the first mistake.

    The exit code is 2 if there is a mistake.

    示例 Example:  pingzheng scenario check ledger/scenarios/S01.yaml
    """
    found: dict[Path, Scenario] = {}
    errors: dict[Path, PingzhengError] = {}
    for path in dict.fromkeys(files):
        try:
            scenario = ScenarioBook.read(path)
            ScenarioBook.require_new(scenario, path, {known.code: place for place, known in found.items()})
            found[path] = scenario
        except PingzhengError as error:
            errors[path] = error
    if as_json:
        print_json([_checked(path, found.get(path), errors.get(path)) for path in dict.fromkeys(files)])
    else:
        rows = [_checked(path, scenario, None) for path, scenario in found.items()]
        if rows:
            emit_rows(rows, as_json, "无误 Valid")
        for mistake in errors.values():
            explain(mistake)
    if errors:
        raise typer.Exit(EXIT_ERROR)


def _checked(path: Path, scenario: Scenario | None, error: PingzhengError | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"file": str(path), "ok": error is None}
    if error is not None:
        return shown | error_members(error)
    if scenario is not None:
        shown |= {"code": scenario.code, "version": scenario.version, "digest": scenario.digest}
    return shown


def _show(item: Scenario) -> None:
    console.print(f"[bold]{item.code}[/] {item.title.zh} {item.title.en}", highlight=False)
    console.print(f"{item.purpose.zh}\n{item.purpose.en}", highlight=False, markup=False)
    console.print(
        f"[bold]{labels('scenario_standing')[item.standing]}[/]\n{item.basis_note.zh}\n{item.basis_note.en}",
        highlight=False,
    )
    emit(_limits(item), as_json=False)
    sources = [
        {
            "source": source.name,
            "标题 title": f"{source.title.zh} {source.title.en}",
            "提供方 providers": _kinds(source.provider_kinds),
            "列 columns": ", ".join(item.columns_of(source.name)),
        }
        for source in item.sources
    ]
    emit_rows(sources, as_json=False, title="来源 Sources")
    fields = [
        {
            "field": field.name,
            "标题 title": f"{field.title.zh} {field.title.en}",
            "来源 source": field.source,
            "type": field.type,
            "规则 rule": dict(field.rule),
        }
        for field in item.fields
    ]
    emit_rows(fields, as_json=False, title="字段 Fields")
    emit({part: ", ".join(codes) for part, codes in item.rights_duties.items()}, False, "权利义务 Rights and duties")
    console.print(f"摘要 digest {item.digest}", highlight=False, soft_wrap=True)


def _kinds(kinds: Iterable[str]) -> str | None:
    return ", ".join(coded(kind) for kind in sorted(kinds)) or None


def _limits(item: Scenario) -> dict[str, Any]:
    note = item.request_note
    price, cap = item.price.amount / _FEN, item.price.cap / _FEN
    free = "公益使用免费 public use, free"
    return {
        "领域 domain": item.domain,
        "使用方 consumers": _kinds(item.consumer_kinds),
        "主体 subjects": _kinds(item.subject_kinds),
        "法律依据 legal basis": labels("legal_basis")[item.legal_basis],
        "需影响评估 impact assessment needed": item.requires_pia,
        "数据形态 payload": labels("payload_mode")[item.payload_mode],
        "级别 grade": coded(item.grade),
        "有效期上限，日 validity at most, days": item.max_validity_days,
        "次数上限 uses at most": item.max_uses,
        "留存期上限，日 retention at most, days": item.retention_days,
        "渠道 channels": "; ".join(labels("channel")[channel] for channel in item.channels),
        "试点 pilot": f"{item.pilot_from} – {item.pilot_to}",
        "价格，元 price, CNY": free
        if item.price.use == "public"
        else f"{price:.2f}（上限 cap {cap:.2f}） / {labels('price_unit')[item.price.unit]}",
        "申请须写明 the request states": None if note is None else f"{note.zh} {note.en}",
        "版本 version": f"{item.version}（指南 guide {item.guide_version}）",
    }
