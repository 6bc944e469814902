"""Rows never leave the provider's machine: the platform computes no claims, and accepts no rows."""

from __future__ import annotations

import ast
import json
import re
import shlex
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from typer.main import get_group

from api.app import create_app
from ledger.cli.usage.provisions import app
from ledger.installation.participant import Participant
from tests.support.places import PROJECT

GUIDE = PROJECT / "docs" / "guides" / "sources.md"
ROOMS = (
    "log",
    "parties",
    "certificates",
    "rulebooks",
    "catalogue",
    "usage",
    "registration",
    "provenance",
    "privacy",
    "installation",
)
PLATFORM = [
    *(path for room in ROOMS for path in (PROJECT / "ledger" / room).rglob("*.py")),
    *(PROJECT / "api").rglob("*.py"),
]
# The names of functions and classes that compute claims or create a data source's answer. Only the provider's packages
# may use them.
AT_THE_PROVIDER = {"compute", "Supplied", "made_of", "RowsFile"}


@pytest.mark.parametrize("path", PLATFORM, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_part_of_the_platform_computes_a_claim(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert named & AT_THE_PROVIDER == set()


def _unopened() -> AbstractContextManager[Participant]:
    pytest.fail("no ledger is to be opened")


def test_no_api_request_has_a_member_for_a_subjects_rows() -> None:
    """A resource has a member ``rows``, which is allowed, because it only says how many rows there are."""
    found = create_app(_unopened).openapi()
    schemas = found["components"]["schemas"]
    bodies = [
        call["requestBody"] for path in found["paths"].values() for call in path.values() if "requestBody" in call
    ]
    taken, waiting = set(), refs(bodies)
    while waiting:
        name = waiting.pop()
        taken.add(name)
        waiting |= refs(schemas[name]) - taken
    assert set(schemas["ProvisionIn"]["properties"]) == {"statement", "disclosures", "withdrawal", "withdrawn"}
    rows = [schemas[name]["properties"]["rows"] for name in taken if "rows" in schemas[name].get("properties", {})]
    assert {schema["type"] for schema in rows} == {"integer"}


def refs(value: object) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(value)))


def test_the_commands_of_the_platform_take_no_rows_of_a_providers_data() -> None:
    """Only the provider's own command takes rows, and it opens no ledger."""
    taking = [
        name
        for name, command in get_group(app).commands.items()
        if {"--rows", "--sources"} & {option for each in command.params for option in each.opts}
    ]
    assert sorted(taking) == ["answer", "run"]
    assert "--home" not in {option for each in get_group(app).commands["answer"].params for option in each.opts}


LINES = re.findall(r"^pingzheng provision (.*)$", GUIDE.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_guide_is_accepted_by_the_parser(line: str) -> None:
    name, *words = shlex.split(line)
    assert get_group(app).commands[name].make_context(name, words).params


def test_the_guide_shows_every_step() -> None:
    assert [line.split()[0] for line in LINES] == ["run", "tasks", "answer", "submit", "received"]
