"""Explain errors to people in Chinese and English: the problem and the next step.

The code that raises an error gives its English message. ``errors.toml`` has the Chinese text of each error code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of an error: the problem, and the next step."""

    message: str
    hint: str | None


def explanation(code: str, message: str, hint: str | None = None) -> Explanation:
    """Return an error's message and hint in both languages. A bilingual text is returned unchanged."""
    texts = error_texts().get(code, {})
    return Explanation(
        message=_both(texts.get("zh"), message) or message,
        hint=_both(texts.get("next_zh"), hint or texts.get("next_en")),
    )


@cache
def error_texts() -> dict[str, dict[str, str]]:
    """Return ``zh``, ``next_zh`` and ``next_en`` of each error code; any of the three may be missing."""
    return tomllib.loads(files("ledger.installation").joinpath("errors.toml").read_text("utf-8"))


def _both(chinese: str | None, given: str | None) -> str | None:
    # A hint that contains a Chinese full stop is already in both languages.
    if given is not None and "。" in given:
        return given
    return " ".join(text for text in (chinese, given) if text) or None
