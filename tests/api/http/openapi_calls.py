"""Builds one call of each operation in docs/openapi.json from the examples in the schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from api.http.openapi.examples import example
from tests.support.places import OPENAPI

SIGN_OUT = "sessions_sign_out"


@dataclass(frozen=True)
class Call:
    """A call of an operation: path parameters, query parameters and body."""

    name: str
    tag: str
    path: dict[str, Any]
    query: dict[str, Any]
    body: Any
    documented: frozenset[int]

    @property
    def camel_case(self) -> str:
        """Return the name in camel case, as in TypeScript."""
        first, *others = self.name.split("_")
        return first + "".join(part.title() for part in others)


def all_calls() -> list[Call]:
    """Return one call of each operation; the call that ends the session is last."""
    schema = json.loads(OPENAPI.read_text("utf-8"))
    schemas = schema["components"]["schemas"]
    calls = [_call(operation, schemas) for methods in schema["paths"].values() for operation in methods.values()]
    return sorted(calls, key=lambda call: call.name == SIGN_OUT)


def _call(operation: dict[str, Any], schemas: dict[str, Any]) -> Call:
    needed = [each for each in operation.get("parameters", ()) if each.get("required")]
    given = {
        place: {each["name"]: _value(each["name"], each["schema"], schemas) for each in needed if each["in"] == place}
        for place in ("path", "query")
    }
    content = operation.get("requestBody", {}).get("content", {})
    return Call(
        name=operation["operationId"],
        tag=operation["tags"][-1],
        path=given["path"],
        query=given["query"],
        body=content.get("application/json", {}).get("example"),
        documented=frozenset(int(status) for status in operation["responses"]),
    )


def _value(name: str, shape: dict[str, Any], schemas: dict[str, Any]) -> Any:
    try:
        return example(shape, schemas, member=name)
    except KeyError:
        if shape["type"] == "integer":
            return max(shape.get("minimum", 1), 1)
        return f"sha-256:{'9f' * 32}" if "pattern" in shape else "S01"
