"""Text that people write and others read on one line: names, contacts, purposes."""

from __future__ import annotations

import unicodedata
from typing import Final

from ledger.errors import InvalidInput

# Controls (line ends and what moves a terminal's cursor), formats (what turns or hides text), separators of lines.
_LEAVING: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def require_line(text: str, where: str) -> str:
    """The text, if it stays on its line of a notice or list; raises ``InvalidInput`` ``TEXT_CONTROL``.

    Whoever writes a line end there writes lines of its own into what the subject reads and signs.
    """
    if any(unicodedata.category(character) in _LEAVING for character in text):
        raise InvalidInput(
            "TEXT_CONTROL",
            "文字含换行、控制或不可见的字符。The text holds a line end, or a control or invisible character.",
            where=where,
            hint="写成一行。Write it as one line.",
        )
    return text
