"""Returns the outcome of a call: its result, or the project's error (an exception with a code) that it raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.errors import PingzhengError


def outcome(ask: Callable[[], Any]) -> Any:
    """Return the result of a call, or the project's error that the call raised. Any other exception fails the test."""
    try:
        return ask()
    except PingzhengError as error:
        assert error.code and error.message
        return error
