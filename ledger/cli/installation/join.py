"""``pingzheng join``: create a party's own installation on the chain of another operator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.shell.files import private_key_of
from ledger.cli.shell.output import AsJson, Home, emit


def join_command(
    deployment: Annotated[
        Path,
        typer.Argument(
            help="The operator's deployment.json, which names the chain and the contracts.", show_default=False
        ),
    ],
    rpc_url: Annotated[str, typer.Option(help="JSON-RPC URL of a node of the operator's chain.", show_default=False)],
    key: Annotated[Path, typer.Option(help="File with the private key of your party.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """加入运营方的链，用自己的数据库和密钥核验、使用凭证。Join the operator's chain, so that you can verify and use
    certificates with your own database and key.

    示例 Example:  pingzheng join deployment.json --rpc-url http://node:8545 --key bank.key --home bank
    """
    from ledger.installation.joining import join
    from ledger.installation.settings import Settings

    settings = Settings.at(home)
    joined = join(settings, deployment, rpc_url, private_key_of(key))
    emit({"home": str(settings.home), "party": joined.party, "account": joined.account}, as_json, "已加入 Joined")
