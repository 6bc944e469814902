"""``pingzheng ruleset``: shows rulesets. A ruleset contains the time limits and choices of a registration authority."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, console, emit, emit_rows, labels, print_json
from ledger.domain.definitions.ruleset import Ruleset
from ledger.installation.settings import Settings
from ledger.rulebooks.rulesets import RulesetBook

app = Group()


@app.command("list")
def listing(as_json: AsJson = False) -> None:
    """列出规则集，并标出生效的规则集。List the rulesets, and mark the ruleset in force.

    示例 Example:  pingzheng ruleset list
    """
    settings = Settings.at(None)
    book = RulesetBook.load(settings.rulesets)
    chosen = book.get(settings.ruleset)
    rows = [
        {
            "code": item.code,
            "标题 title": f"{item.title.zh} {item.title.en}",
            "standing": item.standing,
            "version": item.version,
            "生效 in force": item is chosen,
        }
        for item in book.all()
    ]
    emit_rows(rows, as_json, "规则集 Rulesets")


@app.command()
def show(
    code: Annotated[str | None, typer.Argument(help="Code of the ruleset; default: the ruleset in force.")] = None,
    as_json: AsJson = False,
) -> None:
    """查看规则集的期限、选项和依据。Show the time limits and choices of a ruleset, and on what they are based.

    示例 Example:  pingzheng ruleset show national
    """
    settings = Settings.at(None)
    item = RulesetBook.load(settings.rulesets).get(code or settings.ruleset)
    if as_json:
        print_json(asdict(item))
        return
    console.print(f"[bold]{item.code}[/] {item.title.zh} {item.title.en}, {labels('ruleset_standing')[item.standing]}")
    emit(_shown(item), as_json)
    for basis in item.basis:
        console.print(f"依据 basis: {basis}", markup=False)


def _shown(item: Ruleset) -> dict[str, object]:
    noticed = ", ".join(kind for kind, needed in item.notice.items() if needed)
    return {label: getattr(item, name) for name, label in labels("ruleset").items()} | {
        "须公示 public notice required": noticed
    }
