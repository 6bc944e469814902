"""Liens: a holder pledges an asset to creditors. Liens have ranks, and only the creditor can release its lien."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ledger.chain.sending.asset_calls import consent_to_transfer, pledge, release
from ledger.chain.sending.sender import Receipt
from ledger.parties.lookups import party_no
from ledger.parties.roles import Actor
from ledger.registration.lookups import registration
from ledger.registration.use_case import UseCase


class Liens(UseCase):
    """Sends acts on liens in the parties' names. The ruleset decides whether a second pledge is refused or ranked after
    the first pledge.
    """

    def pledge(self, actor: Actor, asset: str, creditor: str, terms: Mapping[str, Any]) -> Receipt:
        """Pledge the asset; ``terms`` are stored encrypted (amounts in fen). Raises ``Conflict`` ``ASSET_PLEDGED`` if
        the ruleset refuses a second pledge.
        """
        with self._database.read() as session:
            number = party_no(session, creditor)
        with self._documents.kept(asset, "lien", actor.party, terms) as digest:
            sole = self._rules.second_pledge == "refuse"
            return self._acting.act_by(actor, pledge(asset, number, sole, digest))

    def consent(self, actor: Actor, asset: str, lien: int, to: str | None) -> Receipt:
        """Consent, as the creditor, to a transfer to the party ``to``; None withdraws the consent."""
        with self._database.read() as session:
            number = 0 if to is None else party_no(session, to)
        return self._acting.act_by(actor, consent_to_transfer(asset, lien, number))

    def release(self, actor: Actor, asset: str, lien: int) -> Receipt:
        """Release a lien, as its creditor."""
        return self._acting.act_by(actor, release(asset, lien))

    def of(self, asset: str) -> list[dict[str, Any]]:
        """Return the liens that are not released, ordered by rank."""
        with self._database.read() as session:
            registration(session, asset)
        record = self._reader.asset(asset)
        return [] if record is None else [asdict(lien) for lien in self._reader.liens(record)]
