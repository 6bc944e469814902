"""The exception family: the text and the details of an error, and the list of its kinds."""

from __future__ import annotations

import pytest

from ledger import errors
from ledger.errors import InvalidInput, PingzhengError

FAMILY = [
    "BadBundle",
    "Busy",
    "ChainRejected",
    "ChainUnavailable",
    "Conflict",
    "Forbidden",
    "Incoherent",
    "InvalidInput",
    "Misconfigured",
    "NotFound",
    "StorageFull",
    "TooManyAttempts",
    "Unauthenticated",
]

TEXTS = {
    "message": ({}, "[A_CODE] The value is wrong."),
    "where": ({"where": "row 3"}, "[A_CODE] (row 3) The value is wrong."),
    "hint": ({"hint": "Correct the value."}, "[A_CODE] The value is wrong. Correct the value."),
    "all": (
        {"where": "row 3", "hint": "Correct the value.", "row": 3},
        "[A_CODE] (row 3) The value is wrong. Correct the value.",
    ),
}


@pytest.mark.parametrize(("given", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_the_text_of_an_error_has_code_and_place_and_message_and_hint(given: dict[str, object], text: str) -> None:
    error = InvalidInput("A_CODE", "The value is wrong.", **given)  # type: ignore[arg-type]
    assert str(error) == text
    assert (error.code, error.message) == ("A_CODE", "The value is wrong.")
    assert (error.where, error.hint) == (given.get("where"), given.get("hint"))


def test_the_details_of_an_error_are_its_keyword_arguments_other_than_place_and_hint() -> None:
    assert PingzhengError("A_CODE", "The value is wrong.", where="x", state="active", limit=3).details == {
        "state": "active",
        "limit": 3,
    }
    assert PingzhengError("A_CODE", "The value is wrong.").details == {}


def test_the_place_of_an_error_can_be_extended_later() -> None:
    error = InvalidInput("A_CODE", "The value is wrong.", where="member")
    error.where = "file, line 2: member"
    assert str(error) == "[A_CODE] (file, line 2: member) The value is wrong."


@pytest.mark.parametrize("name", FAMILY)
def test_every_kind_of_error_is_a_pingzheng_error(name: str) -> None:
    kind = getattr(errors, name)
    with pytest.raises(PingzhengError):
        raise kind("A_CODE", "The value is wrong.")
    assert kind.__bases__ == (PingzhengError,)
    # Single words are compared, because only Python 3.13 and later remove the indentation of docstrings.
    assert name in (errors.__doc__ or "").split()


def test_the_list_of_the_kinds_of_errors_is_complete() -> None:
    assert sorted(kind.__name__ for kind in PingzhengError.__subclasses__() if kind.__module__ == errors.__name__) == (
        FAMILY
    )
