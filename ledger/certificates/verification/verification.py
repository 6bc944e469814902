"""Verify a bundle for a party: read the chain data, call the verifier, have the use counted, and record the
verification for the subject.

The chain's counter decides which use comes first, even between processes and installations. A use is counted only if it
has the next ordinal. If another use was counted first, the bundle is verified again with that use. Within a process,
presentations of one request wait for each other, so that no two of them send a use with the same ordinal. Only the
consumer can have a use counted. If the consumer's key is not here, the use is returned to the consumer to sign, and the
content is returned only after the signed use is in a block.

A presentation is answered in these steps, each of which is done only once: reserve the nonce; verify; store the
transaction hash of the use; send the use; store the result. If the process stops in between, the presentation stays
pending. If the consumer sends the presentation again, the steps continue, with the time at which the presentation was
first received. ``settle`` finds the outcome of a pending presentation by its transaction hash.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, replace
from typing import Any, Final

import structlog

from ledger.certificates.state import CertificateStates
from ledger.certificates.verification.judging import Judge, Verified, usage_of
from ledger.certificates.verification.known_presentation import KnownPresentation, replayed, under_way
from ledger.certificates.verification.presentation_ends import LAPSED, VALID, CountedUse, Ended
from ledger.certificates.verification.presentations import Presentations
from ledger.certificates.verification.taking_turns import Turns
from ledger.certificates.verification.use_offers import Offer, Offers
from ledger.certificates.verification.uses import Uses, UseToSign
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import ChainUnavailable, Conflict
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.bundle import Bundle
from ledger.proof.facts_needed import facts_needed
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.store.database import Database

LAPSE_SECONDS: Final = 300

log = structlog.get_logger()

Send = Callable[[UseToSign, Announce], Receipt]


@dataclass(frozen=True, slots=True)
class Proposed:
    """The answer to a consumer whose key is not here. The consumer must sign ``use`` to receive the content. If ``use``
    is None, ``verified`` is the final answer.
    """

    verified: Verified
    use: UseToSign | None


@dataclass(slots=True)
class _UnderWay:
    """A presentation that is being verified.

    ``counter`` is the consumer (party id) and the request that the certificate names.
    """

    row: KnownPresentation
    bundle: Bundle
    nonce: str
    counter: tuple[str, str] | None

    @property
    def expect(self) -> Expectation:
        return Expectation(consumer=self.row.consumer, nonce=self.nonce, received=self.row.created_at)

    @property
    def deadline(self) -> int:
        """The last second (UTC) at which the presentation can be sent again to have its use counted."""
        return self.row.created_at + LAPSE_SECONDS


@dataclass(eq=False, repr=False)
class Verification(Judge):
    """Verifies bundles for parties that do not run a verifier themselves."""

    database: InitVar[Database]
    _reader: ChainReader
    _uses: Uses
    _presentations: Presentations
    _turns: Turns = field(default_factory=Turns, init=False)
    _offers: Offers[_UnderWay] = field(default_factory=Offers, init=False)

    def __post_init__(self, database: Database) -> None:
        self._states = CertificateStates(database, self._reader, self._remembered.newest, self._clock)

    def check(self, actor: Actor, raw: bytes, nonce: str | None, at: int | None = None) -> Verified:
        """Verify a bundle for a party without counting a use. If the bundle has a genuine usage certificate, its
        subject can see this check.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.VERIFY, owns=True)
        verified = self.verify(raw, Expectation(consumer=actor.party, nonce=nonce), at)
        if (presented := usage_of(raw)) is not None:
            bundle, number = presented
            self._presentations.add(number, actor.party, Ended.of(verified.report, bundle))
        return verified

    def signs_for(self, consumer: str) -> bool:
        """Return whether this installation keeps the consumer's key.

        If so, call ``accept`` for the consumer; otherwise call ``propose`` and then ``use``.
        """
        return self._uses.signs_for(consumer)

    def accept(self, actor: Actor, raw: bytes, nonce: str) -> Verified:
        """Verify a presentation and, if it is valid, have its use counted on the chain.

        The verification of a genuine certificate is recorded for the subject, whatever the result. If no node answered
        or the process stopped, send the presentation again; the remaining steps are then done. Raises ``Forbidden``
        ``PARTY_LACKS_ROLE``; ``Conflict`` ``ACT_SIGNATURE_REQUIRED`` if the consumer's key is not here,
        ``NONCE_REPLAYED`` if the nonce was used before, ``PRESENTATION_PENDING`` while another thread verifies the
        presentation.
        """
        require(actor, Action.VERIFY, owns=True)
        if usage_of(raw) is not None:
            self._uses.require_key_of(actor.party)
        case = self._begin(raw, actor.party, nonce)
        if case is None:
            return self.verify(raw, Expectation(consumer=actor.party, nonce=nonce))
        with self._turns.working_on(case.row.id):
            return self._went_on(case) or self._use_up(case, lambda use, announce: self._uses.send(use, None, announce))

    def propose(self, actor: Actor, raw: bytes, nonce: str) -> Proposed:
        """Verify a presentation for a consumer whose key is not here. If the presentation is valid, return the use that
        the consumer must sign.

        If the presentation is sent again, the current use is returned. If the use was already counted and only the
        answer was lost, the content is returned. Raises the errors of ``accept``, except ``ACT_SIGNATURE_REQUIRED``.
        """
        require(actor, Action.VERIFY, owns=True)
        case = self._begin(raw, actor.party, nonce)
        if case is None:
            return Proposed(self.verify(raw, Expectation(consumer=actor.party, nonce=nonce)), None)
        with self._turns.working_on(case.row.id):
            if (answered := self._went_on(case)) is not None:
                return Proposed(answered, None)
            verified, use = self._next_use(case)
            if use is None:
                return Proposed(verified, None)
            self._presentations.looked_at(case.row, Ended.of(verified.report, case.bundle))
            self._offers.put(actor.party, use, case)
            return Proposed(verified.without_content(), use)

    def use(self, actor: Actor, presentation: str, signature: bytes) -> Verified:
        """Send the use that ``propose`` returned with the consumer's signature, and return the content once the use is
        counted.

        Raises ``NotFound`` ``PRESENTATION_UNKNOWN``; ``Conflict`` ``USE_NOT_PROPOSED`` and ``USE_OVERTAKEN`` (then call
        ``propose`` again), ``NONCE_REPLAYED``, ``PRESENTATION_PENDING``; ``Forbidden`` ``LOG_SIGNATURE_INVALID``,
        ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.VERIFY, owns=True)
        row = self._presentations.resume(presentation, actor.party)
        with self._turns.working_on(row.id):
            offer = self._offers.get(actor.party, presentation)
            case = replace(offer.about, row=row)
            return self._went_on(case) or self._use_up(case, _signed(self._uses, offer, signature))

    def settle(self) -> int:
        """Record the outcome of pending presentations that no thread works on, and return how many ended.

        A presentation whose use the chain counted is ``valid``. Any other presentation lapses ``LAPSE_SECONDS`` after
        its first receipt; until then it can be sent again. Raises ``ChainUnavailable``.
        """
        settled = 0
        for row in self._presentations.pending():
            try:
                with self._turns.working_on(row.id):
                    if (ending := self._ending(row)) is None:
                        continue
                    self._end(row, *ending)
            except Conflict:
                # Another thread or process works on the presentation and will record its outcome.
                continue
            settled += 1
        if settled:
            log.info("presentations settled", count=settled)
        return settled

    def new_nonce(self) -> str:
        """Return a fresh nonce for a presentation: 128 random bits."""
        return secrets.token_urlsafe(16)

    def status(self, number: str) -> dict[str, Any]:
        """Return the status of a certificate, as ``CertificateStates.status`` does."""
        return self._states.status(number)

    def public_status(self, number: str) -> dict[str, Any]:
        """Return the public status of a certificate, as ``CertificateStates.public_status`` does."""
        return self._states.public_status(number)

    def _begin(self, raw: bytes, consumer: str, nonce: str) -> _UnderWay | None:
        """Reserve the nonce and record the presentation. Return None if the bundle is not of a usage certificate."""
        presented = usage_of(raw)
        if presented is None:
            return None
        bundle, number = presented
        row = self._presentations.begin(bundle, number, consumer, nonce, self._now())
        return _UnderWay(row, bundle, nonce, facts_needed(bundle).uses)

    def _now(self) -> int:
        """Return the time of this clock or of the newest block, whichever is later, because a wallet's clock may be
        ahead of this clock.
        """
        try:
            return max(self._clock(), self._reader.latest().time)
        except ChainUnavailable:
            return self._clock()

    def _went_on(self, case: _UnderWay) -> Verified | None:
        """Return the answer if the use was already counted in an earlier try, or None if no use was counted yet.

        Raises ``Conflict`` ``PRESENTATION_PENDING``, and ``NONCE_REPLAYED`` if the presentation has lapsed.
        """
        ending = self._ending(case.row)
        if ending is None:
            if case.row.tx_hash is not None and self._uses.waits(case.row.tx_hash):
                raise under_way()
            return None
        ended, use = ending
        verified = None if use is None else self._as_it_was(case, use)
        known = self._end(case.row, ended, use)
        if verified is None:
            raise replayed(known)
        return verified

    def _next_use(self, case: _UnderWay) -> tuple[Verified, UseToSign | None]:
        """Verify the presentation; return the report, and the use that the consumer must sign next.

        If the presentation is not valid, its end is recorded and there is no use.
        """
        verified = self.judge(case.bundle, case.expect)
        if not verified.report.valid or verified.facts is None or case.counter is None:
            self._end(case.row, Ended.of(verified.report, case.bundle))
            return verified, None
        consumer, request = case.counter
        ordinal = verified.facts.uses_of(consumer, request) + 1
        return verified, self._uses.to_sign(case.row.id, consumer, request, ordinal, case.deadline)

    def _use_up(self, case: _UnderWay, send: Send) -> Verified:
        """Verify the presentation and have one use counted; if another use was counted first, verify again."""
        overtaken = 0
        with self._turns.of_counter(case.counter):
            while True:
                verified, wanted = self._next_use(case)
                if wanted is None:
                    return verified
                if wanted.ordinal == overtaken:
                    # If the ordinal has not changed, the node does not yet have the block with the other use.
                    raise under_way()
                overtaken = wanted.ordinal
                if (use := self._spend(case, verified.report, wanted, send)) is not None:
                    self._end(case.row, Ended.of(verified.report, case.bundle), use)
                    return replace(verified, use=use)

    def _spend(self, case: _UnderWay, report: Report, wanted: UseToSign, send: Send) -> CountedUse | None:
        tried = Ended.of(report, case.bundle)

        def announce(tx_hash: str) -> None:
            case.row = self._presentations.announce(case.row, tried, wanted.ordinal, tx_hash)

        try:
            receipt = send(wanted, announce)
        except Conflict as refusal:
            if refusal.code != "LOG_USE_OUT_OF_ORDER":
                raise
            return None
        return self._use_in(receipt, case.row)

    def _use_in(self, receipt: Receipt | None, row: KnownPresentation) -> CountedUse | None:
        """Return the use stored in the row if the contract counted it in the row's transaction, else None."""
        if receipt is None or row.ordinal is None or row.request is None:
            return None
        if not self._uses.counted(receipt, row.consumer, row.request, row.ordinal):
            return None
        return CountedUse(row.ordinal, receipt.tx_hash, receipt.gas_used)

    def _as_it_was(self, case: _UnderWay, use: CountedUse) -> Verified:
        """Make the lost answer again: verify as of the time of the use, as if this use and later uses were not counted
        yet.
        """
        facts = self.facts(case.bundle)
        history = () if case.counter is None else facts.uses.get(case.counter, ())
        if case.counter is None or len(history) < use.ordinal:
            # The node does not have the block with the use yet.
            raise under_way()
        before = replace(facts, uses={**facts.uses, case.counter: history[: use.ordinal - 1]})
        report = self.report(case.bundle, before, history[use.ordinal - 1].at, case.expect)
        return Verified(report, before, use)

    def _ending(self, row: KnownPresentation) -> tuple[Ended, CountedUse | None] | None:
        """Return the outcome of an interrupted presentation, or None while it is still pending."""
        receipt = None if row.tx_hash is None else self._uses.receipt(row.tx_hash)
        if (use := self._use_in(receipt, row)) is not None:
            return Ended(VALID, tuple(row.fields)), use
        waits = row.tx_hash is not None and self._uses.waits(row.tx_hash)
        if waits or self._clock() < row.created_at + LAPSE_SECONDS:
            return None
        return Ended(LAPSED), None

    def _end(self, row: KnownPresentation, ended: Ended, use: CountedUse | None = None) -> KnownPresentation:
        self._offers.drop(row.consumer, row.id)
        return self._presentations.end(row, ended, use)


def _signed(uses: Uses, offer: Offer[_UnderWay], signature: bytes) -> Send:
    def send(use: UseToSign, announce: Announce) -> Receipt:
        if use.ordinal != offer.use.ordinal:
            raise Conflict(
                "USE_OVERTAKEN",
                "Another use of this request was counted after this use was proposed.",
                where=f"presentation {use.presentation}",
                hint="Send the presentation again with the same nonce, and sign the use in the answer.",
            )
        return uses.send(offer.use, signature, announce)

    return send
