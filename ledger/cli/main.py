"""``pingzheng``: the command line over one ledger."""

from __future__ import annotations

import typer

from ledger.cli import demo, serve

EPILOG = "示例 Examples:  pingzheng demo  ·  pingzheng serve  ·  pingzheng verify bundle.json --facts facts.json"

app = typer.Typer(
    help="凭证 Pingzheng: issue, transfer and verify data asset certificates.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
