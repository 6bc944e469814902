"""The schema that clients are made from: names that stay, described tags, and an example for every body."""

from __future__ import annotations

import json
import re
import tomllib
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
TAGS: Final = {
    "sessions": "登录与会话。Sign in by a party's own key; list and end sessions.",
    "API keys": "程序密钥。Keys that a party makes for its machines.",
    "enrolments": "首个密钥。A party hands in its first key by a code.",
    "readings": "查阅记录。Who was given a subject's data.",
    "parties": "参与方。Register parties, their roles, status and mandates.",
    "keys": "签名密钥。Rotate, report and recover a party's keys.",
    "proposals": "提案。Acts that wait for another office or for a delay; the pause.",
    "scenarios": "场景。Scenarios in force, drafts and their approval.",
    "requests": "用数申请。A consumer asks for a subject's data.",
    "authorizations": "授权。A subject authorises a request.",
    "provisions": "提供。A provider answers under an authorization.",
    "withdrawals": "撤回。Withdraw an authorization or a provision.",
    "certificates": "凭证。Issue, correct and fetch certificates and bundles.",
    "operations": "受理的操作。What became of accepted work.",
    "status": "凭证状态。Revoke, suspend, resume and supersede certificates.",
    "holds": "冻结。Offices hold statements and lift their holds.",
    "verification": "核验。Verify certificates; present and use them.",
    "erasure": "删除。Destroy what is sealed about a certificate or a party.",
    "holdings": "归集。Certificates of one's own, counted and exported.",
    "assets": "数据资产。Register, transfer, freeze and annul assets.",
    "provenance": "溯源。An asset's history and lineage.",
    "registrations": "确权登记。Applications, review, public notice and objections.",
    "rights": "权利。Rights, liens, assessments and lineage of an asset.",
    "catalogue": "数据目录。Systems, resources and their review.",
    "open data": "开放目录。What is published for everybody.",
    "demands": "数据需求。Demands, their matching and appeals.",
    "log": "存证日志。The ledger's name; head, batches, entries and proofs.",
    "health": "运行状况。Whether the process answers, and whether all parts are in order.",
}
# What a call with a body, one that may write, and one that looks can be answered with too.
OF_BODIES: Final = {
    400: "The body is not JSON, or not the gzip stream that it says it is: `BODY_NOT_JSON`, `BODY_NOT_GZIP`",
    408: "The body did not arrive in time: `BODY_TOO_SLOW`",
    413: "The body is too large, or holds too many values: `BODY_TOO_LARGE`, `BODY_TOO_MANY_VALUES`",
    415: "Neither JSON nor gzip: `CONTENT_TYPE_UNSUPPORTED`, `CONTENT_ENCODING_UNSUPPORTED`",
}
OF_LOOKS: Final = {304: "What `If-None-Match` names is unchanged"}
OF_WRITES: Final = {507: "A disk is full, nothing was written: `DISK_FULL`"}


def operation_id(route: APIRoute) -> str:
    """``certificates_bundle``: the file of the route and its function, which stay when its path changes."""
    return f"{route.endpoint.__module__.rpartition('.')[2]}_{route.endpoint.__name__}"


def tags() -> list[dict[str, str]]:
    """All tags with their descriptions, in the order of the docs."""
    return [{"name": name, "description": told} for name, told in TAGS.items()]


def describe(app: FastAPI) -> None:
    """Complete what the framework says of the application, and send it as it was made once: making it takes long."""
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


# The same for every application: it follows from the code alone.
_MADE: Final[dict[str, Any]] = {}


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    schema = _renamed(made)
    schemas = schema["components"]["schemas"]
    for path in schema["paths"].values():
        for method, operation in path.items():
            # The more special of two is its own.
            operation["tags"] = operation["tags"][-1:]
            _answers(operation, method)
            _untitled(operation)
            if "requestBody" in operation:
                _with_example(operation["requestBody"]["content"], schemas)
    _link(schema["paths"])
    return schema


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """Schemas by their titles: the framework names a page of parties ``Page_PartyOut_``."""
    schemas = schema["components"]["schemas"]
    titles = {name: shape["title"] for name, shape in schemas.items()}
    text = json.dumps(schema)
    for name, title in titles.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{title}"')
    renamed: dict[str, Any] = json.loads(text)
    renamed["components"]["schemas"] = {titles[name]: shape for name, shape in renamed["components"]["schemas"].items()}
    return renamed


def _answers(operation: dict[str, Any], method: str) -> None:
    """Name problems by their own type, and those that any call of its kind can be answered with."""
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
    """Say of each answer which operations take what it holds."""
    operations = {told["operationId"]: told for path in paths.values() for told in path.values()}
    for link in _links():
        name = re.findall(r"{(\w+)}", link["into"])[-1]
        answer = operations[link["from"]]["responses"][link["status"]]
        for path, methods in paths.items():
            # Where another parameter follows, the answer does not hold all that is needed.
            if path.startswith(link["into"]) and path.count("{") == 1:
                for told in methods.values():
                    given = {name: f"$response.body#{link['value']}"}
                    answer.setdefault("links", {})[told["operationId"]] = {
                        "operationId": told["operationId"],
                        "parameters": given,
                    }


def _untitled(operation: dict[str, Any]) -> None:
    """The framework makes titles of answers and bodies from function and path; they say nothing."""
    parts = [*operation["responses"].values(), operation.get("requestBody", {})]
    for kind in (kind for part in parts for kind in part.get("content", {}).values()):
        kind.get("schema", {}).pop("title", None)


def _with_example(content: dict[str, Any], schemas: dict[str, Any]) -> None:
    for kind in content.values():
        # One that is missing is for the tests to find, and not for whoever reads the docs.
        with suppress(KeyError):
            kind["example"] = example(kind["schema"], schemas)


@cache
def _links() -> list[dict[str, str]]:
    links: list[dict[str, str]] = tomllib.loads(files("api.http.openapi").joinpath("links.toml").read_text("utf-8"))[
        "link"
    ]
    return links
