"""``pingzheng api-key``: API keys for machines, which a signed-in party makes and revokes."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.parties.login import checked_id, kept_session
from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows
from ledger.domain.days import DAY

app = Group()


class Scope(StrEnum):
    """The scopes that an API key can have."""

    READ = "read"
    ACT = "act"
    PAYLOAD = "payload"


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What the key is used for, in one line, without a person's name.")],
    scope: Annotated[
        list[Scope],
        typer.Option(
            help=(
                "What the key allows; repeat for each scope. read: read records; act: act for you; payload: receive "
                "statements about subjects."
            ),
            show_default=False,
        ),
    ],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until the key expires.")] = 90,
    out: Annotated[
        Path | None,
        typer.Option(help="File to which the key is written, readable only by you; default: print the key."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为程序生成 API 密钥，须先登录；密钥有范围和期限，只显示一次。登录所用密钥失效时，API 密钥也随之失效。Make an API
    key for a machine, after signing in. The API key has scopes and an expiry date, and is shown only once. It also
    becomes invalid when the key with which you signed in becomes invalid.

    示例 Example:  pingzheng api-key new answering-machine --scope payload --scope act --scope read --out
    grid.api
    """
    from ledger.wallet.private_file import write_private

    kept = kept_session(home)
    wanted = {"name": name, "scopes": [each.value for each in scope], "expires_at": int(time.time()) + days * DAY}
    made = kept.call("POST", "/v1/api-keys", wanted)
    shown = {member: made[member] for member in ("id", "name", "scopes", "expires_at")}
    if out is None:
        shown["api_key"] = made["key"]
    else:
        write_private(out, f"{made['key']}\n")
        shown["file"] = str(out)
    emit(shown, as_json, "API 密钥 API key")


@app.command("list")
def listing(home: Home = None, as_json: AsJson = False) -> None:
    """列出本方的 API 密钥：范围、到期日、最近使用日；不显示密钥本身。List your party's API keys with their scopes,
    expiry dates and days of last use. The keys themselves are not shown.

    示例 Example:  pingzheng api-key list
    """
    emit_rows(kept_session(home).call("GET", "/v1/api-keys")["items"], as_json, "API 密钥 API keys")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """吊销 API 密钥，立即失效。Revoke an API key at once.

    示例 Example:  pingzheng api-key revoke 01JD8Z3W0S6V3M5E0Q9T4N7R2B
    """
    kept_session(home).call("DELETE", f"/v1/api-keys/{checked_id(key)}")
    emit({"id": key, "revoked": True}, as_json, "已吊销 Revoked")
