"""Write docs/python.md: the public names of ``ledger.proof``, with their signatures and docstrings.

Example:
    python scripts/python_page.py
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import typer

import ledger.proof
from ledger.errors import PingzhengError

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "python.md"
HEAD: Final = """\
# 核验器的 Python 接口 The verifier in Python

本页由 `python scripts/python_page.py` 根据 `ledger.proof` 的签名和说明生成。怎样使用，请看
[核验凭证](guides/verifying.zh.md)。

`python scripts/python_page.py` writes this page from the signatures and docstrings of `ledger.proof`. The guide
[verifying](guides/verifying.md) shows how to use the names.

"""


def page() -> str:
    """Return the page as Markdown: the example of ``ledger.proof``, then its functions, then its classes."""
    names = sorted(ledger.proof.__all__, key=lambda name: inspect.isclass(getattr(ledger.proof, name)))
    sections = [_prose(ledger.proof)]
    sections += [f"## {name}\n\n{_section(name, getattr(ledger.proof, name))}" for name in names]
    return HEAD + "\n\n".join(sections) + "\n"


def _section(name: str, value: Any) -> str:
    if not inspect.isclass(value):
        return _code(_signature(name, value)) + "\n\n" + _prose(value)
    if issubclass(value, Enum):
        return _prose(value) + "\n\n" + "\n".join(f"- `{name}.{each.name}` = `{each.value!r}`" for each in value)
    if dataclasses.is_dataclass(value):
        return "\n\n".join([_code(_fields(name, value)), _prose(value), *_members(value)])
    return (
        f"{_code(_signature(name, value))}\n\n{_prose(value)}\n\nBase class: `PingzhengError`. {_prose(PingzhengError)}"
    )


def _members(value: type) -> Iterator[str]:
    """Yield one list with the public properties and methods of a class, or nothing if the class has none."""
    rows = []
    for name, member in vars(value).items():
        if name.startswith("_") or not (function := _function(member)):
            continue
        is_property = isinstance(member, property)
        shown = _property(name, function) if is_property else _signature(name, function, skip_first=True)
        rows.append(f"- `{shown}`: {' '.join(_prose(function).split())}")
    if rows:
        yield "\n".join(rows)


def _function(member: Any) -> Callable[..., Any] | None:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, classmethod):
        return member.__func__
    return member if inspect.isfunction(member) else None


def _signature(name: str, value: Callable[..., Any], *, skip_first: bool = False) -> str:
    signature = inspect.signature(value)
    shown, star = [], False
    for each in list(signature.parameters.values())[skip_first:]:
        if each.kind is each.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        default = "" if each.default is each.empty else f" = {each.default!r}"
        stars = "**" if each.kind is each.VAR_KEYWORD else ""
        shown.append(f"{stars}{each.name}: {each.annotation}{default}")
    answer = "" if inspect.isclass(value) else f" -> {signature.return_annotation}"
    return f"{name}({', '.join(shown)}){answer}"


def _property(name: str, value: Callable[..., Any]) -> str:
    return f"{name}: {inspect.signature(value).return_annotation}"


def _fields(name: str, value: Any) -> str:
    rows = [f"    {each.name}: {each.type}{_default(each)},\n" for each in dataclasses.fields(value)]
    return f"{name}(\n{''.join(rows)})"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f" = {field.default_factory()!r}"
    if field.default is dataclasses.MISSING:
        return ""
    # A default that is an object is not shown.
    return f" = {field.default!r}" if isinstance(field.default, str | int | tuple | None) else " = …"


def _prose(value: Any) -> str:
    """Return the docstring as Markdown: an indented example becomes a block of code."""
    text = inspect.getdoc(value) or ""
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(
        r"(?:^    .*\n(?:\n(?=    ))?)+", lambda block: _code(inspect.cleandoc(block[0])) + "\n", text, flags=re.M
    )


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def main() -> None:
    """Write docs/python.md."""
    PAGE.write_text(page(), "utf-8")
    typer.echo(f"wrote docs/{PAGE.name}: {len(ledger.proof.__all__)} names")


if __name__ == "__main__":
    typer.run(main)
