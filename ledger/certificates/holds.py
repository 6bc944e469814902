"""Holds: an authority or a supervisor stops a statement, and what rests on it, until two of its office lift the hold.

A hold belongs to what was signed. Whoever holds a usage certificate also holds its request, in the same call: another
certificate under the request is no way round. A registration certificate is not held: its asset is frozen.

One officer holds at once. Lifting is a proposal that another party with the same office confirms, without delay.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.certificates.lookups import certificate, request_of
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.lookups import party_no
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs
from ledger.store.database import Database

MAX_STATEMENTS = 100
OFFICES = (Role.AUTHORITY.value, Role.SUPERVISOR.value)


class Holds:
    """Sets and lifts the holds of the office ``by`` (a party id). The chain decides who may."""

    def __init__(self, database: Database, reader: ChainReader, acting: RelayedActs, proposals: Proposals) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._proposals = proposals

    def hold(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> None:
        """Hold a usage certificate and its request. What the office holds already stays held: nothing is sent for it.

        Raises ``Conflict`` ``REGISTRATION_NOT_HELD``, ``SIGNATURE_REQUIRED``; ``Forbidden`` ``PARTY_LACKS_ROLE``;
        ``NotFound``.
        """
        self.hold_statements(self._rests_on(number), reason, by, signed)

    def lift(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> Proposal:
        """Lift the office's hold on a usage certificate and its request; another office's stands.

        A second officer of that office within reach confirms at once; else the proposal stays pending until one does.
        Raises as ``hold``, and ``Conflict`` ``LOG_NOT_HELD`` where the office holds neither.
        """
        return self.lift_statements(self._rests_on(number), reason, by, signed)

    def hold_statements(
        self, digests: Sequence[str], reason: str, by: str, signed: SignedRequest | None = None
    ) -> None:
        """Hold requests, authorizations, provisions or usage certificates by their digests (hex); raises as ``hold``.

        Raises ``InvalidInput`` ``HOLD_COUNT`` for none or more than 100.
        """
        own, held = self._held(digests, by)
        fresh = [digest for digest, offices in held.items() if not own or not own <= offices]
        if fresh:
            self._acting.act_as(by, calls.hold(fresh, reason), signed)

    def lift_statements(
        self, digests: Sequence[str], reason: str, by: str, signed: SignedRequest | None = None
    ) -> Proposal:
        """Lift the office's holds on those statements of the list that it holds; raises and returns as ``lift``.

        A party with both offices lifts for one of them: for the authority, if that holds one of the statements.
        """
        own, held = self._held(digests, by)
        if not own:
            raise Forbidden(
                "PARTY_LACKS_ROLE",
                "Only an authority or a supervisor lifts a hold.",
                where="by",
                hint="Ask an officer of the office that holds it.",
            )
        for office in sorted(own):
            if standing := [digest for digest, offices in held.items() if office in offices]:
                return self._proposals.decide(by, calls.lift(office, standing, reason), signed)
        raise Conflict(
            "LOG_NOT_HELD",
            "The office holds none of these statements.",
            where="statements",
            hint="Only officers of the office that holds a statement lift its hold.",
        )

    def offices(self, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The offices that hold each statement now; raises ``ChainUnavailable``."""
        asked = self._reader.questions("latest")
        answers = {digest: asked.hold(digest) for digest in digests}
        return {digest: tuple(answer().offices) for digest, answer in answers.items()}

    def _held(self, digests: Sequence[str], by: str) -> tuple[set[str], dict[str, set[str]]]:
        """The offices of ``by``, and those that hold each statement now; a party of both offices holds for both."""
        if not 1 <= len(digests) <= MAX_STATEMENTS:
            raise InvalidInput("HOLD_COUNT", f"Name 1 to {MAX_STATEMENTS} statements.", where="statements")
        with self._database.read() as session:
            number = party_no(session, by)
        asked = self._reader.questions("latest")
        party, answers = asked.party(number), {digest: asked.hold(digest) for digest in digests}
        held = {digest: set(answer().offices) for digest, answer in answers.items()}
        return set(OFFICES) & set(party().roles), held

    def _rests_on(self, number: str) -> list[str]:
        """The statements that stop a certificate: its own and its request."""
        with self._database.read() as session:
            row = certificate(session, number)
            request = request_of(session, row)
            if request is None:
                raise Conflict(
                    "REGISTRATION_NOT_HELD",
                    "A registration certificate is not held: its asset is frozen.",
                    where=number,
                    hint="Freeze the asset: `pingzheng asset freeze`.",
                )
            return [row.digest, request]
