"""Holds. While an authority or a supervisor has a hold on a signed statement, no certificate that rests on the
statement is valid.

The transaction that places a hold on a usage certificate also places a hold on the certificate's request, so that no
other certificate of the request stays valid. Registration certificates cannot be held; their asset can be frozen
instead.

One authority or supervisor alone places a hold, which takes effect at once. To lift a hold, one party proposes this and
a second party with the same role confirms the proposal; there is no waiting period.
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
    """Places and lifts holds.

    ``by`` is the id of the acting authority or supervisor; the contract checks that the party has this role.
    """

    def __init__(self, database: Database, reader: ChainReader, acting: RelayedActs, proposals: Proposals) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._proposals = proposals

    def hold(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> None:
        """Place a hold on a usage certificate and its request. A statement on which the same role has already placed a
        hold is skipped.

        Raises ``Conflict`` ``REGISTRATION_NOT_HELD``, ``SIGNATURE_REQUIRED``; ``Forbidden`` ``PARTY_LACKS_ROLE``;
        ``NotFound``.
        """
        self.hold_statements(self._rests_on(number), reason, by, signed)

    def lift(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> Proposal:
        """Lift the hold that the role of ``by`` placed on a usage certificate and its request.

        A hold that the other role (authority or supervisor) placed stays.

        If this installation keeps the key of a second party with the role, that party confirms at once; else the
        proposal stays pending. Raises the errors of ``hold``, and ``Conflict`` ``LOG_NOT_HELD`` if the role has placed
        a hold on neither statement.
        """
        return self.lift_statements(self._rests_on(number), reason, by, signed)

    def hold_statements(
        self, digests: Sequence[str], reason: str, by: str, signed: SignedRequest | None = None
    ) -> None:
        """Place a hold on statements, given by their digests (hex): requests, authorizations, provisions or usage
        certificates.

        Raises the errors of ``hold``, and ``InvalidInput`` ``HOLD_COUNT`` unless there are 1 to 100 digests.
        """
        own, held = self._held(digests, by)
        fresh = [digest for digest, offices in held.items() if not own or not own <= offices]
        if fresh:
            self._acting.act_as(by, calls.hold(fresh, reason), signed)

    def lift_statements(
        self, digests: Sequence[str], reason: str, by: str, signed: SignedRequest | None = None
    ) -> Proposal:
        """Lift the holds that the role of ``by`` placed on these statements. Returns and raises the same as ``lift``.

        If ``by`` is both authority and supervisor, the holds of the authorities are lifted; if the authorities have
        placed no hold, the holds of the supervisors are lifted.
        """
        own, held = self._held(digests, by)
        if not own:
            raise Forbidden(
                "PARTY_LACKS_ROLE",
                "Only an authority or a supervisor can lift a hold.",
                where="by",
                hint="Ask a party with the role that set the hold.",
            )
        for office in sorted(own):
            if own_holds := [digest for digest, offices in held.items() if office in offices]:
                return self._proposals.decide(by, calls.lift(office, own_holds, reason), signed)
        raise Conflict(
            "LOG_NOT_HELD",
            "The caller's role has not placed a hold on any of these statements.",
            where="statements",
            hint="Ask a party with the role that set the hold.",
        )

    def offices(self, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return, for each statement, which roles (authority, supervisor) have placed a hold on the statement. Raises
        ``ChainUnavailable``.
        """
        asked = self._reader.batched("latest")
        answers = {digest: asked.hold(digest) for digest in digests}
        return {digest: tuple(answer().offices) for digest, answer in answers.items()}

    def _held(self, digests: Sequence[str], by: str) -> tuple[set[str], dict[str, set[str]]]:
        """Return which of the two roles (authority, supervisor) ``by`` has, and for each statement which roles now have
        a hold on the statement.
        """
        if not 1 <= len(digests) <= MAX_STATEMENTS:
            raise InvalidInput("HOLD_COUNT", f"Name 1 to {MAX_STATEMENTS} statements.", where="statements")
        with self._database.read() as session:
            number = party_no(session, by)
        asked = self._reader.batched("latest")
        party, answers = asked.party(number), {digest: asked.hold(digest) for digest in digests}
        held = {digest: set(answer().offices) for digest, answer in answers.items()}
        return set(OFFICES) & set(party().roles), held

    def _rests_on(self, number: str) -> list[str]:
        with self._database.read() as session:
            row = certificate(session, number)
            request = request_of(session, row)
            if request is None:
                raise Conflict(
                    "REGISTRATION_NOT_HELD",
                    "A registration certificate cannot be held; freeze its asset instead.",
                    where=number,
                    hint="Freeze the asset: `pingzheng asset freeze`.",
                )
            return [row.digest, request]
