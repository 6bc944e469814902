"""Verify a bundle against the chain: read the facts (the chain data that the bundle needs), then call the verifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ledger.certificates.verification.presentation_ends import CountedUse
from ledger.chain.reading.remembering import Remembered
from ledger.domain.codes import check_certificate_no
from ledger.domain.days import Clock
from ledger.errors import BadBundle, InvalidInput, PingzhengError
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.proof.checks.classes import class_of
from ledger.proof.facts import Facts
from ledger.proof.report import Report
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation, verify

# A function that completes an expectation: if the scenario of the bundle is known here, the function adds the template
# of this scenario to the expectation.
Expecting = Callable[[Bundle | bytes, Expectation], Expectation]


@dataclass(frozen=True, slots=True)
class Verified:
    """The verifier's report, the use that was counted, and the facts: the chain data with which anybody can verify
    again offline.
    """

    report: Report
    facts: Facts | None
    use: CountedUse | None = None

    @classmethod
    def of(cls, answer: Verified | PingzhengError | None) -> Verified:
        """Return the answer if it is a verification; raise the answer if it is an error."""
        if isinstance(answer, PingzhengError):
            raise answer
        if answer is None:
            raise AssertionError("the presentation has no answer")
        return answer

    def without_content(self) -> Verified:
        """Return a copy of the report that contains neither claims nor disclosed fields."""
        return replace(self, report=replace(self.report, claims={}, disclosed={}))


@dataclass(eq=False, repr=False)
class Judge:
    """Verifies bundles.

    If this installation has the scenario's file, it refuses certificates that were issued with a different template.
    """

    _remembered: Remembered
    _expecting: Expecting
    _clock: Clock

    def verify(self, raw: bytes, expect: Expectation, at: int | None = None) -> Verified:
        """Verify a bundle against the chain as of now, or as of a past time ``at`` (seconds UTC).

        Whatever the bundle contains, no exception is raised; the report says what is wrong.
        """
        try:
            return self.judge(parse_bundle(raw), expect, at)
        except BadBundle:
            return Verified(verify(raw, Facts.nothing(), self._clock() if at is None else at, expect), None)

    def facts(self, bundle: Bundle) -> Facts:
        """Return the facts of a bundle (the chain data that it needs), as of the newest block.

        Raises ``ChainUnavailable``. Its code is ``CHAIN_DIFFERS_FROM_SEEN`` or ``CHAIN_BEHIND_SEEN`` if the chain no
        longer contains what this installation saw before.
        """
        return self._remembered.facts(bundle)

    def judge(self, bundle: Bundle, expect: Expectation, at: int | None = None) -> Verified:
        """Verify a bundle that is already parsed, as ``verify`` does with a bundle's bytes."""
        (verified,) = self.judge_all([(bundle, expect)], at)
        return verified

    def judge_all(self, asked: Sequence[tuple[Bundle, Expectation]], at: int | None = None) -> list[Verified]:
        """Verify each bundle against the expectation that is paired with it. The facts of all bundles are read
        together, as of one block.
        """
        found = self._remembered.all_facts([bundle for bundle, _ in asked])
        verified = []
        for (bundle, expect), facts in zip(asked, found, strict=True):
            # If the local clock is slow, a use that the chain has just counted would lie in the future. So the time of
            # the local clock or of the newest block is used, whichever is later.
            moment = max(self._clock(), facts.block_time) if at is None else at
            verified.append(Verified(self.report(bundle, facts, moment, expect), facts))
        return verified

    def report(self, bundle: Bundle, facts: Facts, at: int, expect: Expectation) -> Report:
        """Verify the bundle with these facts as of the time ``at`` (seconds UTC), and return the report."""
        return verify(bundle, facts, at, self._expecting(bundle, expect))


def usage_of(raw: bytes) -> tuple[Bundle, str] | None:
    """If the bundle is of a usage certificate, genuine or not, return the parsed bundle and the certificate's number;
    else None.
    """
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
