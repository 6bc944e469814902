"""Why a file is not YAML, for people who write one for the first time: the line to look at, and what is wrong there."""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.parser import ParserError
from yaml.scanner import ScannerError

# Of a line that is refused, or of the one before it: the parser notices some of them a line later.
_SLIPS: Final = (
    (re.compile(r"\t"), "有制表符，应为空格。There is a tab: write spaces."),
    (
        re.compile(r"(?:^|[{,])\s*(?:- +)?\w+："),
        "冒号是全角的，应为半角冒号加空格。The colon is full-width: write a plain one and a space.",
    ),
    (re.compile("[\u3000\u00a0]"), "有全角空格，应为半角。There is a full-width space: write a plain one."),
    (re.compile(r"^\s*(?:- +)?\w+:[^\s]"), "冒号后缺少空格。There is no space after the colon."),
)
# Of a line that is refused alone: texts may hold these.
_PUNCTUATION: Final = (
    re.compile(r"[，“”‘’【】｛｝＃]"),
    "有全角标点，应为半角。There is full-width punctuation: write plain one.",
)
_OTHER: Final = (
    "缩进、引号或括号有误，或文字含冒号而未加引号。"
    "Indentation, a quote or a bracket is wrong, or a text with a colon is not in quotes."
)
_UNFIT: Final = "无法读取的 YAML。This is not YAML that can be read."
_BEGINS_THERE: Final = ("while scanning a simple key", "while scanning a quoted", "while parsing a flow")


def misread(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """The line at fault, from 1, if the parser knows one, and what is wrong with it."""
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
        for pattern, told in slips:
            if pattern.search(lines[place]):
                return place, told
    return mark.line + 1, _OTHER
