"""The ways in which certificates end in the demonstration (used, or refused by a check), and the cases of refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ledger.certificates.verification.judging import Verified
from ledger.demo.keepsakes import Presented
from ledger.demo.tally import Caught
from ledger.errors import ChainRejected, Conflict, Forbidden
from ledger.proof.report import Report

# The type of a function that calls another function for all items, as ``map`` does.
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclass(slots=True)
class Ending:
    """How a member's certificate ended: the refused cases, whether the certificate was used, the gas, and the number of
    log entries.

    ``found`` is true if the use was already counted in an earlier run. ``to_refuse`` are presentations that a check
    must refuse, each with the expected case; ``to_use`` is the number of the certificate to use.
    """

    caught: list[Caught] = field(default_factory=list)
    verified: bool = False
    found: bool = False
    unexpected: str = ""
    gas: int = 0
    entries: int = 0
    to_refuse: list[tuple[Presented, Caught]] = field(default_factory=list)
    to_use: str = ""

    def judged(self, verified: Verified) -> Report:
        """Count the gas and the log entries of a verification, and return its report."""
        self.entries += 1
        if verified.use is not None:
            self.gas += verified.use.gas
            self.entries += 1
        return verified.report


def refused(case: str, check: str, code: str) -> Caught:
    """Return a case that was refused by the expected check."""
    return Caught(case, check, code, check)


def refused_by_contract(case: str, act: Callable[[], object]) -> Caught:
    """Try an act that the contracts must refuse, and return the refusal as a case."""
    try:
        act()
    except (Conflict, Forbidden, ChainRejected) as refusal:
        return Caught(case, "contract", refusal.code, "contract")
    return Caught(case, "–", "TOOK_EFFECT", "contract")


def caught(case: str, expected: str, report: Report) -> Caught:
    """Return the case. The verification report says which check refused it."""
    failed = report.first_failure
    if failed is None:
        return Caught(case, "–", "VALID", expected)
    return Caught(case, f"{failed.number} {failed.name}", failed.code, expected)
