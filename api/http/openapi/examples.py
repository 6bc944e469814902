"""Build an example of every request body from its schema and the values in ``examples.toml``."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def example(shape: dict[str, Any], schemas: dict[str, Any], model: str = "", member: str = "") -> Any:
    """Return an example of a schema: the value in ``examples.toml``, otherwise the schema's own example, otherwise an
    example that is built from the examples of the schema's members.

    Raises ``KeyError`` for a member without an example.
    """
    given = _given()["members"]
    for name in (f"{model}.{member}", member):
        if name in given and _fits(given[name], shape, schemas):
            return given[name]
    if "examples" in shape:
        return shape["examples"][0]
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return example(schemas[name], schemas, name, "" if schemas[name]["type"] == "object" else member)
    if (chosen := shape.get("anyOf")) is not None:
        return example(chosen[0], schemas, model, member)
    if (only := shape.get("const", shape.get("enum", [None])[0])) is not None:
        return only
    if shape["type"] == "array":
        return [example(shape["items"], schemas, model, member)]
    if "properties" in shape:
        wanted = [*shape.get("required", ()), *_given()["also"].get(model, ())]
        return {name: example(shape["properties"][name], schemas, model, name) for name in dict.fromkeys(wanted)}
    raise KeyError(f"{model}.{member}: {json.dumps(shape)}")


def _fits(value: Any, shape: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Return whether the value has the schema's type. ``examples.toml`` may give one value for a member's name, but
    members with the same name can have different types.
    """
    if "$ref" in shape:
        return _fits(value, schemas[shape["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in shape:
        return _fits(value, shape["anyOf"][0], schemas)
    if "enum" in shape:
        return value in shape["enum"]
    kinds = {str: "string", int: "integer", bool: "boolean", dict: "object", list: "array"}
    return kinds[type(value)] == shape.get("type") and not (type(value) is dict and "properties" in shape)


@cache
def _given() -> dict[str, Any]:
    return tomllib.loads(files("api.http.openapi").joinpath("examples.toml").read_text("utf-8"))
