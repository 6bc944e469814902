"""An error about parties in a list names the lines of the file that contain these parties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ledger.cli.parties.newcomers import lines_named
from ledger.errors import InvalidInput

LISTED = cast(Any, SimpleNamespace(lines=[2, 3, 7]))


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("party 3", "firms.csv, line 7"),
        ("party 3 and party 1", "firms.csv, line 7 and line 2"),
        ("party 0c46d6e", "party 0c46d6e"),
        ("identifier", "identifier"),
    ],
)
def test_an_error_about_listed_parties_names_their_lines_in_the_file(where: str, shown: str) -> None:
    with pytest.raises(InvalidInput) as caught, lines_named("firms.csv", LISTED):
        raise InvalidInput("PARTY_REPEATED", "Twice.", where=where)
    assert caught.value.where == shown
