"""What came of a call: an answer, or an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.errors import PingzhengError


def outcome(ask: Callable[[], Any]) -> Any:
    """What came of it: the answer, or our own error. Any other exception fails the test."""
    try:
        return ask()
    except PingzhengError as error:
        assert error.code and error.message
        return error
