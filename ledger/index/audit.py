"""Compare every asset in the index with the chain.

The follower compares an asset's head (the running digest of its events) only when it reads an event of the asset. This
audit also notices if a node hides an asset's newest events, or a whole asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.reader import ChainReader
from ledger.index.tables import EVENTS

_PER_REQUEST: Final = 500


@dataclass(frozen=True, slots=True)
class AssetAudit:
    """How many assets the index and the contract have as of ``block``, and which assets have different heads in index
    and contract.
    """

    block: int
    assets: int
    assets_on_chain: int
    differing: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return self.assets == self.assets_on_chain and not self.differing


def asset_heads(connection: Connection) -> dict[str, str]:
    """Return the head (running digest of events) of every asset in the index, as a map from asset id to head."""
    query = (
        select(EVENTS.c.scope, EVENTS.c.head)
        .where(EVENTS.c.contract == ASSET_REGISTRY)
        .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
    )
    return {row.scope: row.head for row in connection.execute(query)}


def audit_assets(heads: Mapping[str, str], reader: ChainReader, block: int) -> AssetAudit:
    """Compare the index with the contract as of ``block``: the number of assets, and the head of each asset."""
    assets = sorted(heads)
    differing: list[str] = []
    for start in range(0, len(assets), _PER_REQUEST):
        chunk = assets[start : start + _PER_REQUEST]
        found = reader.heads([(ASSET_REGISTRY, asset) for asset in chunk], block=block)
        differing += [asset for asset, head in zip(chunk, found, strict=True) if head != heads[asset]]
    return AssetAudit(block, len(assets), reader.asset_count(block=block), tuple(differing))
