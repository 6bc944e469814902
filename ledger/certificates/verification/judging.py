"""Verify a bundle against the chain: read the chain data for the bundle (facts), then call the verifier."""

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

# Such a function adds the template of the bundle's scenario to the expectation, if the scenario is known here.
Expecting = Callable[[Bundle | bytes, Expectation], Expectation]


@dataclass(frozen=True, slots=True)
class Verified:
    """A report, the chain data with which it can be repeated offline (facts), and the use that was counted."""

    report: Report
    facts: Facts | None
    use: CountedUse | None = None

    def without_content(self) -> Verified:
        """Return the report without claims and without disclosed fields."""
        return replace(self, report=replace(self.report, claims={}, disclosed={}))


class Judge:
    """Verifies bundles.

    If the scenario's file is known here, a certificate that was issued under another template is refused.
    """

    def __init__(self, remembered: Remembered, expecting: Expecting, clock: Clock) -> None:
        self._remembered = remembered
        self._expecting = expecting
        self._clock = clock

    def verify(self, raw: bytes, expect: Expectation, at: int | None = None) -> Verified:
        """Verify a bundle against the chain, for now or for a past time (seconds UTC).

        The method raises no exception for a bundle, whatever the bundle contains.
        """
        try:
            return self.judge(parse_bundle(raw), expect, at)
        except BadBundle:
            return Verified(verify(raw, Facts.nothing(), self._clock() if at is None else at, expect), None)

    def facts(self, bundle: Bundle) -> Facts:
        """Return the facts of a bundle (the chain data that it needs), as of the newest block.

        Raises ``ChainUnavailable``, and with the codes ``CHAIN_DIFFERS_FROM_SEEN`` and ``CHAIN_BEHIND_SEEN`` if the
        chain no longer contains what this installation saw before.
        """
        return self._remembered.facts(bundle)

    def judge(self, bundle: Bundle, expect: Expectation, at: int | None = None) -> Verified:
        """Verify a bundle that is parsed already, as ``verify`` does."""
        facts = self.facts(bundle)
        # The later of the two times: with a slow clock, a use that the chain has just counted would seem to be in the
        # future.
        moment = max(self._clock(), facts.block_time) if at is None else at
        return Verified(self.report(bundle, facts, moment, expect), facts)

    def report(self, bundle: Bundle, facts: Facts, at: int, expect: Expectation) -> Report:
        """Verify the bundle with these facts for a time (seconds UTC), and return the report."""
        return verify(bundle, facts, at, self._expecting(bundle, expect))


def usage_of(raw: bytes) -> tuple[Bundle, str] | None:
    """Return the parsed bundle and the number of a usage certificate, genuine or not; None for anything else."""
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
