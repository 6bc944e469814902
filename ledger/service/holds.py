"""Holds: an authority or a supervisor stops a statement, and what rests on it, until it lifts its hold.

A hold belongs to what was signed. Whoever holds a usage certificate also holds its request, in the same call: another
certificate under the request is no way round. A registration certificate is not held: its asset is frozen.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain import calls
from ledger.chain.reader import ChainReader
from ledger.chain.relay import SignedRequest
from ledger.domain.parties import Role
from ledger.errors import Conflict, InvalidInput
from ledger.service.acting import Acting
from ledger.store.database import Database
from ledger.store.records import access_request, certificate, party_no

MAX_STATEMENTS = 100
OFFICES = {Role.AUTHORITY.value, Role.SUPERVISOR.value}


class Holds:
    """Sets and lifts the holds of the office ``by`` (a party id). The chain decides who may."""

    def __init__(self, database: Database, reader: ChainReader, acting: Acting) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting

    def hold(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> None:
        """Hold a usage certificate and its request. What the office holds already stays held: nothing is sent for it.

        Raises ``Conflict`` ``REGISTRATION_NOT_HELD``, ``SIGNATURE_REQUIRED``; ``Forbidden`` ``PARTY_LACKS_ROLE``;
        ``NotFound``.
        """
        self.hold_statements(self._rests_on(number), reason, by, signed)

    def lift(self, number: str, reason: str, by: str, signed: SignedRequest | None = None) -> None:
        """Lift the office's hold on a usage certificate and its request; another office's stands. Raises as ``hold``,
        and ``Conflict`` ``LOG_NOT_HELD`` where the office holds neither."""
        self.lift_statements(self._rests_on(number), reason, by, signed)

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
    ) -> None:
        """Lift the office's holds on those statements of the list that it holds; raises as ``lift``."""
        own, held = self._held(digests, by)
        standing = [digest for digest, offices in held.items() if own & offices]
        # Where the office holds none, the contract refuses and names the first.
        self._acting.act_as(by, calls.lift(standing or list(held), reason), signed)

    def _held(self, digests: Sequence[str], by: str) -> tuple[set[str], dict[str, set[str]]]:
        """The offices of ``by``, and those that hold each statement now; a party of both offices holds for both."""
        if not 1 <= len(digests) <= MAX_STATEMENTS:
            raise InvalidInput("HOLD_COUNT", f"Name 1 to {MAX_STATEMENTS} statements.", where="statements")
        with self._database.read() as session:
            number = party_no(session, by)
        asked = self._reader.questions("latest")
        party = asked.party(number)
        answers = {digest: asked.hold(digest) for digest in digests}
        return OFFICES & set(party().roles), {digest: set(answer().offices) for digest, answer in answers.items()}

    def _rests_on(self, number: str) -> list[str]:
        """The statements that stop a certificate: its own and its request."""
        with self._database.read() as session:
            row = certificate(session, number)
            if row.request_id is None:
                raise Conflict(
                    "REGISTRATION_NOT_HELD",
                    "A registration certificate is not held: its asset is frozen.",
                    where=number,
                    hint="Freeze the asset: `pingzheng asset freeze`.",
                )
            return [row.digest, access_request(session, row.request_id).digest]
