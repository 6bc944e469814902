"""``pingzheng``: the command line over one ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger import __version__
from ledger.cli import (
    assets,
    catalogue,
    certificates,
    consents,
    demo,
    erasure,
    holdings,
    inspect,
    join,
    parties,
    provenance,
    provisions,
    registrations,
    requests,
    rights,
    rulesets,
    scenarios,
    sealing,
    serve,
    skip,
    statements,
    verify,
    wallet,
)
from ledger.cli.opening import configure_logging

EPILOG = (
    "示例 Examples:  pingzheng demo  ·  pingzheng --help  ·  pingzheng serve  ·  "
    "pingzheng verify bundle.json --facts facts.json --request request.json"
)

app = typer.Typer(
    help="凭证 Pingzheng: issue, transfer and verify data asset certificates.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command("join")(join.join_command)
app.command()(inspect.status)
app.command()(skip.skip)
app.command()(statements.sign)
app.command("verify")(verify.verify_command)
app.command("facts")(verify.facts_command)
certificates.app.command("erase")(erasure.erase_certificate)
parties.app.command("erase")(erasure.erase_party)
assets.app.command()(provenance.provenance)
assets.app.command()(provenance.lineage)
for name, group in (
    ("key", parties.keys),
    ("party", parties.app),
    ("scenario", scenarios.app),
    ("ruleset", rulesets.app),
    ("request", requests.app),
    ("consent", consents.app),
    ("provision", provisions.app),
    ("certificate", certificates.app),
    ("holdings", holdings.app),
    ("wallet", wallet.app),
    ("registration", registrations.app),
    ("asset", assets.app),
    ("right", rights.app),
    ("lien", rights.liens),
    ("assess", rights.assess),
    ("catalogue", catalogue.app),
    ("sealing", sealing.app),
    ("log", inspect.log),
    ("index", inspect.index),
):
    app.add_typer(group, name=name)


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """凭证 Pingzheng: issue, transfer and verify data asset certificates."""
    configure_logging()
    if version:
        typer.echo(f"pingzheng {__version__}")
        raise typer.Exit
