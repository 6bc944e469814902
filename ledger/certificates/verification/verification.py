"""Verify a bundle for a party: read the chain data, call the verifier, have the use counted, and record the
verification for the subject.

The chain's counter decides which use comes first, even between processes and installations. A use is counted only if it
has the next ordinal. If another use was counted first, the bundle is verified again with that use. Within a process,
presentations of one request wait for each other, so that no two of them send a use with the same ordinal. Only the
consumer can have a use counted. If the consumer's key is not here, the use is returned to the consumer to sign, and the
content is returned only after the signed use is in a block.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from ledger.certificates.state import CertificateStates
from ledger.certificates.verification.accepting import LAPSE_SECONDS, Accepting, Send, UnderWay, apart
from ledger.certificates.verification.judging import Verified, usage_of
from ledger.certificates.verification.presentation_ends import Ended
from ledger.certificates.verification.presentations import Arrived
from ledger.certificates.verification.use_offers import Offer
from ledger.certificates.verification.uses import Uses, UseToSign
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import Conflict, InvalidInput, PingzhengError
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.verifier import Expectation
from ledger.store.database import Database

__all__ = ["LAPSE_SECONDS", "MAX_TOGETHER", "Proposed", "Received", "Verification"]

MAX_TOGETHER: Final = 100
"""The most presentations that one call accepts."""


class Received(NamedTuple):
    """A presentation as a consumer received it: the bytes of the bundle, and the nonce that the consumer chose."""

    raw: bytes
    nonce: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """The answer to a consumer whose key is not here. The consumer must sign ``use`` to receive the content. If ``use``
    is None, ``verified`` is the final answer.
    """

    verified: Verified
    use: UseToSign | None


@dataclass(eq=False, repr=False)
class Verification(Accepting):
    """Verifies bundles for parties that do not run a verifier themselves."""

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
        (answer,) = self.accept_all(actor, [Received(raw, nonce)])
        return Verified.of(answer)

    def accept_all(self, actor: Actor, received: Sequence[Received]) -> list[Verified | PingzhengError]:
        """Accept at most ``MAX_TOGETHER`` presentations, each as ``accept`` does, and return the answers in the order
        of the presentations. The uses are counted in one transaction.

        For a presentation that fails, the answer is the error that ``accept`` would raise; the other presentations are
        accepted all the same. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``Conflict`` ``ACT_SIGNATURE_REQUIRED``, and
        ``InvalidInput`` ``TOO_MANY_PRESENTATIONS``.
        """
        require(actor, Action.VERIFY, owns=True)
        if len(received) > MAX_TOGETHER:
            raise InvalidInput(
                "TOO_MANY_PRESENTATIONS",
                f"A call can accept at most {MAX_TOGETHER} presentations.",
                hint="Send the presentations in several calls.",
            )
        usages = [usage_of(each.raw) for each in received]
        if any(usages):
            self._uses.require_key_of(actor.party)
        answers: list[Verified | PingzhengError | None] = [None] * len(received)
        arrived: dict[int, Arrived] = {}
        for place, (each, usage) in enumerate(zip(received, usages, strict=True)):
            if usage is None:
                answers[place] = self.verify(each.raw, Expectation(consumer=actor.party, nonce=each.nonce))
            else:
                arrived[place] = Arrived(*usage, each.nonce)
        for places in apart(arrived):
            begun = self._begin(actor.party, [arrived[place] for place in places])
            self._accept([case for case in begun if isinstance(case, UnderWay)])
            for place, case in zip(places, begun, strict=True):
                answers[place] = case.answer if isinstance(case, UnderWay) else case
        return [answer for answer in answers if answer is not None]

    def propose(self, actor: Actor, raw: bytes, nonce: str) -> Proposed:
        """Verify a presentation for a consumer whose key is not here. If the presentation is valid, return the use that
        the consumer must sign.

        If the presentation is sent again, the current use is returned. If the use was already counted and only the
        answer was lost, the content is returned. Raises the errors of ``accept``, except ``ACT_SIGNATURE_REQUIRED``.
        """
        require(actor, Action.VERIFY, owns=True)
        if (usage := usage_of(raw)) is None:
            return Proposed(self.verify(raw, Expectation(consumer=actor.party, nonce=nonce)), None)
        (case,) = self._begin(actor.party, [Arrived(*usage, nonce)])
        if isinstance(case, Conflict):
            raise case
        with self._turns.working_on(case.row.id):
            if (answered := self._went_on(case)) is not None:
                return Proposed(answered, None)
            wanted = self._next_uses([case])
            if not wanted:
                return Proposed(Verified.of(case.answer), None)
            ((_, verified, use),) = wanted
            self._presentations.looked_at(case.row, Ended.of(verified.report, case.bundle))
            self._offers.put(actor.party, use, case)
            return Proposed(verified.without_content(), use)

    def use(self, actor: Actor, presentation: str, signature: bytes) -> Verified:
        """Send the use that ``propose`` returned and that the consumer has now signed. Return the content when the use
        is counted.

        Raises ``NotFound`` ``PRESENTATION_UNKNOWN``; ``Conflict`` ``USE_NOT_PROPOSED`` and ``USE_OVERTAKEN`` (then call
        ``propose`` again), ``NONCE_REPLAYED``, ``PRESENTATION_PENDING``; ``Forbidden`` ``LOG_SIGNATURE_INVALID``,
        ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.VERIFY, owns=True)
        row = self._presentations.resume(presentation, actor.party)
        with self._turns.working_on(row.id):
            offer = self._offers.get(actor.party, presentation)
            case = replace(offer.about, row=row)
            if (answered := self._went_on(case)) is not None:
                return answered
            self._use_up([case], _signed(self._uses, offer, signature))
            return Verified.of(case.answer)

    def new_nonce(self) -> str:
        """Return a fresh nonce for a presentation: 128 random bits."""
        return secrets.token_urlsafe(16)

    def status(self, number: str) -> dict[str, Any]:
        """Return the status of a certificate, as ``CertificateStates.status`` does."""
        return self._states.status(number)

    def public_status(self, number: str) -> dict[str, Any]:
        """Return the public status of a certificate, as ``CertificateStates.public_status`` does."""
        return self._states.public_status(number)


def _signed(uses: Uses, offer: Offer[UnderWay], signature: bytes) -> Send:
    def send(now: Sequence[UseToSign], announce: Announce) -> Receipt:
        if [use.ordinal for use in now] != [offer.use.ordinal]:
            raise Conflict(
                "USE_OVERTAKEN",
                "Another use of this request was counted after this use was proposed.",
                where=f"presentation {offer.use.presentation}",
                hint="Send the presentation again with the same nonce. The answer proposes a new use; sign that use.",
            )
        return uses.send([offer.use], signature, announce)

    return send
