"""``pingzheng serve``: the API on this ledger, with interactive docs at ``/docs``."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.output import Home, errors_explained, stderr


def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Start the API on this ledger; interactive docs at /docs. Ctrl-C ends it and loses nothing."""
    with errors_explained():
        import uvicorn

        from api.app import create_app
        from ledger.service.settings import Settings
        from ledger.service.wiring import open_participant

        settings = Settings.at(home)
        stderr.print(f"接口文档 API docs: http://{host}:{port}/docs", highlight=False)
        uvicorn.run(create_app(lambda: open_participant(settings)), host=host, port=port, log_level="warning")
