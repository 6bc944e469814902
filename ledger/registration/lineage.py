"""The origin of assets, and the assets that replace them."""

from __future__ import annotations

from ledger.chain.sending.asset_calls import link, replace
from ledger.chain.sending.sender import Receipt
from ledger.parties.roles import Actor
from ledger.registration.use_case import UseCase


class Lineage(UseCase):
    """Records, in the holder's name, an asset's origin and its replacement. The contract stores an asset's parents, and
    which parents were annulled.
    """

    def link(self, actor: Actor, asset: str, relation: str, parent: str) -> Receipt:
        """Record the origin of an asset before its first application is accepted.

        ``relation`` is ``derived_from``, ``split_from`` or ``merged_from``.
        """
        return self._acting.act_by(actor, link(asset, relation, parent))

    def replace(self, actor: Actor, asset: str, successor: str) -> Receipt:
        """Record that the asset ``successor`` of the same holder replaces the asset."""
        return self._acting.act_by(actor, replace(asset, successor))
