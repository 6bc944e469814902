"""Fixtures: a client at its own address, and a firm that is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.parties.visitors import Person, Visitor
from tests.support.api.parts import Api


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api)


@pytest.fixture
def firm(visitor: Visitor) -> Iterator[Person]:
    yield Person(visitor)
