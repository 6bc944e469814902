"""The outcome of one check, without the number of the check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.proof.report import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict with a stable code, a message for people, and details for programs."""

    verdict: Verdict
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class Passed(Outcome):
    """The check passed, or does not apply."""

    __slots__ = ()


class Failed(Outcome):
    """The check failed, or could not be made."""

    __slots__ = ()


def passed(message: str, **details: Any) -> Passed:
    """Return a passed check."""
    return Passed(Verdict.PASSED, "OK", message, details)


def does_not_apply(message: str) -> Passed:
    """Return a check that does not apply to this class of certificates."""
    return Passed(Verdict.NOT_APPLICABLE, "OK", message)


def failed(code: str, message: str, **details: Any) -> Failed:
    """Return a failed check."""
    return Failed(Verdict.FAILED, code, message, details)
