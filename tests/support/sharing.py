"""Which tests one of pytest-xdist's workers takes as a whole, and which of them begin first.

xdist's own groups (``--dist loadgroup``) are written into node ids, which pytest 9.2 no longer lets it.
"""

from __future__ import annotations

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

# By what they share: a fixture that takes long to make, or the folder that Hardhat builds into. The longest first.
TOGETHER: Final = {
    "compiled": (
        "tests/chain/contracts/test_compile.py",
        "tests/chain/parity/test_log_parity.py",
        "tests/scripts/test_cover_contracts.py",
    ),
    "demo": ("tests/demo/test_demo.py", "tests/privacy/test_leaks.py", "tests/docs/test_readme.py"),
    "interrupted": ("tests/demo/test_interrupted.py",),
    "coverage": ("tests/scripts/test_cover_domain.py",),
    "api": ("tests/api/",),
}
ORDER: Final = list(TOGETHER)


class Sharing(LoadScopeScheduling):
    """A worker takes the tests that stand together, else a file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return group_of(file) or file


def group_of(file: str) -> str | None:
    """What the tests of a file share with other files."""
    return next((name for name, places in TOGETHER.items() if file.startswith(places)), None)


def in_order(items: list[pytest.Item]) -> None:
    """Put what takes long first; raises ``UsageError`` where a file would make a shared fixture a second time."""
    for item in items:
        shared = {name for name in TOGETHER if name in getattr(item, "fixturenames", ())}
        if not shared <= {group_of(_file(item))}:
            raise pytest.UsageError(f"tests/support/sharing.py: {_file(item)} uses {shared} and stands elsewhere.")
    items.sort(key=lambda item: ORDER.index(group) if (group := group_of(_file(item))) else len(ORDER))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
