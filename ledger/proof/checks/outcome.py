# SPDX-License-Identifier: Apache-2.0
"""The outcome of one check, without the number of the check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.proof.report import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether one check passed, with a stable code, a message for people, and details for programs."""

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
    """Return the outcome of a check that passed."""
    return Passed(Verdict.PASSED, "OK", message, details)


def does_not_apply(message: str) -> Passed:
    """Return the outcome of a check that does not apply to the certificate's class."""
    return Passed(Verdict.NOT_APPLICABLE, "OK", message)


def failed(code: str, message: str, **details: Any) -> Failed:
    """Return the outcome of a check that failed."""
    return Failed(Verdict.FAILED, code, message, details)
