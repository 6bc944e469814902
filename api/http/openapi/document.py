"""Build the OpenAPI schema for generated clients: stable names, described tags, an example for every body."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.openapi.examples import example

PROBLEM_JSON: Final = "application/problem+json"
SERVERS: Final = [{"url": "/", "description": "This service."}]
# Three sets of answers that are added to the schema: the first to every call with a body, the second to every call that
# reads, the third to every call that writes.
OF_BODIES: Final = {
    400: "The body is not JSON, or not valid gzip: `BODY_NOT_JSON`, `BODY_NOT_GZIP`",
    408: "The body did not arrive in time: `BODY_TOO_SLOW`",
    413: "The body is too large, or contains too many values: `BODY_TOO_LARGE`, `BODY_TOO_MANY_VALUES`",
    415: "The content type or the compression is not supported: `CONTENT_TYPE_UNSUPPORTED`, "
    "`CONTENT_ENCODING_UNSUPPORTED`",
}
OF_LOOKS: Final = {304: "The caller already has the current version, which `If-None-Match` names"}
OF_WRITES: Final = {507: "A disk is full; nothing was written: `DISK_FULL`"}


def operation_id(route: APIRoute) -> str:
    """Return a stable id made of the route's file and function, such as ``certificates_bundle``."""
    return f"{route.endpoint.__module__.rpartition('.')[2]}_{route.endpoint.__name__}"


def describe(app: FastAPI) -> None:
    """Complete the schema that the framework makes for the application. The schema is built only once, because building
    it is slow.
    """
    made: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if "schema" not in _MADE:
            _MADE["schema"] = schema = _completed(made())
            _MADE["bytes"] = json.dumps(schema, ensure_ascii=False).encode()
        found: dict[str, Any] = _MADE["schema"]
        return found

    async def sent(_request: Request) -> Response:
        openapi()
        return Response(_MADE["bytes"], media_type="application/json")

    app.openapi = openapi  # type: ignore[method-assign]
    app.router.routes.insert(0, Route(str(app.openapi_url), sent, include_in_schema=False))


# All applications of the process share one schema, because it depends only on the code.
_MADE: Final[dict[str, Any]] = {}


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    schema = _renamed(made)
    schemas = schema["components"]["schemas"]
    for path in schema["paths"].values():
        for method, operation in path.items():
            # If a route has two tags, keep only the second, which is more specific.
            operation["tags"] = operation["tags"][-1:]
            _answers(operation, method)
            _untitled(operation)
            if "requestBody" in operation:
                _with_example(operation["requestBody"]["content"], schemas)
    _link(schema["paths"])
    return schema


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """Rename each schema to its title; otherwise a page of parties would be named ``Page_PartyOut_``.

    Raises ``AssertionError`` if two schemas have the same title, because the clients would lose one of them.
    """
    schemas = schema["components"]["schemas"]
    titles = {name: shape["title"] for name, shape in schemas.items()}
    if twice := [title for title, count in Counter(titles.values()).items() if count > 1]:
        raise AssertionError(f"two schemas of the API have the same name: {', '.join(twice)}")
    text = json.dumps(schema)
    for name, title in titles.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{title}"')
    renamed: dict[str, Any] = json.loads(text)
    renamed["components"]["schemas"] = {titles[name]: shape for name, shape in renamed["components"]["schemas"].items()}
    return renamed


def _answers(operation: dict[str, Any], method: str) -> None:
    """Set the media type of problems, and add the answers that every call of this kind (reading or writing) can get."""
    answers = operation["responses"]
    for answer in answers.values():
        content = answer.get("content", {})
        if PROBLEM_JSON in content and "application/json" in content:
            content[PROBLEM_JSON] = content.pop("application/json")
    shape = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    titles = (OF_BODIES if "requestBody" in operation else {}) | (OF_WRITES if method != "get" else {})
    for status, title in titles.items():
        answers.setdefault(str(status), {"description": title, "content": shape})
    if method == "get":
        for status, title in OF_LOOKS.items():
            answers.setdefault(str(status), {"description": title})


def _link(paths: dict[str, Any]) -> None:
    """Add the links to the answers. A link names an operation that takes a value of the answer as parameter."""
    operations = {operation["operationId"]: operation for path in paths.values() for operation in path.values()}
    for link in _links():
        name = re.findall(r"{(\w+)}", link["into"])[-1]
        answer = operations[link["from"]]["responses"][link["status"]]
        for path, methods in paths.items():
            # A path with a second parameter gets no link, because the answer does not have the value of that parameter.
            if path.startswith(link["into"]) and path.count("{") == 1:
                for target in methods.values():
                    given = {name: f"$response.body#{link['value']}"}
                    answer.setdefault("links", {})[target["operationId"]] = {
                        "operationId": target["operationId"],
                        "parameters": given,
                    }


def _untitled(operation: dict[str, Any]) -> None:
    """Remove the titles that the framework makes from function names and paths, because they say nothing new."""
    parts = [*operation["responses"].values(), operation.get("requestBody", {})]
    for kind in (kind for part in parts for kind in part.get("content", {}).values()):
        kind.get("schema", {}).pop("title", None)


def _with_example(content: dict[str, Any], schemas: dict[str, Any]) -> None:
    for kind in content.values():
        # A missing example must not break the docs; a test finds missing examples.
        with suppress(KeyError):
            kind["example"] = example(kind["schema"], schemas)


@cache
def _links() -> list[dict[str, str]]:
    links: list[dict[str, str]] = tomllib.loads(files("api.http.openapi").joinpath("links.toml").read_text("utf-8"))[
        "link"
    ]
    return links
