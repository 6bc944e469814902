"""Answer errors as RFC 9457 problems. One table gives the HTTP status of each error class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.openapi.document import PROBLEM_JSON
from api.http.request_faults import described
from api.http.storage_failures import known_failure
from ledger import errors
from ledger.installation.explanations import explanation

log = structlog.get_logger()

STATUS: tuple[tuple[type[errors.PingzhengError], int, str], ...] = (
    (errors.InvalidInput, 422, "输入有误 Invalid input"),
    (errors.BadBundle, 422, "凭证包不可读 Unreadable bundle"),
    (errors.NotFound, 404, "没有此记录 Not found"),
    (errors.Conflict, 409, "状态冲突 Conflict"),
    (errors.Forbidden, 403, "无权操作 Forbidden"),
    (errors.Unauthenticated, 401, "未登录 Not authenticated"),
    (errors.TooManyAttempts, 429, "尝试过多 Too many attempts"),
    (errors.ChainRejected, 409, "合约拒绝 Refused by the contract"),
    (errors.ChainUnavailable, 503, "链不可用 Chain unavailable"),
    (errors.Busy, 503, "繁忙 Busy"),
    (errors.StorageFull, 507, "磁盘已满 Disk full"),
    (errors.Incoherent, 503, "账本各部分不一致 Parts of the ledger do not match"),
    (errors.Misconfigured, 503, "安装有误 Misconfigured"),
)
# The titles of the answers to refused request bodies; the key is the HTTP status.
REFUSED: Final = {
    400: "正文不可读 Unreadable body",
    408: "正文超时 Body too slow",
    413: "请求过大 Too large",
    415: "正文类型不支持 Unsupported body",
}
# The `where` of these errors is not sent, because it is the path of a file, or the node's URL, which may contain a
# secret.
OURS = (errors.ChainUnavailable, errors.StorageFull, errors.Incoherent, errors.Misconfigured)


class BodyRefused(errors.InvalidInput):
    """Raised to refuse a request body; ``status`` is 400, 408, 413 or 415."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.status = status
        self.headers = headers or {}


class Problem(BaseModel):
    """An RFC 9457 problem. ``code`` is stable; ``hint`` names the next step."""

    type: str = Field(examples=["urn:pingzheng:problem:CERTIFICATE_UNKNOWN"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["CERTIFICATE_UNKNOWN"])
    where: str | None = None
    hint: str | None = None
    details: dict[str, Any] = {}


Responses = dict[int | str, dict[str, Any]]
TITLES = {
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    422: "Invalid",
    429: "Too many wrong tokens, keys or codes from this address; `Retry-After` says how long to wait",
    503: "Chain, database or service are busy or not available; `Retry-After`, if present, says how long to wait",
}


def _declared(status: int, codes: Sequence[str] = ()) -> dict[str, Any]:
    named = ", ".join(f"`{code}`" for code in codes)
    description = f"{TITLES[status]}: {named}" if codes else TITLES[status]
    return {"model": Problem, "description": description, "content": {PROBLEM_JSON: {}}}


ERRORS: Responses = {status: _declared(status) for status in TITLES}


def answers(codes: Mapping[int, Sequence[str]]) -> Responses:
    """Return the ``responses`` of a route: for each status, the error codes that clients should handle."""
    return {status: _declared(status, named) for status, named in codes.items()}


def problem(
    status: int,
    title: str,
    code: str,
    detail: str,
    *,
    where: str | None = None,
    hint: str | None = None,
    details: dict[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem as a response; ``detail`` and ``hint`` are in Chinese and English."""
    explained = explanation(code, detail, hint)
    body = Problem(
        type=f"urn:pingzheng:problem:{code}",
        title=title,
        status=status,
        detail=explained.message,
        code=code,
        where=where,
        hint=explained.hint,
        details=details or {},
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if "retry_after" in body.details:
        headers["Retry-After"] = str(body.details["retry_after"])
    return JSONResponse(body.model_dump(), status, headers, media_type=PROBLEM_JSON)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem. The text of a library's exception is never sent."""

    @cache
    def names() -> frozenset[str]:
        found = app.openapi().get("components", {}).get("schemas", {}).values()
        return frozenset(name for schema in found for name in schema.get("properties", ()))

    @app.exception_handler(errors.PingzhengError)
    async def ours(_request: Request, error: errors.PingzhengError) -> JSONResponse:
        return answer_to(error)

    @app.exception_handler(SQLAlchemyError)
    @app.exception_handler(OSError)
    async def foreign(_request: Request, error: Exception) -> JSONResponse:
        if (known := known_failure(error)) is None:
            raise error
        log.warning("storage failed", code=known.code, error=type(error).__name__)
        return answer_to(known)

    @app.exception_handler(RequestValidationError)
    async def shape(_request: Request, error: RequestValidationError) -> JSONResponse:
        sentence, listed = described(error.errors(), names())
        return problem(
            422,
            "输入有误 Invalid input",
            "REQUEST_SHAPE",
            sentence,
            where=listed[0]["where"],
            hint="Check the members of the request; /docs shows its schema.",
            details={"errors": listed},
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, "HTTP", f"HTTP_{error.status_code}", str(error.detail))
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(_methods(app, request.scope["path"]))
        return answer

    app.add_middleware(Unexpected)


def answer_to(error: errors.PingzhengError) -> JSONResponse:
    """Return the problem response for a ``PingzhengError``."""
    status, title = next((status, title) for family, status, title in STATUS if isinstance(error, family))
    where = None if isinstance(error, OURS) else error.where
    headers: dict[str, str] = {}
    if isinstance(error, BodyRefused):
        status, title, headers = error.status, REFUSED[error.status], error.headers
    answer = problem(status, title, error.code, error.message, where=where, hint=error.hint, details=error.details)
    answer.headers.update(headers)
    return answer


def _methods(app: FastAPI, path: str) -> list[str]:
    """Return the HTTP methods of the address ``path``.

    If two patterns match the address, such as ``/certificates/{number}`` and ``/certificates/batch``, only the routes
    of the pattern with fewer parameters count.
    """
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.path and route.methods and route.path_regex.match(path):
            found.setdefault(route.path, set()).update(route.methods)
    taken = found[min(found, key=lambda each: each.count("{"))] if found else set()
    return sorted(taken | {"HEAD"} if "GET" in taken else taken)


class Unexpected:
    """ASGI middleware that catches the exceptions that no handler has caught. Otherwise the server would log the texts
    of these exceptions, which may be personal.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """If no answer was begun, answer 500; log only the type of the exception."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http":
                raise
            # Log the pattern of the route instead of the path of the request, which may contain personal data.
            route = getattr(scope.get("route"), "path", None)
            log.error("unexpected error", path=route, error=type(error).__name__)
            if not begun:
                answer = problem(
                    500, "内部错误 Internal error", "INTERNAL", "An internal error occurred and was logged."
                )
                await answer(scope, receive, send)
