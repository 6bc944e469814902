"""What depends on the class of a certificate: one object for each class, which the checks and the use cases ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.proof.checks.case import Case
from ledger.proof.checks.outcome import Outcome, Passed
from ledger.proof.jws import Jwk


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """The facts that only one class needs, as in ``FactsNeeded``."""

    statements: frozenset[str] = frozenset()
    uses: tuple[str, str] | None = None
    presenter: Jwk | None = None


@dataclass(frozen=True, slots=True)
class CertificateClass:
    """A class of certificates, by the name in their payload.

    ``used_up``: its subject presents it to one consumer, which uses it up. ``transferable``: a later version may be
    of another subject. ``rests_on`` gives the references of the statements that must be proven beside the certificate,
    ``facts_needed`` what to ask the chain beyond what every class needs; it never raises on hostile claims.
    ``check_standing`` ends check 8 where the issuer's log says "active"; the others are checks 9, 10 and 11.
    """

    name: str
    used_up: bool
    transferable: bool
    rests_on: Callable[[Mapping[str, Any]], Sequence[str]]
    facts_needed: Callable[[Mapping[str, Any]], ClassFacts]
    check_standing: Callable[[Case, Passed], Outcome]
    check_uses: Callable[[Case], Outcome]
    check_party: Callable[[Case], Outcome]
    check_authorization: Callable[[Case], Outcome]
