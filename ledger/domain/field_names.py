"""Names of fields, as scenarios and statements have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def listed(names: Iterable[str]) -> str:
    """The names for an error's message. What has no name's form may be anybody's text and is not repeated."""
    return ", ".join(name if FIELD_NAME.fullmatch(name) else "…" for name in names)
