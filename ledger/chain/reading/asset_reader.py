"""Reading the asset register: assets, who held them, their liens, rights and ancestors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from ledger.chain.contracts.deployment import ASSET_REGISTRY, interface_of
from ledger.chain.reading.batched_reads import BlockTag, incomplete
from ledger.chain.reading.contract_state import AssetRecord, LienRecord, RightRecord
from ledger.chain.reading.node_reader import NodeReader
from ledger.chain.rpc.answers import named
from ledger.domain.assets.names import APPLICATION_KINDS, ASSET_STATES, RIGHT_KINDS, STAGES
from ledger.domain.grades import ASSET_GRADES
from ledger.proof.facts import HolderFact

MAX_LIENS: Final = 8


class AssetReader(NodeReader):
    """The asset register's half of ``ChainReader``."""

    def asset(self, identifier: str, *, block: BlockTag = "latest") -> AssetRecord | None:
        """A registered asset, or None."""
        return self.assets([identifier], block=block)[0]

    def assets(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[AssetRecord | None]:
        """Many assets in the order asked for, None for those that are not registered."""
        face, address = interface_of(ASSET_REGISTRY), self.deployment.asset_registry
        calls = [(address, face.encode_call("assetOf", [identifier])) for identifier in identifiers]
        found = self._connection.call_many(calls, block=block)
        with self._connection.reading("AssetRegistry.assetOf"):
            return [
                self._asset(identifier, face.decode_result("assetOf", data)[0])
                for identifier, data in zip(identifiers, found, strict=True)
            ]

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
        """All who held an asset up to a block, which is that of the record, in order.

        Raises ChainUnavailable HOLDER_HISTORY_INCOMPLETE unless each transfer comes from the holder before it, and the
        last one leads to the record.
        """
        asked, span = self.questions(block), (self.deploy_block, block)
        registered, *given = (
            asked.asset_events(name, asset.id, *span) for name in ("Registered", "TransferAccepted", "Reassigned")
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
        """The liens that stand on an asset, by rank."""
        found = [(lien, self._read(ASSET_REGISTRY, "lienOf", [asset.id, lien], block)[0]) for lien in asset.liens]
        records = [
            LienRecord(
                lien=lien,
                creditor=self.party_id(raw["creditor"]),
                rank=raw["rank"],
                sole=raw["sole"],
                consent_to=self.party_id(raw["consentTo"]) if raw["consentTo"] else None,
                since=raw["since"],
            )
            for lien, raw in found
        ]
        return sorted(records, key=lambda record: record.rank)

    def rights(self, identifier: str, *, block: BlockTag = "latest") -> list[RightRecord]:
        """The rights granted in an asset, those ended included, by number from 1."""
        return self.rights_of([identifier], block=block)[0]

    def rights_of(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[list[RightRecord]]:
        """The rights granted in many assets, in the order asked for."""
        face, address = interface_of(ASSET_REGISTRY), self.deployment.asset_registry
        calls = [(address, face.encode_call("rightsOf", [identifier])) for identifier in identifiers]
        found = self._connection.call_many(calls, block=block)
        with self._connection.reading("AssetRegistry.rightsOf"):
            return [self._rights(face.decode_result("rightsOf", data)[0]) for data in found]

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
        """An annulled asset from which this one comes, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "annulledAncestor", [identifier], block)[0])

    def asset_by_fingerprint(self, fingerprint: str, *, block: BlockTag = "latest") -> str | None:
        """The asset that has this fingerprint, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "assetByFingerprint", [fingerprint], block)[0])

    def asset_count(self, *, block: BlockTag = "latest") -> int:
        """How many assets were ever entered."""
        return int(self._read(ASSET_REGISTRY, "count", [], block)[0])


def _hex_or_none(word: str) -> str | None:
    return word if int(word, 16) else None
