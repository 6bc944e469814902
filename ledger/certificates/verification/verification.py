"""Verifying for a caller: facts from the chain, the pure verifier's report, and a record for the subject.

The chain's counter is the arbiter of uses, between threads, processes and installations: a use is counted only if it
is the next one, so whoever comes second is refused and verifies again. Within a process the presentations under one
request take turns, so that those that cannot win spend no transaction. A use is its consumer's own act: where the
consumer's key is not here, the use is proposed to it, and the content follows the block of what it signed.

A presentation is answered once. Its nonce is taken first, then the certificate is verified, then the use is announced
in the database, sent, and recorded. If that breaks off, the presentation stays pending: sent again, it goes on where
it was, judged by its first receipt; and ``settle`` finds out from the chain how it ended, by the hash that was
announced.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from ledger.certificates.state import CertificateStates
from ledger.certificates.verification.judging import Expecting, Judge, Verified, usage_of
from ledger.certificates.verification.known_presentation import KnownPresentation, replayed, under_way
from ledger.certificates.verification.presentation_ends import LAPSED, VALID, CountedUse, Ended
from ledger.certificates.verification.presentations import Presentations
from ledger.certificates.verification.taking_turns import Turns
from ledger.certificates.verification.use_offers import Offer, Offers
from ledger.certificates.verification.uses import Uses, UseToSign
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.sender import Announce, Receipt
from ledger.domain.days import Clock
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
    """``use``: what the consumer signs before it gets the content. Without one, ``verified`` is the whole answer."""

    verified: Verified
    use: UseToSign | None


@dataclass(slots=True)
class _UnderWay:
    """A presentation that is being worked on. ``counter``: the consumer and the request that its certificate names."""

    row: KnownPresentation
    bundle: Bundle
    nonce: str
    counter: tuple[str, str] | None

    @property
    def expect(self) -> Expectation:
        return Expectation(consumer=self.row.consumer, nonce=self.nonce, received=self.row.created_at)

    @property
    def deadline(self) -> int:
        """Until when it may be sent again, and its use counted."""
        return self.row.created_at + LAPSE_SECONDS


class Verification(Judge):
    """What a consumer calls when it does not embed the verifier itself."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        remembered: Remembered,
        expecting: Expecting,
        uses: Uses,
        presentations: Presentations,
        clock: Clock,
    ) -> None:
        super().__init__(remembered, expecting, clock)
        self._reader = reader
        self._uses = uses
        self._presentations = presentations
        self._states = CertificateStates(database, reader, remembered.newest, clock)
        self._turns = Turns()
        self._offers: Offers[_UnderWay] = Offers()

    def check(self, actor: Actor, raw: bytes, nonce: str | None, at: int | None = None) -> Verified:
        """Verify a bundle for a party without counting a use. A genuine usage certificate's subject can see the check.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.VERIFY, owns=True)
        verified = self.verify(raw, Expectation(consumer=actor.party, nonce=nonce), at)
        if (presented := usage_of(raw)) is not None:
            bundle, number = presented
            self._presentations.add(number, actor.party, Ended.of(verified.report, bundle))
        return verified

    def signs_for(self, consumer: str) -> bool:
        """Whether ``accept`` works for the consumer: its key is here. Else ``propose`` and ``use`` do."""
        return self._uses.signs_for(consumer)

    def accept(self, actor: Actor, raw: bytes, nonce: str) -> Verified:
        """Verify a presentation and, if it is valid, use it: the chain's counter decides who was first.

        For a consumer whose key is here, else raises ``Conflict`` ``ACT_SIGNATURE_REQUIRED``. The verification of a
        genuine certificate is recorded for the subject, whatever its result. A presentation that was not answered,
        because the chain was out of reach or the process ended, goes on when it is sent again. Raises ``Conflict``
        ``NONCE_REPLAYED`` for any other use of a nonce, ``PRESENTATION_PENDING`` while another thread is at it.
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
        """Verify a presentation for a consumer whose key is elsewhere; if it is valid, give the use that it signs.

        Sent again, it gives the use that is to be signed now; or, if the use was counted and its answer lost, the
        content. Raises as ``accept``, but for the key.
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
        """Have a proposed use counted as its consumer signed it; the content follows its block.

        Raises ``NotFound`` ``PRESENTATION_UNKNOWN``; ``Conflict`` ``USE_NOT_PROPOSED`` and ``USE_OVERTAKEN`` (propose
        it again), ``NONCE_REPLAYED``, ``PRESENTATION_PENDING``; ``Forbidden`` ``LOG_SIGNATURE_INVALID``.
        """
        require(actor, Action.VERIFY, owns=True)
        row = self._presentations.resume(presentation, actor.party)
        with self._turns.working_on(row.id):
            offer = self._offers.get(actor.party, presentation)
            case = replace(offer.about, row=row)
            return self._went_on(case) or self._use_up(case, _signed(self._uses, offer, signature))

    def settle(self) -> int:
        """Find out how pending presentations ended that nobody is working on; returns how many that were.

        One whose use the chain counted is ``valid``. One that spent none lapses after a while, until which it may be
        sent again. Raises ``ChainUnavailable``.
        """
        settled = 0
        for row in self._presentations.pending():
            try:
                with self._turns.working_on(row.id):
                    if (ending := self._ending(row)) is None:
                        continue
                    self._end(row, *ending)
            except Conflict:
                # Another thread or process is at it; what it records stands.
                continue
            settled += 1
        if settled:
            log.info("presentations settled", count=settled)
        return settled

    def new_nonce(self) -> str:
        """A fresh nonce for a presentation: 128 random bits."""
        return secrets.token_urlsafe(16)

    def status(self, number: str) -> dict[str, Any]:
        """As ``CertificateStates.status``."""
        return self._states.status(number)

    def public_status(self, number: str) -> dict[str, Any]:
        """As ``CertificateStates.public_status``."""
        return self._states.public_status(number)

    def _begin(self, raw: bytes, consumer: str, nonce: str) -> _UnderWay | None:
        """Take the nonce; None where there is nothing to use up."""
        presented = usage_of(raw)
        if presented is None:
            return None
        bundle, number = presented
        row = self._presentations.begin(bundle, number, consumer, nonce, self._now())
        return _UnderWay(row, bundle, nonce, facts_needed(bundle).uses)

    def _now(self) -> int:
        """Never before the newest block, if a node answers: a wallet's clock may be right where ours is slow."""
        try:
            return max(self._clock(), self._reader.latest().time)
        except ChainUnavailable:
            return self._clock()

    def _went_on(self, case: _UnderWay) -> Verified | None:
        """The answer that an earlier try did not give; None where there is none, and it is to be made now.

        Raises ``Conflict`` ``PRESENTATION_PENDING``, and ``NONCE_REPLAYED`` for one that has lapsed.
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
        """Verify, and name the next use; one that is not valid has ended by that, and there is no use."""
        verified = self.judge(case.bundle, case.expect)
        if not verified.report.valid or verified.facts is None or case.counter is None:
            self._end(case.row, Ended.of(verified.report, case.bundle))
            return verified, None
        consumer, request = case.counter
        ordinal = verified.facts.uses_of(consumer, request) + 1
        return verified, self._uses.to_sign(case.row.id, consumer, request, ordinal, case.deadline)

    def _use_up(self, case: _UnderWay, send: Send) -> Verified:
        """Verify and spend one use on the chain; where another use was faster, verify again."""
        overtaken = 0
        with self._turns.of_counter(case.counter):
            while True:
                verified, wanted = self._next_use(case)
                if wanted is None:
                    return verified
                if wanted.ordinal == overtaken:
                    # The node that was asked has not seen the block of the other use yet.
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
        """The use that was announced, if that transaction counted it."""
        if receipt is None or row.ordinal is None or row.request is None:
            return None
        if not self._uses.counted(receipt, row.consumer, row.request, row.ordinal):
            return None
        return CountedUse(row.ordinal, receipt.tx_hash, receipt.gas_used)

    def _as_it_was(self, case: _UnderWay, use: CountedUse) -> Verified:
        """What should have been answered: judged at the time of the use, and before it."""
        facts = self.facts(case.bundle)
        history = () if case.counter is None else facts.uses.get(case.counter, ())
        if case.counter is None or len(history) < use.ordinal:
            # The node that was asked has not seen the block yet.
            raise under_way()
        before = replace(facts, uses={**facts.uses, case.counter: history[: use.ordinal - 1]})
        report = self.report(case.bundle, before, history[use.ordinal - 1].at, case.expect)
        return Verified(report, before, use)

    def _ending(self, row: KnownPresentation) -> tuple[Ended, CountedUse | None] | None:
        """How a presentation ended that broke off; None while that is open."""
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
                "Another use under this request was counted since this one was signed.",
                where=f"presentation {use.presentation}",
                hint="Send the presentation again with the same nonce, and sign the use that comes back.",
            )
        return uses.send(offer.use, signature, announce)

    return send
