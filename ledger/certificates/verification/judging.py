"""Judging a bundle by the chain: the facts are asked for, and the pure verifier reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger.certificates.verification.presentation_ends import CountedUse
from ledger.chain.reading.remembering import Remembered
from ledger.domain.codes import check_certificate_no
from ledger.domain.days import Clock
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.proof.checks.classes import class_of
from ledger.proof.facts import Facts
from ledger.proof.report import Report
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation, verify

# Adds what is known here of a bundle's scenario to what its verifier expects.
Expecting = Callable[[Bundle | bytes, Expectation], Expectation]


@dataclass(frozen=True, slots=True)
class Verified:
    """A report with the facts it was made from, so that it can be made again offline."""

    report: Report
    facts: Facts | None
    use: CountedUse | None = None

    def without_content(self) -> Verified:
        """The verdict alone: neither claims nor what is disclosed."""
        return replace(self, report=replace(self.report, claims={}, disclosed={}))


class Judge:
    """A certificate under a scenario whose file is known here rests on the template of that file, or is refused."""

    def __init__(self, remembered: Remembered, expecting: Expecting, clock: Clock) -> None:
        self._remembered = remembered
        self._expecting = expecting
        self._clock = clock

    def verify(self, raw: bytes, expect: Expectation, at: int | None = None) -> Verified:
        """Check a bundle against the chain, now or at a past time; never raises on a hostile bundle."""
        try:
            return self.judge(parse_bundle(raw), expect, at)
        except BadBundle:
            return Verified(verify(raw, Facts.nothing(), self._clock() if at is None else at, expect), None)

    def facts(self, bundle: Bundle) -> Facts:
        """What the chain says about a bundle now; raises ``ChainUnavailable``, also where the chain does not contain
        what was seen of it before (``CHAIN_DIFFERS_FROM_SEEN``, ``CHAIN_BEHIND_SEEN``)."""
        return self._remembered.facts(bundle)

    def judge(self, bundle: Bundle, expect: Expectation, at: int | None = None) -> Verified:
        """As ``verify``, of a bundle that was parsed."""
        facts = self.facts(bundle)
        # Now is never before the newest block: else a use that the chain has just counted would be one to come.
        moment = max(self._clock(), facts.block_time) if at is None else at
        return Verified(self.report(bundle, facts, moment, expect), facts)

    def report(self, bundle: Bundle, facts: Facts, at: int, expect: Expectation) -> Report:
        """The verifier's report by these facts."""
        return verify(bundle, facts, at, self._expecting(bundle, expect))


def usage_of(raw: bytes) -> tuple[Bundle, str] | None:
    """A usage certificate's bundle and number, genuine or not; None where there is no subject to record it for."""
    try:
        bundle = parse_bundle(raw)
        claims = parse_certificate(bundle.certificate).claims
        number = claims.get("certificate_no")
        cls = class_of(claims)
        if cls is None or not cls.used_up or not isinstance(number, str):
            return None
        return bundle, check_certificate_no(number)
    except (BadBundle, InvalidInput):
        return None
