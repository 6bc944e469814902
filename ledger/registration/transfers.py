"""Transfer of a registered asset (offer, then acceptance before a deadline), freeze, annulment and reassignment.

If a holder is closed, or has no key that can still act, two institutions can together reassign its asset to another
party.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import aliased

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.status import ended_certificates
from ledger.certificates.tables import Certificate
from ledger.chain.sending.asset_calls import (
    accept_transfer,
    annul,
    offer_transfer,
    reassign,
    reject_transfer,
    set_frozen,
    withdraw_offer,
)
from ledger.chain.sending.sender import Receipt
from ledger.domain.days import DAY
from ledger.domain.powers import ProposalState
from ledger.domain.reasons import checked_grounds
from ledger.errors import Conflict
from ledger.index.speaking_keys import is_mute
from ledger.index.tables import ASSETS, PARTIES
from ledger.parties.lookups import party_no
from ledger.parties.permissions import Action
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.roles import Actor, require
from ledger.parties.tables import Party
from ledger.registration.tables import Registration
from ledger.registration.use_case import Parts, UseCase


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted transfer: the new holder's certificate, and the gas used (0 if an earlier call accepted the
    transfer).
    """

    certificate: IssuedCertificate
    gas: int


class Transfers(UseCase):
    """Sends offers and answers in the parties' names. The contract decides whether an act is allowed; then certificates
    are issued.
    """

    def __init__(self, parts: Parts, proposals: Proposals) -> None:
        super().__init__(parts)
        self._proposals = proposals

    def offer(self, actor: Actor, asset: str, to: str, deadline: int | None = None) -> Receipt:
        """Offer the asset to ``to`` until ``deadline`` (seconds UTC, inclusive)."""
        with self._database.read() as session:
            recipient = party_no(session, to)
        until = deadline if deadline is not None else self._clock() + self._rules.offer_days * DAY
        return self._acting.act_by(actor, offer_transfer(asset, recipient, until))

    def accept(self, actor: Actor, asset: str) -> Accepted:
        """Accept the asset as its new holder; a new registration certificate supersedes the old certificate.

        The call can be repeated after a crash: a party that already holds the asset gets the asset's certificate.
        """
        held, gas = self._reader.asset(asset), 0
        if held is None or held.holder != actor.party or held.state != "confirmed":
            gas = self._acting.act_by(actor, accept_transfer(asset)).gas_used
        issued = self._certificates.settle([asset])
        if not issued:
            raise Conflict(
                "ASSET_WRONG_STATE",
                "The party holds the asset, but the registration ended before a certificate was issued.",
                where=asset,
                hint="Read the asset's provenance to see who ended it, and why.",
            )
        return Accepted(issued[0], gas)

    def reject(self, actor: Actor, asset: str) -> Receipt:
        """Reject an offer, as the party to which the asset was offered."""
        return self._acting.act_by(actor, reject_transfer(asset))

    def withdraw(self, actor: Actor, asset: str) -> Receipt:
        """Withdraw an offer, as the holder."""
        return self._acting.act_by(actor, withdraw_offer(asset))

    def freeze(self, actor: Actor, asset: str, reason: str) -> Receipt:
        """Freeze the asset, as the authority or the supervisor. Until the freeze is lifted, nothing about the asset can
        change.
        """
        require(actor, Action.FREEZE)
        return self._acting.act_by(actor, set_frozen(asset, True, reason))

    def unfreeze(self, actor: Actor, asset: str, reason: str) -> Receipt:
        """Lift the freeze."""
        require(actor, Action.FREEZE)
        return self._acting.act_by(actor, set_frozen(asset, False, reason))

    def annul(self, actor: Actor, asset: str, reason: str, grounds: str) -> Receipt:
        """Annul a registration permanently (撤销), as the registrar, the authority or the supervisor.

        ``reason`` is a code, and ``grounds`` is the text that explains the reason. After the annulment, the asset's
        certificate fails verification, and every asset derived from this asset is marked.
        """
        require(actor, Action.ANNUL)
        with self._documents.kept(asset, "annulment", actor.party, {"grounds": checked_grounds(grounds)}) as digest:
            return self._acting.act_by(actor, annul(asset, reason, digest))

    def reassign(self, actor: Actor, asset: str, to: str, grounds: str) -> Proposal:
        """Propose to give ``to`` the asset of a holder that is closed or has no key that can act. Two institutions must
        agree, and a waiting period must pass.

        The contract refuses to carry out the proposal unless the holder has been closed, or without such a key, for as
        long as the waiting period. ``grounds`` is the text of the decision; its digest goes to the chain. Liens and a
        freeze stay. Raises ``Conflict`` ``ASSET_NOT_ON_CHAIN``, ``ASSET_HOLDER_SPEAKS``;
        ``Forbidden``; ``NotFound``.
        """
        require(actor, Action.MANAGE_ROLES)
        held = self._reader.asset(asset)
        if held is None:
            raise Conflict("ASSET_NOT_ON_CHAIN", "The asset is not on the chain yet.", where=asset)
        number = self._reader.party_no(held.holder)
        self._follower.sync()
        with self._database.read() as session:
            mute = is_mute(session.connection(), number)
        if not mute:
            raise Conflict(
                "ASSET_HOLDER_SPEAKS",
                "The holder has a key that can act, so its asset cannot be reassigned.",
                where=asset,
                hint="Let the holder offer the asset.",
            )
        with self._database.read() as session:
            recipient = party_no(session, to)
        with self._documents.kept(asset, "reassignment", actor.party, {"grounds": checked_grounds(grounds)}) as digest:
            row = self._proposals.decide(actor.party, reassign(asset, recipient, digest), actor.signed)
        if row.state == ProposalState.CARRIED_OUT:
            self._certificates.settle([asset])
        return row

    def follow(self) -> list[IssuedCertificate]:
        """Issue certificates for assets whose holder changed without this service, and return these certificates.

        The holder changes without this service if a proposal is carried out later, or if the new holder itself sends
        the acceptance to the chain. During a pause the earlier certificate cannot be superseded; a later call
        supersedes it.
        """
        self._follower.sync()
        with self._database.read() as session:
            assets = sorted({*session.scalars(_moved()), *session.scalars(_half_superseded())})
        return self._certificates.settle(assets) if assets else []


def _moved() -> Select[str]:
    """Select confirmed assets whose new holder on the chain is registered here and has no certificate for the asset
    yet.
    """
    successor = aliased(Certificate)
    superseded = exists().where(successor.supersedes == Certificate.certificate_no)
    return (
        select(Registration.asset_id)
        .join(Certificate, Certificate.asset_id == Registration.asset_id)
        .join(ASSETS, ASSETS.c.id == Registration.asset_id)
        .join(PARTIES, PARTIES.c.no == ASSETS.c.holder_no)
        .join(Party, Party.id == PARTIES.c.id)
        .where(ASSETS.c.state == "confirmed", PARTIES.c.id != Certificate.subject, ~superseded)
    )


def _half_superseded() -> Select[str]:
    """Select assets whose certificate has a successor here but is not yet superseded on the chain."""
    successor = aliased(Certificate)
    return (
        select(Registration.asset_id)
        .join(Certificate, Certificate.asset_id == Registration.asset_id)
        .join(successor, successor.supersedes == Certificate.certificate_no)
        .where(Certificate.digest.not_in(ended_certificates()))
    )
