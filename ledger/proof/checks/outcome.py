"""The outcome of one check, before it has its number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.proof.report import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdict, stable code, reason, and values for machines."""

    verdict: Verdict
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class Passed(Outcome):
    """The check holds, or does not apply."""

    __slots__ = ()


class Failed(Outcome):
    """The check does not hold, or could not be made."""

    __slots__ = ()


def passed(message: str, **details: Any) -> Passed:
    """The check holds."""
    return Passed(Verdict.PASSED, "OK", message, details)


def does_not_apply(message: str) -> Passed:
    """There is nothing to check for this class of certificate."""
    return Passed(Verdict.NOT_APPLICABLE, "OK", message)


def failed(code: str, message: str, **details: Any) -> Failed:
    """The check does not hold."""
    return Failed(Verdict.FAILED, code, message, details)
