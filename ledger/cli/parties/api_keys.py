"""``pingzheng api-key``: keys for machines, which a party makes and revokes in a session of its own."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.parties.login import checked_id, kept_session
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, errors_explained
from ledger.domain.days import DAY

app = typer.Typer(no_args_is_help=True)


class Scope(StrEnum):
    """What a machine may do."""

    READ = "read"
    ACT = "act"
    PAYLOAD = "payload"


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What the machine is, in one line; no person's name.")],
    scope: Annotated[
        list[Scope],
        typer.Option(
            help="read: records; act: for you; payload: what is said of subjects. Repeat.", show_default=False
        ),
    ],
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days it lasts.")] = 90,
    out: Annotated[Path | None, typer.Option(help="File for the key, readable by you alone; default: shown.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为程序生成密钥，须先登录：限定范围，按期失效，只显示这一次。Make a key for a machine, signed in: with scopes, for
    a time, shown this once. It ends with the key that you signed in by.

    示例 Example:  pingzheng api-key new answering-machine --scope payload --scope act --scope read --out
    grid.api
    """
    with errors_explained(as_json):
        from ledger.wallet.private_file import write_private

        kept = kept_session(home)
        wanted = {"name": name, "scopes": [each.value for each in scope], "expires_at": int(time.time()) + days * DAY}
        made = kept.call("POST", "/v1/api-keys", wanted)
        told = {member: made[member] for member in ("id", "name", "scopes", "expires_at")}
        if out is None:
            told["api_key"] = made["key"]
        else:
            write_private(out, f"{made['key']}\n")
            told["file"] = str(out)
        emit(told, as_json, "API 密钥 API key")


@app.command("list")
def listing(home: Home = None, as_json: AsJson = False) -> None:
    """列出本方的程序密钥：范围、到期日、最近使用日，不含密钥本身。The keys of your party's machines: scopes, end, day
    of the last use; never the keys themselves.

    示例 Example:  pingzheng api-key list
    """
    with errors_explained(as_json):
        emit_rows(kept_session(home).call("GET", "/v1/api-keys")["items"], as_json, "API 密钥 API keys")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """吊销程序密钥，立即失效。Revoke a machine's key, at once.

    示例 Example:  pingzheng api-key revoke 01JD8Z3W0S6V3M5E0Q9T4N7R2B
    """
    with errors_explained(as_json):
        kept_session(home).call("DELETE", f"/v1/api-keys/{checked_id(key)}")
        emit({"id": key, "revoked": True}, as_json, "已吊销 Revoked")
