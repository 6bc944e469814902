"""What is wrong with the members of a request: each with its place, in Chinese and English, and not endlessly many."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any, Final

from pydantic import ValidationError

MAX_NAMED: Final = 20
_OTHER: Final = {"zh": "不符合要求", "en": "is not accepted"}

Faults = Sequence[dict[str, Any]]


def faults_of(error: ValidationError) -> list[dict[str, Any]]:
    """The first faults of a body, as the framework lists them, without what was sent."""
    first = error.errors(include_url=False, include_input=False)[: MAX_NAMED + 1]
    return [{**fault, "loc": ("body", *fault["loc"])} for fault in first]


def described(faults: Faults, names: Iterable[str]) -> tuple[str, list[dict[str, str]]]:
    """A sentence about all faults in both languages, and each fault that is named.

    ``names`` are the members that our schemas have: another one, such as the key of an object, may be personal.
    """
    ours = frozenset(names)
    listed = [_described(fault, ours) for fault in faults[:MAX_NAMED]]
    more = len(faults) > MAX_NAMED
    chinese = "；".join(f"{each['where']} {each['zh']}" for each in listed) + ("；等等。" if more else "。")
    english = "; ".join(f"{each['where']} {each['en']}" for each in listed) + ("; and more." if more else ".")
    return f"{chinese} {english}", [{"where": each["where"], "type": each["type"]} for each in listed]


def _described(fault: dict[str, Any], ours: frozenset[str]) -> dict[str, str]:
    context = {name: value for name, value in fault.get("ctx", {}).items() if name != "error"}
    texts = _texts().get(fault["type"], _OTHER)
    told = {language: _filled(text, context) for language, text in texts.items()}
    return {"where": _place(fault["loc"], ours), "type": fault["type"], **told}


def _filled(text: str, context: dict[str, Any]) -> str:
    for name, value in context.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _place(loc: Sequence[str | int], ours: frozenset[str]) -> str:
    source, *members = loc
    told = members if source != "body" else takewhile(lambda part: isinstance(part, int) or part in ours, members)
    return ".".join(str(part) for part in (source, *told))


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("api.http").joinpath("request_faults.toml").read_text("utf-8"))
