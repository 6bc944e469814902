"""Write docs/commands.md: a list of every command, with its help text in Chinese and English.

Example:
    python scripts/commands.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer
from typer.main import get_group

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger.cli.main import GROUPS, app, loaded

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "commands.md"
_EXAMPLE: Final = re.compile(r"\n*示例 Examples?:.*", re.DOTALL)
# The Chinese sentence comes first; the English text begins after the last Chinese full stop.
_LANGUAGES: Final = re.compile(r"(?P<zh>.*[\u4e00-\u9fff][^\u4e00-\u9fff]*?。)\s*(?P<en>[A-Z`].*)", re.DOTALL)
HEAD: Final = """\
# 命令一览 Commands

本页由 `python scripts/commands.py` 根据各命令的说明生成。
`pingzheng 命令 --help` 显示选项和示例。除 `serve` 外，每个命令都有 `--json`。

`python scripts/commands.py` writes this page from the help of the commands. `pingzheng COMMAND --help` shows the
options of a command with an example. Every command except `serve` takes `--json`.
"""
SINGLE: Final = "单个命令 Single commands"
COLUMNS: Final = "| 命令 command | 作用 | what it does |\n|---|---|---|\n"


def commands() -> dict[str, Any]:
    """Return a map from the name of each command, such as ``party add``, to the command."""
    whole = get_group(app)
    for group in GROUPS:
        whole.add_command(loaded(group), group)
    return dict(_leaves(whole, ()))


def page() -> str:
    """Return the page in Markdown, with a table for each group of commands."""
    sections: dict[str, list[str]] = {}
    for name, command in commands().items():
        row = f"| `pingzheng {name}` | {' | '.join(_about(command.help or ''))} |\n"
        sections.setdefault(name.split(" ")[0] if " " in name else SINGLE, []).append(row)
    return HEAD + "".join(f"\n## {group}\n\n{COLUMNS}{''.join(rows)}" for group, rows in sections.items())


def _leaves(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def _about(text: str) -> tuple[str, str]:
    """Return the Chinese and the English help text of a command, each on one line and without examples."""
    said = " ".join(_EXAMPLE.sub("", text).split()).replace("|", "\\|")
    found = _LANGUAGES.fullmatch(said)
    return (found["zh"], found["en"]) if found else (said, "")


def main() -> None:
    """Write docs/commands.md."""
    PAGE.write_text(page(), "utf-8")
    typer.echo(f"wrote docs/{PAGE.name}: {len(commands())} commands")


if __name__ == "__main__":
    typer.run(main)
