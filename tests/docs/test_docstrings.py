"""Checks of the prose in code: docstrings of public functions, words to avoid, and the table in
``ledger/errors.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import typer

from api.http.problems import STATUS
from ledger import errors
from ledger.cli.shell.output import fail
from ledger.errors import PingzhengError
from tests.support.places import PROJECT

SOURCES: Final = sorted(path for room in ("ledger", "api") for path in (PROJECT / room).rglob("*.py"))
# At least this percentage of the public functions must have docstrings; private and nested functions need none.
FLOOR: Final = 96
AVOIDED: Final = re.compile(r"\b(told|tells)\b", re.IGNORECASE)
LICENCE: Final = "# SPDX-License-Identifier: Apache-2.0\n"
KIND: Final = re.compile(r"[├└]── (\w+) +(\d+) +(\d+)  \w")


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions, and the public methods of public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def test_public_functions_have_docstrings() -> None:
    documented, missing = 0, []
    for path in SOURCES:
        for function in public(ast.parse(path.read_text("utf-8")).body):
            if ast.get_docstring(function):
                documented += 1
            else:
                missing.append(f"{path.relative_to(PROJECT)}:{function.lineno} {function.name}")
    assert 100 * documented >= FLOOR * (documented + len(missing)), missing


def avoided(path: Path) -> list[str]:
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    return [f"{path.relative_to(PROJECT)}:{number} {line.strip()}" for number, line in lines if AVOIDED.search(line)]


def test_no_source_file_uses_the_words_told_or_tells() -> None:
    assert [line for path in SOURCES for line in avoided(path)] == []


def exit_code(kind: type[PingzhengError]) -> int:
    """Return the exit code of a command that ends with this error."""
    with pytest.raises(typer.Exit) as ended:
        fail(kind("A_CODE", "The value is wrong."), as_json=True)
    return ended.value.exit_code


def test_the_list_of_errors_names_the_http_status_and_the_exit_code_of_each_class_of_errors() -> None:
    listed = {name: (int(status), int(code)) for name, status, code in KIND.findall(errors.__doc__ or "")}
    assert listed == {kind.__name__: (status, exit_code(kind)) for kind, status, _ in STATUS}


def test_each_file_that_a_bank_embeds_names_its_licence() -> None:
    rooms = (PROJECT / "ledger" / "proof", PROJECT / "ledger" / "domain")
    embedded = [PROJECT / "ledger" / "errors.py", *(path for room in rooms for path in room.rglob("*.py"))]
    assert [path for path in embedded if not path.read_text("utf-8").startswith(LICENCE)] == []
