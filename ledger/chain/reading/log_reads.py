"""Methods that read the certificate log in batched requests: batches, status, holds, uses and withdrawals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.contracts.names import LEAF_STATUSES, names_of_offices
from ledger.chain.reading.batched_calls import BatchedCalls, incomplete
from ledger.chain.reading.contract_state import Hold
from ledger.chain.rpc.answers import named
from ledger.domain.reasons import REASONS
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, StatusFact, UseFact, WithdrawalFact

LEAVES_PER_WORD: Final = 128


class LogReads(BatchedCalls):
    """The reads of ``BatchedReads`` that concern the certificate log.

    Issuers, consumers and parties are given by their numbers, statements and requests by their digests (64 hex digits).
    A history covers the blocks ``first`` to ``last``. Everything else is read as of the block ``last``.
    """

    def batch_count(self, issuer: int) -> Callable[[], int]:
        """Read how many batches an issuer's log has."""
        return self.number(CERTIFICATE_LOG, "batchCount", issuer)

    def commitment(self, issuer: int, batch: int) -> Callable[[], str | None]:
        """Read the anchor commitment of a batch, or None if the batch is not anchored."""
        result = self.read(CERTIFICATE_LOG, "commitmentOf", issuer, batch)

        def answer() -> str | None:
            word = str(result()[0])
            return word if int(word, 16) else None

        return answer

    def state(self, place: Position) -> Callable[[], str]:
        """Read the state of the certificate at a position: ``active``, ``suspended`` or ``revoked``. A superseded
        certificate counts as revoked.
        """
        word, bit = divmod(place.index, LEAVES_PER_WORD)
        result = self.number(CERTIFICATE_LOG, "statusWord", place.issuer, place.batch, word)

        def answer() -> str:
            bits = result()
            if bits >> (LEAVES_PER_WORD + bit) & 1:
                return "revoked"
            return "suspended" if bits >> bit & 1 else "active"

        return answer

    def status_history(self, place: Position, first: int, last: int) -> Callable[[], list[StatusFact]]:
        """Read all status changes of the certificate at a position.

        Each change must differ from the state before it, and the last change must agree with the contract's state. This
        reveals a node that leaves out a change, with one exception: if the node leaves out a suspension together with
        the end of that suspension, the other changes still fit, and only the contract's head (running digest of events)
        reveals the node. The answer raises ChainUnavailable STATUS_HISTORY_INCOMPLETE if the changes do not fit.
        """
        events = self.events(CERTIFICATE_LOG, "StatusChanged", first, last, issuer=place.issuer, batch=place.batch)
        state = self.state(place)

        def answer() -> list[StatusFact]:
            found = [event for event in events() if _touches(event, place.index)]
            with self._reading("CertificateLog.StatusChanged"):
                history = [_status_change(event) for event in found]
            states = ["active", *("revoked" if each.status == "superseded" else each.status for each in history)]
            if any(earlier == later for earlier, later in pairwise(states)) or states[-1] != state():
                where = f"issuer {place.issuer}, batch {place.batch}, index {place.index}"
                raise incomplete("STATUS_HISTORY_INCOMPLETE", where)
            return history

        return answer

    def hold(self, statement: str) -> Callable[[], Hold]:
        """Read the roles (authority, supervisor) that have placed a hold on a statement, and how often its holds
        changed.
        """
        result = self.read(CERTIFICATE_LOG, "holdOf", statement)

        def answer() -> Hold:
            offices, changes = result()
            return Hold(names_of_offices(offices), changes)

        return answer

    def hold_history(self, statement: str, hold: Hold, first: int, last: int) -> Callable[[], list[HoldFact]]:
        """Read all changes of a statement's holds; ``hold`` is the answer of the method ``hold``.

        If the holds never changed, no events are read. The answer raises ChainUnavailable HOLD_HISTORY_INCOMPLETE if
        the events do not lead to ``hold``.
        """
        if not hold.changes:
            return list
        events = self.events(CERTIFICATE_LOG, "Held", first, last, statement=int(statement, 16))

        def answer() -> list[HoldFact]:
            found = events()
            with self._reading("CertificateLog.Held"):
                history = [_hold_change(event) for event in found]
            numbers = [event.args["change"] for event in found]
            # A dishonest node could answer with a huge count of changes, and a list of so many numbers might not fit
            # into memory. So the expected list is made as long as the list of events that arrived.
            whole = len(numbers) == hold.changes and numbers == list(range(1, len(numbers) + 1))
            if not whole or history[-1].offices != hold.offices:
                raise incomplete("HOLD_HISTORY_INCOMPLETE", f"statement {statement}")
            return history

        return answer

    def uses(self, consumer: int, request: str) -> Callable[[], int]:
        """Read how many uses a consumer has recorded for a request."""
        return self.number(CERTIFICATE_LOG, "usesOf", consumer, request)

    def use_history(self, consumer: int, request: str, uses: int, first: int, last: int) -> Callable[[], list[UseFact]]:
        """Read all uses that a consumer recorded for a request; ``uses`` is the answer of the method ``uses``.

        If there are no uses, no events are read. The answer raises ChainUnavailable USE_HISTORY_INCOMPLETE if the
        events do not lead to ``uses``.
        """
        if not uses:
            return list
        events = self.events(CERTIFICATE_LOG, "Used", first, last, consumer=consumer, request=int(request, 16))

        def answer() -> list[UseFact]:
            history = [UseFact(event.args["ordinal"], event.args["at"]) for event in events()]
            if len(history) != uses or [use.ordinal for use in history] != list(range(1, len(history) + 1)):
                raise incomplete("USE_HISTORY_INCOMPLETE", f"consumer {consumer}, request {request}")
            return history

        return answer

    def withdrawn_at(self, party: int, statement: str) -> Callable[[], WithdrawalFact]:
        """Read the times at which a party withdrew a statement. Only a withdrawal by the signer of the statement
        counts.
        """
        result = self.read(CERTIFICATE_LOG, "withdrawnAt", party, statement)
        return lambda: WithdrawalFact(*result())


def _touches(event: Event, index: int) -> bool:
    word, bit = divmod(index, LEAVES_PER_WORD)
    return bool(event.args["word"] == word and event.args["mask"] >> bit & 1)


def _status_change(event: Event) -> StatusFact:
    args = event.args
    return StatusFact(named(LEAF_STATUSES, args["status"]), named(REASONS, args["reason"]), args["at"])


def _hold_change(event: Event) -> HoldFact:
    args = event.args
    return HoldFact(names_of_offices(args["offices"]), named(REASONS, args["reason"]), args["at"], args["by"])
