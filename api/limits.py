"""No request body is read beyond its bound or parsed beyond its depth, whatever its headers claim."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from ledger.domain.canonical import require_shallow
from ledger.errors import InvalidInput

MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_BODY_DEPTH = 64


class BodyLimit:
    """ASGI middleware: 413 as soon as a body grows past ``MAX_BODY_BYTES``, 422 if it is nested past its depth."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body within its bound, then pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = scope["method"] in {"POST", "PUT", "PATCH", "DELETE"}
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                answer = problem(413, "请求过大 Too large", "BODY_TOO_LARGE", f"At most {MAX_BODY_BYTES} bytes.")
                await answer(scope, receive, send)
                return
        try:
            require_shallow(bytes(body), MAX_BODY_DEPTH)
        except InvalidInput as error:
            await problem(422, "输入有误 Invalid input", error.code, error.message)(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)
