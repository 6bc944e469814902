"""What a verification found: every check with its number, its verdict and the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Verdict(StrEnum):
    """The outcome of one check. Whatever is not ``passed`` or ``not_applicable`` makes the certificate not valid."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    NOT_REACHED = "not_reached"


NAMES: Final = (
    "format",
    "signature",
    "issuer",
    "disclosures",
    "inclusion",
    "anchor",
    "validity",
    "status",
    "uses",
    "party",
    "authorization",
)

GENUINE_CHECKS: Final = 6
_RESULTS: Final = {
    "EXPIRED": "expired",
    "NOT_YET_VALID": "not_yet_valid",
    "SUSPENDED": "suspended",
    "REVOKED": "revoked",
    "SUPERSEDED": "revoked",
    "USED_UP": "used_up",
    "NOT_PARTY": "not_party",
    "HELD": "suspended",
    "AUTHORIZATION_HELD": "suspended",
    "PROVISION_HELD": "suspended",
    "AUTHORIZATION_WITHDRAWN": "revoked",
    "PROVISION_WITHDRAWN": "revoked",
    "PROTOCOL_UNSUPPORTED": "unknown",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check; ``code`` is stable, ``message`` is for people."""

    number: int
    verdict: Verdict
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The check's name."""
        return NAMES[self.number - 1]


@dataclass(frozen=True, slots=True)
class Report:
    """The checks in order. ``disclosed`` and ``claims`` are empty unless the certificate is valid: a wrong party
    learns nothing. ``at`` is the time judged, ``block`` that of the facts."""

    checks: tuple[Check, ...]
    at: int
    block: int
    block_time: int
    certificate_no: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    disclosed: dict[str, Any] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether every check passed that applies."""
        fine = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
        return len(self.checks) == len(NAMES) and all(check.verdict in fine for check in self.checks)

    @property
    def genuine(self) -> bool:
        """Whether checks 1 to 6 passed: what was judged is what was issued and anchored."""
        return all(check.verdict is Verdict.PASSED for check in self.checks[:GENUINE_CHECKS])

    @property
    def first_failure(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.verdict is Verdict.FAILED), None)

    @property
    def result(self) -> str:
        """One word: ``valid``, or what is wrong."""
        failure = self.first_failure
        if failure is None:
            return "valid" if self.valid else "unknown"
        return _RESULTS.get(failure.code, "tampered" if failure.number <= GENUINE_CHECKS else "refused")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "valid": self.valid,
            "result": self.result,
            "certificate_no": self.certificate_no,
            "at": self.at,
            "facts": {"block": self.block, "time": self.block_time},
            "checks": [
                {
                    "number": check.number,
                    "name": check.name,
                    "verdict": check.verdict.value,
                    "code": check.code,
                    "message": check.message,
                    **({"details": check.details} if check.details else {}),
                }
                for check in self.checks
            ],
            "disclosed": self.disclosed,
            "claims": self.claims,
        }
