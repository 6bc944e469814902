from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.actors.officers import Powers, founded


@pytest.fixture(scope="package")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powers]:
    """A ledger with officers, shared by this folder's tests; files that change the officers use a separate ledger."""
    with founded(tmp_path_factory.mktemp("powers")) as made:
        yield made
