"""Reading the contracts: events in block ranges, heads, and the state of single records as of a block."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, Final

from ledger.chain.client import ChainClient
from ledger.chain.connection import Block, Connection
from ledger.chain.contracts import Event
from ledger.chain.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, Deployment, interface_of
from ledger.chain.questions import BlockTag, Questions, incomplete, ranges
from ledger.chain.records import (
    AccountRecord,
    AnchoredBatch,
    AssetRecord,
    HolderRecord,
    LeafStatus,
    LienRecord,
    ObjectionRecord,
    PartyRecord,
    RightRecord,
    StatusChange,
    Use,
    Withdrawal,
)
from ledger.domain.asset_names import APPLICATION_KINDS, ASSET_STATES, GRADES, OBJECTION_STATES, RIGHT_KINDS, STAGES
from ledger.errors import ChainUnavailable

MAX_LIENS: Final = 8
_FOLLOWED: Final = (PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)


class ChainReader:
    """Reads one deployment. Every method asks the node; nothing but unchanging facts is remembered."""

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._connection = client.connection
        self._party_ids: dict[int, str] = {}

    @property
    def connection(self) -> Connection:
        """The node in use."""
        return self._connection

    @property
    def deployment(self) -> Deployment:
        return self._client.deployment

    def questions(self, block: BlockTag) -> Questions:
        """Many questions as of one block, sent together."""
        return Questions(self._client, block)

    @property
    def deploy_block(self) -> int:
        """The first block in which one of the contracts exists."""
        return self.deployment.deploy_block

    def latest(self) -> Block:
        """The newest block; raises ChainUnavailable."""
        return self._present(self._connection.block("latest"), "latest")

    def block_number(self) -> int:
        return self._connection.block_number()

    def block(self, number: int) -> Block | None:
        """A block's header, or None where the chain does not reach it."""
        return self._connection.block(number)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Many headers in order; raises ChainUnavailable BLOCK_MISSING if the chain lost one meanwhile."""
        found = self._connection.blocks(numbers)
        return [self._present(block, number) for number, block in zip(numbers, found, strict=True)]

    def first_block_at(self, time: int, last: int) -> int:
        """The first block not before ``time``, between the deployment and ``last``: about log2(blocks) calls."""
        low, high = self.deploy_block, last
        while low < high:
            middle = (low + high) // 2
            if self._present(self.block(middle), middle).time < time:
                low = middle + 1
            else:
                high = middle
        return low

    def events(self, first: int, last: int) -> list[Event]:
        """All events of the three registers in blocks ``first`` to ``last``, both included, in order."""
        addresses = [self.deployment.addresses[name] for name in _FOLLOWED]
        logs: list[dict[str, Any]] = []
        for start, end in ranges(first, last):
            logs += self._connection.logs(addresses, start, end)
        return self._client.decoder.decode(logs)

    def head(self, contract: str, scope: str | None = None, *, block: BlockTag = "latest") -> str:
        """A contract's head, or with ``scope`` an asset's: 64 hex digits."""
        return self.heads([(contract, scope)], block=block)[0]

    def heads(self, wanted: Sequence[tuple[str, str | None]], *, block: BlockTag = "latest") -> list[str]:
        """Many heads in the order asked for, as of one block."""
        calls = [
            (
                self.deployment.addresses[contract],
                interface_of(contract).encode_call(*(("headOf", [scope]) if scope else ("head", []))),
            )
            for contract, scope in wanted
        ]
        return [data.hex() for data in self._connection.call_many(calls, block=block)]

    def party_no(self, identifier: str, *, block: BlockTag = "latest") -> int:
        """A party's number, or 0 where no such party is registered."""
        return int(self._read(PARTY_REGISTRY, "partyNoOf", [identifier], block)[0])

    def party_id(self, number: int) -> str:
        """A party's id; never changes, so it is asked for once. Raises NotFound PARTY_UNKNOWN."""
        if number not in self._party_ids:
            self._party_ids[number] = self.party(number).id
        return self._party_ids[number]

    def party(self, number: int, *, block: BlockTag = "latest") -> PartyRecord:
        """Raises NotFound PARTY_UNKNOWN."""
        return self.questions(block).party(number)()

    def account(self, account: str, *, block: BlockTag = "latest") -> AccountRecord | None:
        """An account that is or was bound to a party, else None."""
        return self.questions(block).account(account)()

    def accreditation(self, number: int, scenario: str, *, block: BlockTag = "latest") -> tuple[int, int]:
        """From when to when a party may issue under a scenario; (0, 0) if never."""
        return self.questions(block).accreditation(number, scenario)()

    def batch_count(self, *, block: BlockTag = "latest") -> int:
        """How many batches are anchored: the number of the next one."""
        return int(self._read(CERTIFICATE_LOG, "batchCount", [], block)[0])

    def next_seq(self) -> int:
        """How many entries are anchored: the sequence number of the next one."""
        return int(self._read(CERTIFICATE_LOG, "nextSeq", [], "latest")[0])

    def commitment(self, batch: int, *, block: BlockTag = "latest") -> str | None:
        """The anchor commitment of a batch, or None where it is not anchored."""
        return self.questions(block).commitment(batch)()

    def anchored(self, batch: int) -> AnchoredBatch | None:
        """A batch's anchor from its event, or None where it is not anchored."""
        last = self.block_number()
        found = self.questions(last).log_events("Anchored", self.deploy_block, last, batch=batch)()
        if not found:
            return None
        event = found[-1]
        receipt = self._connection.receipt(event.tx_hash)
        return AnchoredBatch(
            batch=batch,
            first_seq=event.args["firstSeq"],
            size=event.args["size"],
            root=event.args["root"],
            at=event.args["at"],
            by=event.args["by"],
            tx_hash=event.tx_hash,
            block_number=event.block_number,
            gas_used=int(receipt["gasUsed"], 16) if receipt else 0,
        )

    def state_of(self, batch: int, index: int, *, block: BlockTag = "latest") -> str:
        """``active``, ``suspended`` or ``revoked``, from the status word alone (superseded counts as revoked)."""
        return self.questions(block).state(batch, index)()

    def status_of(self, batch: int, index: int, *, block: int | None = None) -> LeafStatus:
        """A leaf's state as of a block; raises ChainUnavailable STATUS_HISTORY_INCOMPLETE."""
        number = self.block_number() if block is None else block
        history = self.status_history(batch, index, block=number)
        if not history:
            return LeafStatus(number, "active", None, None)
        return LeafStatus(number, history[-1].status, history[-1].at, history[-1].reason)

    def status_history(self, batch: int, index: int, *, block: int, since: int = 0) -> list[StatusChange]:
        """All status changes of a leaf up to a block; looks from ``since`` (seconds UTC, not after the first) on.

        Raises ChainUnavailable STATUS_HISTORY_INCOMPLETE where they do not lead to the contract's status word.
        """
        return self.questions(block).status_history(batch, index, self._start(since, block), block)()

    def uses_of(self, batch: int, index: int, *, block: BlockTag = "latest") -> int:
        """How often a leaf was used."""
        return self.questions(block).uses(batch, index)()

    def use_history(self, batch: int, index: int, *, block: int, since: int = 0) -> list[Use]:
        """All uses of a leaf up to a block, compared with its counter; raises USE_HISTORY_INCOMPLETE."""
        return self.questions(block).use_history(batch, index, self._start(since, block), block)()

    def withdrawn_by(self, batch: int, index: int, party_no: int, *, block: BlockTag = "latest") -> bool:
        """Whether a party withdrew a leaf for its part; means something only if it is the entry's subject."""
        return self.questions(block).withdrawn_by(batch, index, party_no)()

    def withdrawal_history(
        self, batch: int, index: int, *, block: int, parties: Collection[int], since: int = 0
    ) -> list[Withdrawal]:
        """What ``parties`` withdrew of a leaf up to a block; raises as the one of ``Questions`` does."""
        asked, start = self.questions(block), self._start(since, block)
        return asked.withdrawal_history(batch, index, start, block, parties)()

    def asset(self, identifier: str, *, block: BlockTag = "latest") -> AssetRecord | None:
        """A registered asset, or None."""
        return self.assets([identifier], block=block)[0]

    def assets(self, identifiers: Sequence[str], *, block: BlockTag = "latest") -> list[AssetRecord | None]:
        """Many assets in the order asked for, None for those that are not registered."""
        face, address = interface_of(ASSET_REGISTRY), self.deployment.asset_registry
        calls = [(address, face.encode_call("assetOf", [identifier])) for identifier in identifiers]
        found = self._connection.call_many(calls, block=block)
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
            state=ASSET_STATES[raw["state"]],
            kind=APPLICATION_KINDS[raw["kind"]] if raw["kind"] else None,
            stage=STAGES[raw["stage"]] if raw["stage"] else None,
            grade=GRADES[raw["grade"]],
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

    def holders(self, asset: AssetRecord, *, block: int) -> list[HolderRecord]:
        """All who held an asset up to a block, which is that of the record, in order.

        Raises ChainUnavailable HOLDER_HISTORY_INCOMPLETE unless each transfer comes from the holder before it, and the
        last one leads to the record.
        """
        asked, span = self.questions(block), (self.deploy_block, block)
        registered, accepted = (
            asked.asset_events(name, asset.id, *span) for name in ("Registered", "TransferAccepted")
        )
        moves = [(0, event.args["holder"], event.args["at"]) for event in registered()]
        moves += [(event.args["from"], event.args["to"], event.args["at"]) for event in accepted()]
        linked = all(earlier[1] == later[0] for earlier, later in pairwise([(0, 0, 0), *moves]))
        history = [HolderRecord(self.party_id(to), at) for _, to, at in moves]
        if not linked or history[-1:] != [HolderRecord(asset.holder, asset.since)]:
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
        return [self._rights(face.decode_result("rightsOf", data)[0]) for data in found]

    def _rights(self, found: Sequence[dict[str, Any]]) -> list[RightRecord]:
        return [
            RightRecord(
                no=no,
                kind=RIGHT_KINDS[raw["kind"]],
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

    def objection(self, identifier: str, number: int, *, block: BlockTag = "latest") -> ObjectionRecord | None:
        """An objection by its number from 1, or None."""
        (raw,) = self._read(ASSET_REGISTRY, "objectionOf", [identifier, number], block)
        if not raw["state"]:
            return None
        return ObjectionRecord(
            no=number,
            objector=self.party_id(raw["objector"]),
            state=OBJECTION_STATES[raw["state"]],
            to_application=raw["application"] != 0,
            filed_at=raw["filedAt"],
        )

    def annulled_ancestor(self, identifier: str, *, block: BlockTag = "latest") -> str | None:
        """An annulled asset from which this one comes, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "annulledAncestor", [identifier], block)[0])

    def asset_by_fingerprint(self, fingerprint: str, *, block: BlockTag = "latest") -> str | None:
        """The asset that has this fingerprint, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "assetByFingerprint", [fingerprint], block)[0])

    def asset_count(self, *, block: BlockTag = "latest") -> int:
        """How many assets were ever entered."""
        return int(self._read(ASSET_REGISTRY, "count", [], block)[0])

    def minimum_notice(self) -> int:
        """How long a public notice runs at least, in seconds."""
        return int(self._read(ASSET_REGISTRY, "minimumNotice", [], "latest")[0])

    def _read(self, contract: str, function: str, args: Sequence[Any], block: BlockTag) -> list[Any]:
        return self._client.read(contract, function, args, block=block)

    def _start(self, since: int, block: int) -> int:
        return self.first_block_at(since, block) if since else self.deploy_block

    def _present(self, block: Block | None, number: BlockTag) -> Block:
        if block is None:
            raise ChainUnavailable(
                "BLOCK_MISSING",
                f"The node has no block {number}.",
                where=self._connection.url,
                hint="The node is behind or its chain was reset; wait until it is in sync.",
            )
        return block


def _hex_or_none(word: str) -> str | None:
    return word if int(word, 16) else None
