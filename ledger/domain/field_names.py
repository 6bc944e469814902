# SPDX-License-Identifier: Apache-2.0
"""The names of fields in scenarios and statements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def listed(names: Iterable[str]) -> str:
    """Return the names as a text for an error message. A text that is not a field name is shown as "…", because the
    text may be personal.
    """
    return ", ".join(name if FIELD_NAME.fullmatch(name) else "…" for name in names)
