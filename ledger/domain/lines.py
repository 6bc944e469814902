# SPDX-License-Identifier: Apache-2.0
"""Checks text that must fit on one line, such as a name, a contact or a purpose."""

from __future__ import annotations

import unicodedata
from typing import Final

from ledger.errors import InvalidInput

# The Unicode categories that are refused. Cc: line ends and other control characters. Cf: invisible characters, some of
# which reverse or hide text. Zl, Zp: line and paragraph separators.
_LEAVING: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def require_line(text: str, where: str) -> str:
    """Return the text if it fits on one line. Otherwise raise ``InvalidInput`` ``TEXT_CONTROL``.

    If a name could contain a line end, a party could add lines of its own to a notice that a data subject reads and
    signs.
    """
    if any(unicodedata.category(character) in _LEAVING for character in text):
        raise InvalidInput(
            "TEXT_CONTROL",
            "文字含换行符、控制字符或不可见字符。The text contains a line end, or a control or invisible character.",
            where=where,
            hint="请写成一行。Write the text on one line.",
        )
    return text
