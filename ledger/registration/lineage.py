"""Where assets come from, and what replaces them."""

from __future__ import annotations

from ledger.chain.sending.asset_calls import link, replace
from ledger.chain.sending.relay import SignedRequest
from ledger.chain.sending.sender import Receipt
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor


class Lineage:
    """Says so in the holder's name; the contract keeps the parents, and knows which of them was annulled."""

    def __init__(self, acting: RelayedActs) -> None:
        self._acting = acting

    def link(
        self, actor: Actor, asset: str, relation: str, parent: str, signed: SignedRequest | None = None
    ) -> Receipt:
        """``derived_from``, ``split_from`` or ``merged_from``: before the first application is accepted."""
        return self._acting.act_as(actor.party, link(asset, relation, parent), signed)

    def replace(self, actor: Actor, asset: str, successor: str, signed: SignedRequest | None = None) -> Receipt:
        """Another asset of the same holder takes this one's place."""
        return self._acting.act_as(actor.party, replace(asset, successor), signed)
