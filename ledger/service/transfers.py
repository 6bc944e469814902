"""Transfer of a registered asset in two steps with a deadline, and the certificates that follow the holder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.chain.calls import Call, accept_transfer, offer_transfer, reject_transfer, set_frozen, withdraw_offer
from ledger.chain.reader import ChainReader
from ledger.chain.relay import SignedRequest
from ledger.chain.sender import Receipt
from ledger.errors import Conflict
from ledger.service.acting import Acting
from ledger.service.registrations import Registrations
from ledger.service.status import CertificateStatus
from ledger.store.database import Database
from ledger.store.records import party
from ledger.store.tables import Certificate

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transfer that was accepted: the new holder's certificate, and the gas of accepting (0 if it was before)."""

    certificate: Certificate
    gas: int


class Transfers:
    """Offers and answers in the parties' names; the contract decides, the certificates follow."""

    def __init__(
        self,
        database: Database,
        reader: ChainReader,
        acting: Acting,
        registrations: Registrations,
        status: CertificateStatus,
        offer_days: int,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._registrations = registrations
        self._status = status
        self._offer_days = offer_days
        self._clock = clock

    def offer(
        self,
        asset: str,
        by: str,
        to: str,
        deadline: int | None = None,
        signed: SignedRequest | None = None,
    ) -> Receipt:
        """Offer the asset to ``to`` until ``deadline`` (seconds UTC, inclusive)."""
        with self._database.read() as session:
            recipient = party(session, to)
        if recipient.no is None:
            raise Conflict("PARTY_NOT_ON_CHAIN", "The recipient is not registered on the chain yet.")
        until = deadline if deadline is not None else self._clock() + self._offer_days * DAY
        return self._act(by, offer_transfer(asset, recipient.no, until), signed)

    def accept(self, asset: str, by: str, signed: SignedRequest | None = None) -> Accepted:
        """Take over the asset; the new registration certificate supersedes the old one.

        Safe to call again after a crash: a party that holds the asset already only gets its certificate.
        """
        held, gas = self._reader.asset(asset), 0
        if held is None or held.holder != by:
            gas = self._act(by, accept_transfer(asset), signed).gas_used
        return Accepted(self.settle(asset), gas)

    def settle(self, asset: str) -> Certificate:
        """Bring the certificates in line with the holder on the chain."""
        issued = self._registrations.issue_certificate(asset)
        if issued.supersedes is not None:
            self._status.supersede(issued.supersedes, issued.certificate_no)
        return issued

    def reject(self, asset: str, by: str, signed: SignedRequest | None = None) -> Receipt:
        """Refuse an offer."""
        return self._act(by, reject_transfer(asset), signed)

    def withdraw(self, asset: str, by: str, signed: SignedRequest | None = None) -> Receipt:
        """Take back an offer."""
        return self._act(by, withdraw_offer(asset), signed)

    def freeze(self, asset: str, by: str, reason: str, signed: SignedRequest | None = None) -> Receipt:
        """Stop every move of the asset; the authority or the supervisor may."""
        return self._act(by, set_frozen(asset, True, reason), signed)

    def unfreeze(self, asset: str, by: str, reason: str, signed: SignedRequest | None = None) -> Receipt:
        """Let the asset move again."""
        return self._act(by, set_frozen(asset, False, reason), signed)

    def _act(self, by: str, call: Call, signed: SignedRequest | None) -> Receipt:
        with self._database.read() as session:
            account = party(session, by).account
        return self._acting.act(account, call, signed)
