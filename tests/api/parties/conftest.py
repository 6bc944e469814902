"""Fixtures: a client with its own network address, and a firm that has signed in."""

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
