"""The OpenAPI schema has names, descriptions, answers and examples for every operation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from api.app import TAGS, create_app
from api.http.openapi.document import _renamed
from tests.support.places import OPENAPI

APP = create_app(lambda: nullcontext())  # type: ignore[arg-type, return-value]
SCHEMA: dict[str, Any] = json.loads(OPENAPI.read_text("utf-8"))
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
}
BODIES = {
    (next(iter(route.methods or ())).lower(), route.path): route.body_field.field_info.annotation
    for route in iter_route_contexts(APP.routes)
    if getattr(route, "body_field", None) is not None
}
WITH_BODY = sorted(name for name, (_, _, operation) in OPERATIONS.items() if "requestBody" in operation)


def shapes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from shapes(each)
    elif isinstance(value, list):
        for each in value:
            yield from shapes(each)


def test_every_operation_has_a_unique_id_independent_of_its_path() -> None:
    assert len(OPERATIONS) == sum(map(len, SCHEMA["paths"].values()))
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) and "_v1" not in name for name in OPERATIONS)


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]}
    assert used == set(TAGS) == {tag["name"] for tag in SCHEMA["tags"]}
    assert all("。" in tag["description"] for tag in SCHEMA["tags"])


def test_two_schemas_with_the_same_title_are_an_error() -> None:
    schemas = {name: {"title": "NoteOut", "type": "object"} for name in ("api__a__NoteOut", "api__b__NoteOut")}
    with pytest.raises(AssertionError, match="NoteOut"):
        _renamed({"components": {"schemas": schemas}})


def test_the_openapi_schema_names_the_service_as_a_server() -> None:
    assert SCHEMA["servers"] == [{"url": "/", "description": "This service."}]


def test_each_schema_is_named_after_its_title() -> None:
    schemas = SCHEMA["components"]["schemas"]
    assert {name: shape["title"] for name, shape in schemas.items()} == {name: name for name in schemas}
    titles = [shape["title"] for shape in shapes(SCHEMA["paths"]) if isinstance(shape.get("title"), str)]
    assert not [title for title in [*titles, *schemas] if re.search(r"__|[.\[]|V1", title)]


@pytest.mark.parametrize("name", WITH_BODY)
def test_the_example_of_every_body_is_valid(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert TypeAdapter(BODIES[method, path]).validate_python(example) is not None


def test_every_operation_declares_the_answers_that_all_routes_can_give() -> None:
    for name, (method, _path, operation) in OPERATIONS.items():
        declared = set(operation["responses"])
        wanted = {"422", "429", "503"}
        wanted |= {"304"} if method == "get" else {"507"}
        wanted |= {"400", "408", "413", "415"} if "requestBody" in operation else set()
        assert wanted <= declared, (name, wanted - declared)
        problems = [operation["responses"][status]["content"] for status in declared if status >= "4"]
        assert all(list(content) == ["application/problem+json"] for content in problems), name
