"""The steps in which presentations are accepted, for a whole set of presentations of one consumer at once.

Each presentation is answered in these steps, each of which is done only once: reserve the nonce; verify; store the
transaction hash of the use; send the use; store the result. If the process stops between two steps, the presentation
stays pending. If the consumer sends the presentation again, the steps continue, with the time at which the presentation
was first received. ``settle`` finds the outcome of a pending presentation by its transaction hash.

Each step is done for all presentations of a set together: one database transaction, one pass of reads from the chain,
or one transaction on the chain. A presentation that fails does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import InitVar, dataclass, field, replace
from itertools import groupby
from typing import Final

import structlog

from ledger.certificates.verification.judging import Judge, Verified
from ledger.certificates.verification.known_presentation import KnownPresentation, replayed, under_way
from ledger.certificates.verification.presentation_ends import LAPSED, VALID, CountedUse, Ended
from ledger.certificates.verification.presentations import Arrived, End, Presentations, Tried
from ledger.certificates.verification.taking_turns import Turns
from ledger.certificates.verification.use_offers import Offers
from ledger.certificates.verification.uses import Uses, UseToSign, WantedUse
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import ChainUnavailable, Conflict, PingzhengError
from ledger.proof.bundle import Bundle
from ledger.proof.facts_needed import facts_needed
from ledger.proof.verifier import Expectation
from ledger.store.database import Database

LAPSE_SECONDS: Final = 300

log = structlog.get_logger()

Send = Callable[[Sequence[UseToSign], Announce], Receipt]


@dataclass(eq=False, slots=True)
class UnderWay:
    """A presentation that is being verified.

    ``counter`` is the consumer (party id) and the request that the certificate names. ``tried`` is the ordinal of the
    use that was tried last. ``answer`` is the report or an error; it is None while the presentation is being verified.
    """

    row: KnownPresentation
    bundle: Bundle
    nonce: str
    counter: tuple[str, str] | None
    tried: int = 0
    answer: Verified | PingzhengError | None = None

    @property
    def expect(self) -> Expectation:
        return Expectation(consumer=self.row.consumer, nonce=self.nonce, received=self.row.created_at)

    @property
    def deadline(self) -> int:
        """The last second (UTC) at which the presentation can be sent again to have its use counted."""
        return self.row.created_at + LAPSE_SECONDS


Wanted = tuple[UnderWay, Verified, UseToSign]


def apart(arrived: Mapping[int, Arrived]) -> list[list[int]]:
    """Divide the presentations into sets, so that no set has two presentations with one nonce or one use counter.

    Returns the keys of the presentations. Presentations with the same nonce or counter stay in their order.
    """
    sets: list[list[int]] = []
    next_set: dict[object, int] = {}
    for place, each in arrived.items():
        marks = each.nonce, facts_needed(each.bundle).uses
        number = max(next_set.get(mark, 0) for mark in marks)
        next_set |= dict.fromkeys(marks, number + 1)
        if number == len(sets):
            sets.append([])
        sets[number].append(place)
    return sets


@dataclass(eq=False, repr=False)
class Accepting(Judge):
    """Accepts presentations, in the steps that the docstring of this module describes."""

    database: InitVar[Database]
    _reader: ChainReader
    _uses: Uses
    _presentations: Presentations
    _turns: Turns = field(default_factory=Turns, init=False)
    _offers: Offers[UnderWay] = field(default_factory=Offers, init=False)

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
                    self._ended(row, *ending)
            except Conflict:
                # Another thread or process works on the presentation and will record its outcome.
                continue
            settled += 1
        if settled:
            log.info("presentations settled", count=settled)
        return settled

    def _begin(self, consumer: str, arrived: Sequence[Arrived]) -> list[UnderWay | Conflict]:
        """Reserve the nonces and record the presentations; return the error for each nonce that was used before."""
        rows = self._presentations.begin(consumer, arrived, self._now())
        return [
            row if isinstance(row, Conflict) else UnderWay(row, each.bundle, each.nonce, facts_needed(each.bundle).uses)
            for each, row in zip(arrived, rows, strict=True)
        ]

    def _now(self) -> int:
        """Return the time of this clock or of the newest block, whichever is later, because a wallet's clock may be
        ahead of this clock.
        """
        try:
            return max(self._clock(), self._reader.latest().time)
        except ChainUnavailable:
            return self._clock()

    def _accept(self, cases: Sequence[UnderWay]) -> None:
        """Set the answer of each presentation. This installation must have the consumer's key."""
        with ExitStack() as working:
            for case in cases:
                try:
                    working.enter_context(self._turns.working_on(case.row.id))
                    case.answer = self._went_on(case)
                except PingzhengError as error:
                    case.answer = error
            self._use_up(cases, lambda uses, announce: self._uses.send(uses, None, announce))

    def _went_on(self, case: UnderWay) -> Verified | None:
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
        known = self._ended(case.row, ended, use)
        if verified is None:
            raise replayed(known)
        return verified

    def _use_up(self, cases: Sequence[UnderWay], send: Send) -> None:
        """Verify the presentations and have their uses counted. If a different use of a certificate was counted first,
        verify the certificate's presentation again.

        When this method returns, each presentation has an answer.
        """
        with self._turns.of_counters(case.counter for case in cases):
            while going := [case for case in cases if case.answer is None]:
                try:
                    wanted = self._next_uses(going)
                except PingzhengError as error:
                    for case in going:
                        case.answer = case.answer or error
                    return
                for case, _, use in wanted:
                    if use.ordinal == case.tried:
                        # The ordinal of the next use has not changed since the last try: the node does not yet have the
                        # block with the use that was counted first. The consumer must send the presentation again.
                        case.answer = under_way()
                    case.tried = use.ordinal
                left = [each for each in wanted if each[0].answer is None]
                for _, some in groupby(sorted(left, key=_deadline), key=_deadline):
                    self._spend(list(some), send)

    def _next_uses(self, cases: Sequence[UnderWay]) -> list[Wanted]:
        """Verify the presentations. Return the valid presentations, each with the report and the use that the consumer
        must sign.

        The outcome of every invalid presentation is recorded, and its answer is set.
        """
        judged = self.judge_all([(case.bundle, case.expect) for case in cases])
        valid: list[tuple[UnderWay, Verified, WantedUse]] = []
        refused: list[tuple[UnderWay, Verified, None]] = []
        for case, verified in zip(cases, judged, strict=True):
            if not verified.report.valid or verified.facts is None or case.counter is None:
                refused.append((case, verified, None))
            else:
                ordinal = verified.facts.uses_of(*case.counter) + 1
                valid.append((case, verified, WantedUse(case.row.id, case.counter[1], ordinal, case.deadline)))
        self._end(refused)
        if not valid:
            return []
        # All uses are signed by one consumer, because a presentation is valid only if it is made to the consumer that
        # the certificate names.
        uses = self._uses.to_sign(valid[0][0].row.consumer, [use for _, _, use in valid])
        return [(case, verified, use) for (case, verified, _), use in zip(valid, uses, strict=True)]

    def _spend(self, wanted: Sequence[Wanted], send: Send) -> None:
        """Have the uses counted in one transaction. If a use was not counted, its presentation gets no answer and is
        verified again.
        """

        def announce(tx_hash: str) -> None:
            tried = [Tried(case.row, Ended.of(seen.report, case.bundle), use.ordinal) for case, seen, use in wanted]
            for (case, _, _), row in zip(wanted, self._presentations.announce(tried, tx_hash), strict=True):
                if isinstance(row, Conflict):
                    case.answer = row
                else:
                    case.row = row
            if any(case.answer for case, _, _ in wanted):
                raise under_way()

        try:
            receipt = send([use for _, _, use in wanted], announce)
        except PingzhengError as error:
            if any(case.answer for case, _, _ in wanted):
                # Other processes continued some of the presentations, so nothing was sent. The remaining presentations
                # are tried again.
                for case, _, _ in wanted:
                    case.tried = 0
            elif error.code != "LOG_USE_OUT_OF_ORDER":
                for case, _, _ in wanted:
                    case.answer = error
            return
        uses = self._uses_in(receipt, [case.row for case, _, _ in wanted])
        counted = [(case, seen, use) for (case, seen, _), use in zip(wanted, uses, strict=True) if use is not None]
        self._end(counted)

    def _uses_in(self, receipt: Receipt | None, rows: Sequence[KnownPresentation]) -> list[CountedUse | None]:
        """Return, for each of the rows (all of one consumer), the use that the contract counted in the transaction;
        None if it counted none.
        """
        if receipt is None:
            return [None] * len(rows)
        counted, events = self._uses.counted(receipt, rows[0].consumer), receipt.named("Used")
        return [
            CountedUse(row.ordinal, receipt.tx_hash, receipt.gas_used // len(events))
            if row.ordinal is not None and (row.request, row.ordinal) in counted
            else None
            for row in rows
        ]

    def _as_it_was(self, case: UnderWay, use: CountedUse) -> Verified:
        """Compute an answer that was lost: verify as of the time of the use, as if this use and later uses were not
        counted yet.
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
        (use,) = self._uses_in(receipt, [row])
        if use is not None:
            return Ended(VALID, tuple(row.fields)), use
        waits = row.tx_hash is not None and self._uses.waits(row.tx_hash)
        if waits or self._clock() < row.created_at + LAPSE_SECONDS:
            return None
        return Ended(LAPSED), None

    def _end(self, ends: Sequence[tuple[UnderWay, Verified, CountedUse | None]]) -> None:
        """Record the outcomes of verified presentations, and set the answers of the presentations."""
        if not ends:
            return
        recorded = self._presentations.end(
            [End(case.row, Ended.of(verified.report, case.bundle), use) for case, verified, use in ends]
        )
        for (case, verified, use), row in zip(ends, recorded, strict=True):
            self._offers.drop(case.row.consumer, case.row.id)
            case.answer = row if isinstance(row, Conflict) else replace(verified, use=use)

    def _ended(self, row: KnownPresentation, ended: Ended, use: CountedUse | None) -> KnownPresentation:
        """Record the outcome of an interrupted presentation."""
        self._offers.drop(row.consumer, row.id)
        (known,) = self._presentations.end([End(row, ended, use)])
        if isinstance(known, Conflict):
            raise known
        return known


def _deadline(wanted: Wanted) -> int:
    return wanted[2].deadline
