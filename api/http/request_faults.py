"""Describe the first invalid members of a request in Chinese and English, and where they are."""

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
    """Return the first faults of a body in the form that FastAPI uses, but without the values that were sent."""
    first = error.errors(include_url=False, include_input=False)[: MAX_NAMED + 1]
    return [{**fault, "loc": ("body", *fault["loc"])} for fault in first]


def described(faults: Faults, names: Iterable[str]) -> tuple[str, list[dict[str, str]]]:
    """Return a sentence about the faults in Chinese and English, and the list of faults that the sentence names.

    ``names`` are the names of all members in the schemas. Other names, such as keys of an object, are not repeated:
    they may be personal.
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
    filled = {language: _filled(text, context) for language, text in texts.items()}
    return {"where": _place(fault["loc"], ours), "type": fault["type"], **filled}


def _filled(text: str, context: dict[str, Any]) -> str:
    for name, value in context.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _place(loc: Sequence[str | int], ours: frozenset[str]) -> str:
    source, *members = loc
    named = members if source != "body" else takewhile(lambda part: isinstance(part, int) or part in ours, members)
    return ".".join(str(part) for part in (source, *named))


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("api.http").joinpath("request_faults.toml").read_text("utf-8"))
