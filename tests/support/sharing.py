"""Groups tests for pytest-xdist: all tests of a group run in one worker, and the slowest group starts first.

xdist's own groups (``--dist loadgroup``) change node ids, which pytest 9.2 no longer allows.
"""

from __future__ import annotations

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

# The groups: the tests of a group share a slow fixture or Hardhat's build folder. The slowest group comes first.
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
    """Gives each worker a whole group of tests. Tests that are in no group are given to workers file by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return group_of(file) or file


def group_of(file: str) -> str | None:
    """Return the name of the group that contains the file, or None."""
    return next((name for name, places in TOGETHER.items() if file.startswith(places)), None)


def in_order(items: list[pytest.Item]) -> None:
    """Sort the tests so that the slowest groups come first. Raise ``UsageError`` if a file outside a group uses the
    group's fixture.
    """
    for item in items:
        shared = {name for name in TOGETHER if name in getattr(item, "fixturenames", ())}
        if not shared <= {group_of(_file(item))}:
            raise pytest.UsageError(f"tests/support/sharing.py: {_file(item)} uses {shared} but is not in that group.")
    items.sort(key=lambda item: ORDER.index(group) if (group := group_of(_file(item))) else len(ORDER))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
