"""Errors as people read them: what is wrong and what to do next, in Chinese and in English.

An error is raised with the facts of its case, most often in English. Its Chinese stands in ``errors.toml``, by code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is wrong, and what to do next."""

    message: str
    hint: str | None


def explanation(code: str, message: str, hint: str | None = None) -> Explanation:
    """An error's message and hint in both languages; what was told in both stays as it is."""
    texts = error_texts().get(code, {})
    return Explanation(
        message=_both(texts.get("zh"), message) or message,
        hint=_both(texts.get("next_zh"), hint or texts.get("next_en")),
    )


def in_chinese(code: str) -> str | None:
    """What the code says; ``None`` where the table has no such code."""
    return error_texts().get(code, {}).get("zh")


@cache
def error_texts() -> dict[str, dict[str, str]]:
    """The table: code → ``zh``, ``next_zh``, ``next_en``, of which some may be missing."""
    return tomllib.loads(files("ledger.installation").joinpath("errors.toml").read_text("utf-8"))


def _both(chinese: str | None, told: str | None) -> str | None:
    # A Chinese full stop: it was told in both already.
    if told is not None and "。" in told:
        return told
    return " ".join(text for text in (chinese, told) if text) or None
