# SPDX-License-Identifier: Apache-2.0
"""Describes how the classes of certificates differ. For each class there is one object, which checks and use cases
read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.proof.checks.case import Case
from ledger.proof.checks.outcome import Outcome, Passed
from ledger.proof.jws import Jwk


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """The facts (chain data) that only some classes need; the members mean the same as in ``FactsNeeded``."""

    statements: frozenset[str] = frozenset()
    uses: tuple[str, str] | None = None
    presenter: Jwk | None = None


@dataclass(frozen=True, slots=True)
class CertificateClass:
    """A class of certificates. ``name`` is the class's name in the payload.

    ``used_up``: the subject presents the certificate to one consumer, and each use is counted. ``transferable``: a
    later version of the certificate may have another subject. ``rests_on`` returns the references of the statements
    that must be proven with the certificate. ``facts_needed`` returns the chain data that only this class needs; it
    never raises, even for hostile claims. ``check_status`` completes check 8 if the status is active; the other
    functions are checks 9, 10 and 11.
    """

    name: str
    used_up: bool
    transferable: bool
    rests_on: Callable[[Mapping[str, Any]], Sequence[str]]
    facts_needed: Callable[[Mapping[str, Any]], ClassFacts]
    check_status: Callable[[Case, Passed], Outcome]
    check_uses: Callable[[Case], Outcome]
    check_party: Callable[[Case], Outcome]
    check_authorization: Callable[[Case], Outcome]
