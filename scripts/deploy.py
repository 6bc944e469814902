"""Deploy the contracts to a network, once.

Example:

    PINGZHENG_DEPLOYER_KEY=0x… python scripts/deploy.py --url http://127.0.0.1:8545 \
        --founding founding.json --network local

The file of the founding parties is a JSON list in the order of their numbers. At least three of them are authorities:

    [{"id": "<64 hex digits>", "accounts": ["0x…"], "roles": ["authority", "admin"],
      "accreditations": {"S51": {"from": 1790000000, "to": 1890000000}}}, …]
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ledger.chain.sending.calls import Founding
from ledger.chain.sending.deploy import ensure_deployed
from ledger.cli.shell.opening import configure_logging
from ledger.domain.canonical import parse_json
from ledger.domain.days import DAY
from ledger.domain.parties import Role
from ledger.domain.powers import DEFAULT_DELAY, MIN_DELAY
from ledger.errors import PingzhengError

EPILOG = (
    "Example: PINGZHENG_DEPLOYER_KEY=0x… python scripts/deploy.py --url http://127.0.0.1:8545 "
    "--founding founding.json --network local"
)
LOCAL = "local"
MAX_FOUNDING_BYTES = 1024 * 1024
app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
def main(
    founding: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="JSON file with the founding parties.")],
    key: Annotated[
        str, typer.Option(envvar="PINGZHENG_DEPLOYER_KEY", help="Private key of the deploying account.", prompt=False)
    ],
    url: Annotated[str, typer.Option(help="The node's address.")] = "http://127.0.0.1:8545",
    network: Annotated[str, typer.Option(help="Name of the network, and of its deployment file.")] = LOCAL,
    delay: Annotated[
        int,
        typer.Option(
            min=0,
            help=(
                "The waiting period of proposals, in seconds: at least 86400, except on a local chain. It can never be "
                "changed."
            ),
        ),
    ] = DEFAULT_DELAY,
    notice_days: Annotated[
        int, typer.Option(min=0, help="The minimum length of a public notice, in days. It can never be changed.")
    ] = 10,
    folder: Annotated[Path, typer.Option(help="Folder to which the deployment file is written.")] = Path("deployments"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the deployment as JSON.")] = False,
) -> None:
    """Deploy the contracts. If they are deployed already, check them and change nothing."""
    if delay < MIN_DELAY and network != LOCAL:
        raise typer.BadParameter(f"at least {MIN_DELAY} seconds, unless the network is {LOCAL}", param_hint="--delay")
    configure_logging()
    console = Console(stderr=True)
    path = folder / f"{network}.json"
    try:
        deployment, made = ensure_deployed(
            path, url, key, read_founding(founding), delay=delay, network=network, notice=notice_days * DAY
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
    typer.echo(f"  {'Delay':16}{deployment.delay} seconds")
    for name, address in deployment.addresses.items():
        typer.echo(f"  {name:16}{address}")


def read_founding(path: Path) -> list[Founding]:
    """Read the founding parties from a file; raise typer.BadParameter if the file does not have the right form."""
    try:
        rows = parse_json(path.read_bytes(), max_bytes=MAX_FOUNDING_BYTES)
        return [
            Founding(
                id=str(row["id"]),
                accounts=tuple(map(str, row["accounts"])),
                roles=Role.mask(map(Role, row["roles"])),
                accreditations=tuple(
                    (scenario, int(period["from"]), int(period["to"]))
                    for scenario, period in row.get("accreditations", {}).items()
                ),
            )
            for row in rows
        ]
    except (PingzhengError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise typer.BadParameter("not a list of founding parties", param_hint="--founding") from error


if __name__ == "__main__":
    app()
