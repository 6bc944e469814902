"""Explains to a beginner why a file is not valid YAML: says in which line the mistake is, and what the mistake is."""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.parser import ParserError
from yaml.scanner import ScannerError

# Mistakes to look for in the line that the parser refused and in the line before, because the parser may notice a
# mistake one line late.
_SLIPS: Final = (
    (re.compile(r"\t"), "有制表符，应改为空格。There is a tab: use spaces."),
    (
        re.compile(r"(?:^|[{,])\s*(?:- +)?\w+："),
        "冒号是全角的，应改为半角冒号加空格。The colon is full-width: use a half-width colon and a space.",
    ),
    (re.compile("[\u3000\u00a0]"), "有全角空格，应改为半角。There is a full-width space: use a half-width space."),
    (re.compile(r"^\s*(?:- +)?\w+:[^\s]"), "冒号后缺少空格。There is no space after the colon."),
)
# This mistake is looked for only in the refused line, because texts in other lines may rightly contain such
# punctuation.
_PUNCTUATION: Final = (
    re.compile(r"[，“”‘’【】｛｝＃]"),
    "有全角标点，应改为半角。There is full-width punctuation: use half-width punctuation.",
)
_OTHER: Final = (
    "缩进、引号或括号有误，或含冒号的文字未加引号。"
    "The indentation, a quote or a bracket is wrong, or a text with a colon is not in quotes."
)
_UNFIT: Final = "无法读取的 YAML。The YAML cannot be read."
_BEGINS_THERE: Final = ("while scanning a simple key", "while scanning a quoted", "while parsing a flow")


def misread(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """Return the number of the line with the mistake (from 1, or None if the parser does not know the line), and the
    mistake.
    """
    mark = getattr(error, "problem_mark", None)
    if (getattr(error, "context", None) or "").startswith(_BEGINS_THERE):
        mark = getattr(error, "context_mark", None) or mark
    if mark is None:
        return None, _UNFIT
    if not isinstance(error, (ParserError, ScannerError)):
        return mark.line + 1, _UNFIT
    lines = ["", *text.splitlines(), "", ""]
    at = min(mark.line + 1, len(lines) - 1)
    for place, slips in ((at, (*_SLIPS, _PUNCTUATION)), (at - 1, _SLIPS)):
        for pattern, mistake in slips:
            if pattern.search(lines[place]):
                return place, mistake
    return mark.line + 1, _OTHER
