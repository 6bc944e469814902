"""Returns the outcome of a call: its result, or the ``PingzhengError`` that it raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.errors import PingzhengError


def outcome(ask: Callable[[], Any]) -> Any:
    """Return the result of a call, or the ``PingzhengError`` that the call raised. Other exceptions fail the test."""
    try:
        return ask()
    except PingzhengError as error:
        assert error.code and error.message
        return error
