"""``pingzheng serve``: run the API of this ledger, with interactive docs at ``/docs``."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.shell.output import Home, stderr
from ledger.errors import Misconfigured

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.installation.settings import Settings

WRITE_WAIT_SECONDS: Final = 5


def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """启动本账本的接口服务，接口文档在 /docs；按 Ctrl-C 结束，数据不会丢失。Start the API of this ledger; its
    interactive documentation is at /docs. Ctrl-C ends the service; no data is lost.

    To sign in, parties sign the address of the service. If the parties reach the service at another address than
    http://127.0.0.1 with this port, set PINGZHENG_ORIGIN to that address, such as https://platform.example.

    示例 Example:  pingzheng serve --port 8080
    """
    from api.app import create_app
    from api.http.server import server
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_participant

    # Port and ledger are opened before the server starts, so that this command itself can explain errors, such as a
    # port that is in use.
    with ExitStack() as stack:
        listening = stack.enter_context(_listening(host, port))
        settings = _for_serving(Settings.at(home), port)
        participant = stack.enter_context(open_participant(settings))
        app = create_app(lambda: _handed_over(participant, stack.pop_all()))
        stderr.print(f"接口文档 API docs: http://{host}:{port}/docs", highlight=False)
        server(app, log_level="warning").run([listening])


def _for_serving(settings: Settings, port: int) -> Settings:
    """Return the settings for a service. If the origin and the waiting time for other writers are not configured, the
    defaults of a service are added.
    """
    usual = {"origin": f"http://127.0.0.1:{port}", "write_wait": WRITE_WAIT_SECONDS}
    return settings.model_copy(update={name: usual[name] for name in usual.keys() - settings.model_fields_set})


@contextmanager
def _handed_over(participant: Participant, opened: ExitStack) -> Iterator[Participant]:
    """Yield the installation to the server, and close it as soon as the server has stopped. If a signal stopped the
    server, the server raises the signal again before it returns. That can end the program, so code after the server may
    never run.
    """
    with opened:
        yield participant


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Misconfigured(
            "ADDRESS_UNAVAILABLE",
            f"The service cannot listen on this address and port: {error.strerror}.",
            where=f"{host}:{port}",
            hint="Choose another --port, or stop the program that uses this port.",
        ) from error
