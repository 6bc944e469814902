"""Runs the commands of each guide in order, in an empty folder. They run in the process of the test, because starting
Python for each command would take long.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.documents import blocks, commands
from tests.docs.reader import Reader
from tests.support.places import DOCS

GUIDES = (
    "tutorial.md",
    "catalogue.md",
    "guides/certificates.md",
    "guides/fifty-firms.md",
    "guides/registration.md",
    "guides/sealing.md",
)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guide: str) -> None:
    monkeypatch.chdir(tmp_path)
    # The tests set this variable, but a reader of the guide sets no environment variable.
    monkeypatch.delenv("PINGZHENG_DELAY")
    with ExitStack() as stack:
        reader = Reader(monkeypatch, stack)
        reader.follow(blocks(DOCS / guide))
    assert reader.ran == len(commands(DOCS / guide)) >= 8
