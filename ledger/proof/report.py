# SPDX-License-Identifier: Apache-2.0
"""The report of a verification: every check with its number, whether it passed, and the reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from ledger.domain.powers import MIN_DELAY
from ledger.proof.facts import ProposedKey


class Verdict(StrEnum):
    """Whether one check passed. A certificate is valid only if every check is ``passed`` or ``not_applicable``."""

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
    # If a check failed with one of these codes, the certificate could not be judged, so it must not be reported as
    # forged.
    "ASSET_UNKNOWN": "unknown",
    "FACTS_STALE": "unknown",
    "FOREIGN_CHAIN": "unknown",
    "HOLDS_UNKNOWN": "unknown",
    "NOT_A_BUNDLE": "unknown",
    "PROTOCOL_UNSUPPORTED": "unknown",
    "STATUS_UNKNOWN": "unknown",
    "SUITE_NOT_INSTALLED": "unknown",
    "USES_UNKNOWN": "unknown",
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
        """The name of the check."""
        return NAMES[self.number - 1]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signed the certificate or its supporting entries, and the types of entries that the key signed.

    ``proposal`` says who proposed the key, and is None for a founding key. If the key was reported after it
    signed, ``reported_at`` is the time of the report, else 0.
    """

    account: str
    signed: tuple[str, ...]
    proposal: ProposedKey | None
    reported_at: int


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning that does not change the result; ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The checks in order, and the content of a valid certificate.

    ``disclosed``, ``claims`` and ``keys`` are empty unless the certificate is valid, so that a party for which the
    certificate is not valid learns nothing. ``at`` is the time for which the certificate is judged, ``block`` the block
    of the facts. On this ledger a new key must wait ``delay`` seconds until it is valid; either its own party or
    ``threshold`` authorities must have proposed it.
    """

    checks: tuple[Check, ...]
    at: int
    block: int
    block_time: int
    certificate_no: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    disclosed: dict[str, Any] = field(default_factory=dict)
    keys: tuple[SigningKey, ...] = ()
    delay: int = 0
    threshold: int = 0

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Warnings that do not change the result.

        A short waiting period for new keys is acceptable only on a local chain, and no check can find out whether a
        chain is local.
        """
        if self.delay >= MIN_DELAY:
            return ()
        return (
            Caution(
                "DELAY_SHORT",
                f"On this ledger a new key waits {self.delay} seconds before it is active. If this is less than "
                f"{MIN_DELAY // 3600} hours, a party may be too late to stop a false key. Use such a ledger only for "
                "tests.",
            ),
        )

    @property
    def valid(self) -> bool:
        """Whether every applicable check passed."""
        fine = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
        return len(self.checks) == len(NAMES) and all(check.verdict in fine for check in self.checks)

    @property
    def genuine(self) -> bool:
        """Whether checks 1 to 6 passed: the certificate is the one that was issued and anchored."""
        return all(check.verdict is Verdict.PASSED for check in self.checks[:GENUINE_CHECKS])

    @property
    def first_failure(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.verdict is Verdict.FAILED), None)

    @property
    def result(self) -> str:
        """The result of the whole report in one word, such as ``valid``, ``revoked`` or ``unknown``."""
        failure = self.first_failure
        if failure is None:
            return "valid" if self.valid else "unknown"
        return result_of(failure.code, failure.number)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
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
            "ledger": {"delay": self.delay, "threshold": self.threshold},
            "cautions": [asdict(caution) for caution in self.cautions],
            "keys": [asdict(key) | {"signed": list(key.signed)} for key in self.keys],
            "disclosed": self.disclosed,
            "claims": self.claims,
        }


def result_of(code: str, number: int) -> str:
    """Return the result of a report whose first failed check has this ``code`` and ``number``."""
    return _RESULTS.get(code, "tampered" if number <= GENUINE_CHECKS else "refused")
