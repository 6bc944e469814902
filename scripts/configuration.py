"""Write docs/configuration.md: every environment variable that the product reads, with its default and bounds.

Example:
    python scripts/configuration.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer
from pydantic.fields import FieldInfo

from ledger.installation.settings import Settings

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "configuration.md"
HEAD: Final = """\
# 配置 Configuration

本页由 `python scripts/configuration.py` 生成。所有设置都是环境变量，都有默认值。时间以秒计。
命令的 `--home` 优先于 `PINGZHENG_HOME`。

`python scripts/configuration.py` writes this page. Every setting is an environment variable with a default. Times are
in seconds. The option `--home` of a command has priority over `PINGZHENG_HOME`.

## 账本的设置 Settings of a ledger

| 变量 variable | 默认 default | 范围 range | 作用 purpose |
|---|---|---|---|
"""
SIGNS: Final = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
# Environment variables that are not settings of a ledger: a command or a key provider reads them.
OTHERS: Final = {
    "PINGZHENG_LOG": (
        "WARNING",
        "DEBUG, INFO, WARNING, ERROR",
        "The lowest level of log lines that are written to standard error.",
    ),
    "PINGZHENG_KEK_<id>": (
        "–",
        "64 hex digits",
        "A key that wraps data keys; read by the key provider `environment`.",
    ),
    "PINGZHENG_KEK_CURRENT": ("–", "an id", "The id of the key that wraps new records."),
    "PINGZHENG_WALLET": ("holder.wallet", "a file", "The path of the holder's wallet file."),
    "PINGZHENG_WALLET_PASSPHRASE": (
        "asked for",
        "a line",
        "The passphrase of the wallet; `--passphrase-file` has priority.",
    ),
    "PINGZHENG_WALLET_NEW_PASSPHRASE": ("asked for", "a line", "The new passphrase that `wallet passphrase` sets."),
    "PINGZHENG_API_KEY": (
        "–",
        "a key",
        "The API key with which `provision run` calls a platform; `--api-key` has priority.",
    ),
    "PINGZHENG_RECORDS": ("provider-records", "a folder", "The folder of a provider's records of its answers."),
    "PINGZHENG_SOURCES": ("–", "a folder", "The folder of files that describe a provider's data sources."),
}


def page() -> str:
    """Return the page as Markdown."""
    settings = [_setting(name, field) for name, field in Settings.model_fields.items()]
    others = [_row(f"`{name}`", *columns) for name, columns in OTHERS.items()]
    more = ["", "## 命令的变量 Variables of commands", "", *HEAD.splitlines()[-2:], *others]
    return HEAD + "\n".join([*settings, *more]) + "\n"


def _setting(name: str, field: FieldInfo) -> str:
    default = "–" if field.default is None else f"`{field.default}`"
    return _row(f"`PINGZHENG_{name.upper()}`", default, _range(field), field.description or "")


def _range(field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    bounds = [(sign, getattr(bound, name)) for bound in field.metadata for name, sign in SIGNS if hasattr(bound, name)]
    return ", ".join(f"{sign} {bound}" for sign, bound in bounds) or "–"


def _row(*columns: str) -> str:
    return f"| {' | '.join(columns)} |"


def main() -> None:
    """Write docs/configuration.md."""
    PAGE.write_text(page(), "utf-8")
    typer.echo(f"wrote docs/{PAGE.name}: {len(Settings.model_fields) + len(OTHERS)} variables")


if __name__ == "__main__":
    typer.run(main)
