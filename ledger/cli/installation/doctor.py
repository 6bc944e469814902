"""``pingzheng doctor``: check every part of an installation, and print each problem with its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from ledger.cli.shell.output import AsJson, Home, console, labels, print_json
from ledger.installation.explanations import explanation

if TYPE_CHECKING:
    from ledger.domain.findings import Finding
    from ledger.installation.examining import Part


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """逐项检查账本的安装：文件、密钥、数据库、链、条目、归档；说明问题和处理办法，不改动任何内容。Check every part of
    an installation: files, keys, database, chain, entries and archive. Each problem is printed with the next step;
    nothing is changed. The command also works if the ledger cannot be opened. The exit code is 1 if there is a problem.

    示例 Examples:  pingzheng doctor · pingzheng doctor --home /srv/ledger --json
    """
    from ledger.installation.doctor import Doctor
    from ledger.installation.settings import Settings

    parts = Doctor(Settings.at(home)).examine()
    fine = not any(part.findings for part in parts)
    if as_json:
        print_json({"ok": fine, "parts": [_shown(part) for part in parts]})
    else:
        for part in parts:
            _print(part)
    if not fine:
        raise typer.Exit(1)


def _shown(part: Part) -> dict[str, object]:
    shown = part.to_dict()
    listed = [*shown["findings"], *shown["remarks"]]
    for each, finding in zip(listed, [*part.findings, *part.remarks], strict=True):
        explained = explanation(finding.code, finding.message, finding.hint)
        each |= {"message": explained.message, "hint": explained.hint}
    return shown


def _print(part: Part) -> None:
    head = f"{labels('part')[part.name]} {part.name}"
    if part.skipped:
        console.print(
            f"[yellow]–[/] {head}: 未检查，请先处理 not checked; first solve the problem in: {part.skipped}",
            highlight=False,
        )
    elif not part.findings:
        console.print(f"[green]✓[/] {head}", highlight=False)
    for finding in part.findings:
        _print_finding(f"[bold red]✗[/] {head}", finding)
    for remark in part.remarks:
        _print_finding(f"[yellow]![/] {head}", remark)


def _print_finding(head: str, finding: Finding) -> None:
    explained = explanation(finding.code, finding.message, finding.hint)
    line = f"{head}: [bold]{finding.code}[/]  {escape(explained.message)}"
    console.print(line, highlight=False, soft_wrap=True)
    if finding.where:
        console.print(f"    位置 where: {finding.where}", highlight=False, markup=False, soft_wrap=True)
    if explained.hint:
        console.print(f"    下一步 next: {explained.hint}", highlight=False, markup=False, soft_wrap=True)
