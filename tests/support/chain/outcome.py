"""The outcome of a call: a result, or one of our own errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.errors import PingzhengError


def outcome(ask: Callable[[], Any]) -> Any:
    """Return the result of a call, or our own error that it raised. Any other exception fails the test."""
    try:
        return ask()
    except PingzhengError as error:
        assert error.code and error.message
        return error
