"""Deploy the contracts to a network, once.

Example:

    PINGZHENG_DEPLOYER_KEY=0x… python scripts/deploy.py --url http://127.0.0.1:8545 \
        --founder <party id> --founder-account 0x… --network local
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ledger.chain.deploy import ensure_deployed
from ledger.errors import PingzhengError

EPILOG = (
    "Example: PINGZHENG_DEPLOYER_KEY=0x… python scripts/deploy.py --url http://127.0.0.1:8545 "
    "--founder 6b…(64 hex digits) --founder-account 0x… --network local"
)
DAY = 86_400
app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
def main(
    founder: Annotated[str, typer.Option(help="Party id of the founding authority, 64 hex digits.")],
    founder_account: Annotated[str, typer.Option(help="Its account, 0x and 40 hex digits.")],
    key: Annotated[
        str, typer.Option(envvar="PINGZHENG_DEPLOYER_KEY", help="Private key of the deploying account.", prompt=False)
    ],
    url: Annotated[str, typer.Option(help="The node's address.")] = "http://127.0.0.1:8545",
    network: Annotated[str, typer.Option(help="Name of the network: names the file.")] = "local",
    notice_days: Annotated[int, typer.Option(min=0, help="Least days of a public notice; cannot be changed.")] = 10,
    folder: Annotated[Path, typer.Option(help="Where deployment files are kept.")] = Path("deployments"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the deployment as JSON.")] = False,
) -> None:
    """Deploy the contracts; run again, it checks that they are there and changes nothing."""
    console = Console(stderr=True)
    path = folder / f"{network}.json"
    try:
        deployment, made = ensure_deployed(
            path, url, key, founder, founder_account, network=network, notice=notice_days * DAY
        )
    except PingzhengError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        shown = {**asdict(deployment), "ledger": deployment.ledger, "file": str(path), "deployed_now": made}
        typer.echo(json.dumps(shown, indent=2))
        return
    typer.echo(f"{'Deployed' if made else 'Already deployed'} on chain {deployment.chain_id}: {path}")
    typer.echo(f"  {'Ledger':16}{deployment.ledger}")
    for name, address in deployment.addresses.items():
        typer.echo(f"  {name:16}{address}")


if __name__ == "__main__":
    app()
