"""Errors on the wire: RFC 9457 problems, from one table of error families to HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger import errors
from ledger.service.explaining import explanation

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
    (errors.Incoherent, 503, "账本各部分不符 Parts of the ledger do not belong together"),
    (errors.Misconfigured, 500, "安装有误 Misconfigured"),
)
# Their place is one on our side: the node's URL, with the secret in it, or a file's path.
OURS = (errors.ChainUnavailable, errors.StorageFull, errors.Incoherent, errors.Misconfigured)


class Problem(BaseModel):
    """An RFC 9457 problem. ``code`` is stable; ``hint`` says what to do next."""

    type: str = Field(examples=["urn:pingzheng:problem:CERTIFICATE_UNKNOWN"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["CERTIFICATE_UNKNOWN"])
    where: str | None = None
    hint: str | None = None
    details: dict[str, Any] = {}


PROBLEM_JSON = "application/problem+json"
Responses = dict[int | str, dict[str, Any]]
TITLES = {
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    422: "Invalid",
    429: "Too many wrong tokens, keys or codes from this address; `Retry-After` says how long to wait",
    503: "Chain unavailable",
}


def _declared(status: int, codes: Sequence[str] = ()) -> dict[str, Any]:
    named = ", ".join(f"`{code}`" for code in codes)
    description = f"{TITLES[status]}: {named}" if codes else TITLES[status]
    return {"model": Problem, "description": description, "content": {PROBLEM_JSON: {}}}


ERRORS: Responses = {status: _declared(status) for status in TITLES}


def answers(codes: Mapping[int, Sequence[str]]) -> Responses:
    """The ``responses`` of a route that name, by status, the codes which a client of that route handles."""
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
    """A problem response; detail and hint are told in Chinese too."""
    told = explanation(code, detail, hint)
    body = Problem(
        type=f"urn:pingzheng:problem:{code}",
        title=title,
        status=status,
        detail=told.message,
        code=code,
        where=where,
        hint=told.hint,
        details=details or {},
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if "retry_after" in body.details:
        headers["Retry-After"] = str(body.details["retry_after"])
    return JSONResponse(body.model_dump(), status, headers, media_type=PROBLEM_JSON)


def install(app: FastAPI) -> None:
    """Answer every error as a problem; the text of a foreign exception never leaves the process."""

    @app.exception_handler(errors.PingzhengError)
    def ours(_request: Request, error: errors.PingzhengError) -> JSONResponse:
        status, title = next((status, title) for family, status, title in STATUS if isinstance(error, family))
        where = None if isinstance(error, OURS) else error.where
        return problem(status, title, error.code, error.message, where=where, hint=error.hint, details=error.details)

    @app.exception_handler(RequestValidationError)
    def shape(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return problem(
            422,
            "输入有误 Invalid input",
            "REQUEST_SHAPE",
            str(first["msg"]),
            where=_place(app, first["loc"]),
            hint="See /docs for the schema of this request.",
        )

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "HTTP", f"HTTP_{error.status_code}", str(error.detail))

    app.add_middleware(Unexpected)
    _declare(app)


def _declare(app: FastAPI) -> None:
    """Let the schema say of problems what they are: the framework puts every model under ``application/json``."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        schema = made()
        operations = (operation for path in schema["paths"].values() for operation in path.values())
        for answer in (answer for operation in operations for answer in operation["responses"].values()):
            content = answer.get("content", {})
            if PROBLEM_JSON in content and "application/json" in content:
                content[PROBLEM_JSON] = content.pop("application/json")
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _place(app: FastAPI, loc: Sequence[str | int]) -> str:
    """Where a request is wrong, as far as the names are ours: one that is not, a key of an object, may be personal."""
    schemas = app.openapi().get("components", {}).get("schemas", {}).values()
    ours = {name for schema in schemas for name in schema.get("properties", ())}
    source, *members = loc
    told = members if source != "body" else takewhile(lambda part: isinstance(part, int) or part in ours, members)
    return ".".join(str(part) for part in (source, *told))


class Unexpected:
    """ASGI middleware: a foreign exception ends here, else the server logs its text, which may be personal."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 500, unless an answer has begun; log the type alone."""
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
            # The route's path and not the request's, for the same reason.
            route = getattr(scope.get("route"), "path", None)
            log.error("unexpected error", path=route, error=type(error).__name__)
            if not begun:
                answer = problem(
                    500, "内部错误 Internal error", "INTERNAL", "Something went wrong here; it was recorded."
                )
                await answer(scope, receive, send)
