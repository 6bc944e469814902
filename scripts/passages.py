"""Draw passages of prose at random, for a reader who sees only each passage and the line of code to which it belongs.

A passage is a docstring, a comment, the text of an error, a help text, or the name of a test, in Chinese or English.
Comments that are no prose are left out: instructions to tools, headings, and `@inheritdoc` without other text.
The same number is drawn of each of these kinds, because there are many more docstrings than errors. Only files that
Git tracks are read. If seed and files are the same, the passages are the same.

Examples:
    python scripts/passages.py             draw 60 passages with a new seed, and print the seed
    python scripts/passages.py --seed 7    draw the passages of that seed again
"""

from __future__ import annotations

import ast
import io
import json
import re
import secrets
import subprocess
import textwrap
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

import typer

PROJECT: Final = Path(__file__).resolve().parent.parent
COUNT: Final = 60
KINDS: Final = ("docstring", "comment", "error", "help", "test name")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_NO_PROSE: Final = re.compile(r"(noqa|type: ignore|fmt: |pragma|SPDX|solhint-|forge-config|---|!)")
_INHERITED: Final = re.compile(r"@inheritdoc \w+")
_PLACE: Final = re.compile(r"[a-z]+ \{")
_TEST_FILE: Final = re.compile(r"(.*/)?test_\w+\.py")
_SLASHES: Final = re.compile(r"^\s*(?P<mark>///?)\s?(?P<text>.*)$")
_HASH: Final = re.compile(r"^\s*(?P<mark>#)\s?(?P<text>.*)$")
_MARK: Final = re.compile(r"(#|//)")
_NAMED: Final = re.compile(r"(async def|def|class) ")
_OPTION: Final = re.compile(r"\w+(: | = )Annotated\[")
_SOLIDITY_TEST: Final = re.compile(r"^\s*function ((?:test|invariant)\w*)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """A piece of prose and the place where it begins."""

    file: str
    line: int
    kind: str
    text: str


def tracked() -> list[str]:
    """Return the paths of all files that Git tracks, sorted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S607
    return sorted(filter(None, listed.stdout.split("\0")))


def passages(files: Iterable[str]) -> list[Passage]:
    """Return every passage in the files, sorted by file and line."""
    found = (passage for file in files for passage in _of_file(file))
    return sorted(each for each in found if each.text.strip() and not _INHERITED.fullmatch(each.text))


def drawn(found: Sequence[Passage], seed: int, count: int = COUNT) -> list[Passage]:
    """Draw ``count`` passages, the same number of each kind. If a kind has too few passages, all its passages are
    taken.
    """
    chance = Random(seed)  # noqa: S311
    chosen: list[Passage] = []
    for place, kind in enumerate(KINDS):
        share = count // len(KINDS) + (place < count % len(KINDS))
        of_kind = [passage for passage in found if passage.kind == kind]
        chosen += chance.sample(of_kind, min(share, len(of_kind)))
    chance.shuffle(chosen)
    return chosen


def code_of(passage: Passage) -> str:
    """Return the line of code to which a docstring, help text or comment belongs; empty for a module or a test name.

    For the help text of an option, this is the line that names the option.
    """
    lines = (PROJECT / passage.file).read_text("utf-8").splitlines()
    own = lines[passage.line - 1].strip()
    if passage.kind == "comment":
        if not _MARK.match(own):
            return own
        below = (line.strip() for line in lines[passage.line :])
        return next((line for line in below if line and not _MARK.match(line)), "")
    if passage.kind in ("docstring", "help"):
        above = (line.strip() for line in reversed(lines[: passage.line]))
        named = (_NAMED, _OPTION) if passage.kind == "help" else (_NAMED,)
        return next((line for line in above if any(form.match(line) for form in named)), "")
    return ""


def _of_file(file: str) -> Iterator[Passage]:
    path = PROJECT / file
    if path.suffix == ".py":
        yield from of_python(file, path.read_text("utf-8"))
    elif path.suffix in (".sol", ".js", ".mjs", ".ts", ".mts"):
        text = path.read_text("utf-8")
        yield from _comments(file, text, _SLASHES)
        for test in _SOLIDITY_TEST.finditer(text):
            yield Passage(file, text.count("\n", 0, test.start(1)) + 1, "test name", test[1])
    elif path.suffix in (".toml", ".yaml", ".yml") or path.name == "Makefile":
        text = path.read_text("utf-8")
        yield from _comments(file, text, _HASH)
        if path.name == "errors.toml":
            yield from _of_table(file, text, tomllib.loads(text))
    elif path.name == "reverts.json":
        text = path.read_text("utf-8")
        yield from _of_table(file, text, json.loads(text))


def _of_table(file: str, text: str, table: dict[str, Any]) -> Iterator[Passage]:
    """Return a passage for each error code in a TOML table: all texts of that error."""
    for code, row in table.items():
        place = re.search(rf'^\s*"?{re.escape(code)}"?\s*[=:]', text, re.MULTILINE)
        texts = _texts(row)
        if place and texts:
            yield Passage(file, text.count("\n", 0, place.start()) + 1, "error", f"{code}: {' / '.join(texts)}")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if " " in value or not value.isascii() else []
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in values for text in _texts(each)]


