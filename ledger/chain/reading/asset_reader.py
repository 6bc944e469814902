"""Reads the asset register: assets, their holders, liens, rights and ancestors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.batched_calls import BlockTag, incomplete
from ledger.chain.reading.contract_state import AssetRecord, LienRecord, RightRecord
from ledger.chain.reading.node_reader import NodeReader
from ledger.chain.rpc.answers import named
from ledger.domain.assets.names import APPLICATION_KINDS, ASSET_STATES, RIGHT_KINDS, STAGES
from ledger.domain.grades import ASSET_GRADES
from ledger.proof.facts import HolderFact

MAX_LIENS: Final = 8


class AssetReader(NodeReader):
    """The methods of ``ChainReader`` that concern assets. Assets are given by their ids, 64 hex digits."""

    def asset(self, identifier: str, *, block: BlockTag = "latest") -> AssetRecord | None:
        """Return an asset, or None if it is not registered."""
        return self.assets([identifier], block=block)[0]

    def assets(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[AssetRecord | None]:
        """Return many assets in the given order, with None in the place of an asset that is not registered."""
        reads = self.batched(block)
        answers = [(identifier, reads.read(ASSET_REGISTRY, "assetOf", identifier)) for identifier in identifiers]
        with self.connection.reading("AssetRegistry.assetOf"):
            return [self._asset(identifier, answer()[0]) for identifier, answer in answers]

    def _asset(self, identifier: str, raw: dict[str, Any]) -> AssetRecord | None:
        if not raw["state"]:
            return None
        offered = raw["offeredTo"]
        return AssetRecord(
            id=identifier,
            state=named(ASSET_STATES, raw["state"]),
            kind=named(APPLICATION_KINDS, raw["kind"]) if raw["kind"] else None,
            stage=named(STAGES, raw["stage"]) if raw["stage"] else None,
            grade=named(ASSET_GRADES, raw["grade"]),
            cleared=raw["cleared"],
            frozen=raw["frozen"],
            objections=raw["objections"],
            liens=tuple(lien for lien in range(MAX_LIENS) if raw["liens"] >> lien & 1),
            holder=self.party_id(raw["holder"]),
            offered_to=self.party_id(offered) if offered else None,
            until=raw["until"],
            valid_to=raw["validTo"],
            since=raw["since"],
        )

    def holders(self, asset: AssetRecord, *, block: int) -> list[HolderFact]:
        """Return all holders of an asset up to ``block``, in order. The record ``asset`` must have been read as of that
        block.

        Raises ChainUnavailable HOLDER_HISTORY_INCOMPLETE unless each transfer comes from the holder before the
        transfer, and the last transfer leads to the holder in the record.
        """
        reads, first = self.batched(block), self.deploy_block
        registered, *given = (
            reads.events(ASSET_REGISTRY, name, first, block, id=int(asset.id, 16))
            for name in ("Registered", "TransferAccepted", "Reassigned")
        )
        moves = [(0, event.args["holder"], event.args["at"]) for event in registered()]
        transfers = sorted(
            (event for events in given for event in events()), key=lambda event: (event.block_number, event.log_index)
        )
        moves += [(event.args["from"], event.args["to"], event.args["at"]) for event in transfers]
        linked = all(earlier[1] == later[0] for earlier, later in pairwise([(0, 0, 0), *moves]))
        history = [HolderFact(self.party_id(to), at) for _, to, at in moves]
        if not linked or history[-1:] != [HolderFact(asset.holder, asset.since)]:
            raise incomplete("HOLDER_HISTORY_INCOMPLETE", f"asset {asset.id}")
        return history

    def liens(self, asset: AssetRecord, *, block: BlockTag = "latest") -> list[LienRecord]:
        """Return the liens on an asset that are not released, the first rank first."""
        reads = self.batched(block)
        answers = [(lien, reads.read(ASSET_REGISTRY, "lienOf", asset.id, lien)) for lien in asset.liens]
        records = [
            LienRecord(
                lien=lien,
                creditor=self.party_id(raw["creditor"]),
                rank=raw["rank"],
                sole=raw["sole"],
                consent_to=self.party_id(raw["consentTo"]) if raw["consentTo"] else None,
                since=raw["since"],
            )
            for lien, answer in answers
            for raw in answer()
        ]
        return sorted(records, key=lambda record: record.rank)

    def rights(self, identifier: str, *, block: BlockTag = "latest") -> list[RightRecord]:
        """Return all rights that were ever granted in an asset, including ended rights, in the order of their
        numbers.
        """
        return self.rights_of([identifier], block=block)[0]

    def rights_of(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[list[RightRecord]]:
        """Return, for each of many assets, all rights that were ever granted in the asset. The lists are in the order
        of the assets.
        """
        reads = self.batched(block)
        answers = [reads.read(ASSET_REGISTRY, "rightsOf", identifier) for identifier in identifiers]
        with self.connection.reading("AssetRegistry.rightsOf"):
            return [self._rights(answer()[0]) for answer in answers]

    def _rights(self, found: Sequence[dict[str, Any]]) -> list[RightRecord]:
        return [
            RightRecord(
                no=no,
                kind=named(RIGHT_KINDS, raw["kind"]),
                exclusive=raw["exclusive"],
                sublicensable=raw["sublicensable"],
                transferable=raw["transferable"],
                grantee=self.party_id(raw["grantee"]),
                start=raw["from"],
                end=raw["to"],
                parent=raw["parent"] or None,
            )
            for no, raw in enumerate(found, start=1)
        ]

    def annulled_ancestor(self, identifier: str, *, block: BlockTag = "latest") -> str | None:
        """Return an annulled asset that the given asset is derived from, or None if there is none."""
        return self.annulled_ancestors([identifier], block=block)[0]

    def annulled_ancestors(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[str | None]:
        """Return, for each of many assets, an annulled asset from which the asset is derived, or None."""
        reads = self.batched(block)
        answers = [reads.read(ASSET_REGISTRY, "annulledAncestor", identifier) for identifier in identifiers]
        words = [answer()[0] for answer in answers]
        return [word if int(word, 16) else None for word in words]

    def asset_count(self, *, block: BlockTag = "latest") -> int:
        """Return how many assets were ever registered; annulled and cancelled assets are counted."""
        return self.batched(block).number(ASSET_REGISTRY, "count")()