def _comments(file: str, text: str, form: re.Pattern[str]) -> Iterator[Passage]:
    """Return the comments as passages; comments on consecutive lines are one passage if they have the same mark."""
    lines, mark = list[str](), ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        found = form.match(line)
        if lines and found and found["mark"] != mark:
            yield Passage(file, number - len(lines), "comment", " ".join(lines))
            lines = []
        if found and not _NO_PROSE.match(found["text"].strip()):
            mark = found["mark"]
            lines.append(found["text"].strip())
        elif lines:
            yield Passage(file, number - len(lines), "comment", " ".join(lines))
            lines = []


def of_python(file: str, text: str) -> Iterator[Passage]:
    """Return every passage in the text of a Python file."""
    yield from _python_comments(file, text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(file, node.name):
            yield Passage(file, node.lineno, "test name", node.name)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if docstring := ast.get_docstring(node):
                kind = "help" if _is_command(node) else "docstring"
                line = node.body[0].lineno
                yield Passage(file, line, kind, docstring)
        elif isinstance(node, ast.Call):
            yield from _of_call(file, node)


def _is_test(file: str, name: str) -> bool:
    """Return whether pytest collects a function with this name from this file."""
    return name.startswith("test_") and bool(_TEST_FILE.fullmatch(file))


def _is_command(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(re.search(r"\.(command|callback)\b", ast.unparse(each)) for each in decorators)


def _of_call(file: str, call: ast.Call) -> Iterator[Passage]:
    """Return the help text of an option, or the message and hint of an error, whose first argument is an error code.

    The place of an error, such as ``block {number}``, is left out.
    """
    named = {keyword.arg: _string(keyword.value) for keyword in call.keywords}
    if named.get("help"):
        yield Passage(file, call.lineno, "help", named["help"])
    given = [_string(argument) for argument in call.args]
    if given and _CODE.fullmatch(given[0]):
        texts = [*given[1:], named.get("message", ""), named.get("hint", "")]
        if texts := [text for text in texts if " " in text and not _PLACE.match(text)]:
            yield Passage(file, call.lineno, "error", f"{given[0]}: {' / '.join(texts)}")


def _string(node: ast.expr) -> str:
    """Return the text of a string or f-string, with expressions in braces; the text is empty for any other node."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else _string(part)
            for part in node.values
        )
        return "".join(parts)
    return ""


def _python_comments(file: str, text: str) -> Iterator[Passage]:
    """Return the comments of a Python file; consecutive comment lines are one passage, except a comment after code."""
    started, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        said, line = token.string.lstrip("# ").strip(), token.start[0]
        if not said or _NO_PROSE.match(said):
            continue
        alone = token.line[: token.start[1]].strip() == ""
        if lines and alone and line == started + len(lines):
            lines.append(said)
            continue
        if lines:
            yield Passage(file, started, "comment", " ".join(lines))
        started, lines = line, [said]
    if lines:
        yield Passage(file, started, "comment", " ".join(lines))


def main(
    seed: Annotated[int | None, typer.Option(min=0, help="Draw the passages of this seed again.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many passages to draw.")] = COUNT,
) -> None:
    """Print passages drawn at random, each with its file and line."""
    if seed is None:
        seed = secrets.randbelow(1_000_000)
    found = passages(tracked())
    typer.echo(f"seed {seed}: {count} of {len(found)} passages")
    for number, passage in enumerate(drawn(found, seed, count), start=1):
        typer.echo(f"\n{number}. {passage.kind}, {passage.file}:{passage.line}")
        if code := code_of(passage):
            typer.echo(f"   [{code}]")
        typer.echo(textwrap.indent(passage.text, "   "))


if __name__ == "__main__":
    typer.run(main)
