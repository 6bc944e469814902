"""Reading the contracts: events in block ranges, heads, and the state of single records as of a block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from ledger.chain.client import ChainClient
from ledger.chain.connection import Block, Connection
from ledger.chain.contracts import Event
from ledger.chain.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, Deployment, interface_of
from ledger.chain.names import LEAF_STATUSES, PARTY_STATUSES, code_of_scenario, names_of_roles
from ledger.chain.records import (
    AccountRecord,
    AnchoredBatch,
    AssetRecord,
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
from ledger.domain.reasons import REASONS
from ledger.errors import ChainUnavailable, NotFound

LOG_RANGE_BLOCKS: Final = 5_000
LEAVES_PER_WORD: Final = 128
MAX_LIENS: Final = 8
_FOLLOWED: Final = (PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)
_Block = int | str


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
        for start, end in _ranges(first, last):
            logs += self._connection.logs(addresses, start, end)
        return self._client.decoder.decode(logs)

    def head(self, contract: str, scope: str | None = None, *, block: _Block = "latest") -> str:
        """A contract's head, or with ``scope`` an asset's: 64 hex digits."""
        return self.heads([(contract, scope)], block=block)[0]

    def heads(self, wanted: Sequence[tuple[str, str | None]], *, block: _Block = "latest") -> list[str]:
        """Many heads in the order asked for, as of one block."""
        calls = [
            (
                self.deployment.addresses[contract],
                interface_of(contract).encode_call(*(("headOf", [scope]) if scope else ("head", []))),
            )
            for contract, scope in wanted
        ]
        return [data.hex() for data in self._connection.call_many(calls, block=block)]

    def party_no(self, identifier: str, *, block: _Block = "latest") -> int:
        """A party's number, or 0 where no such party is registered."""
        return int(self._read(PARTY_REGISTRY, "partyNoOf", [identifier], block)[0])

    def party_id(self, number: int) -> str:
        """A party's id; never changes, so it is asked for once. Raises NotFound PARTY_UNKNOWN."""
        if number not in self._party_ids:
            self._party_ids[number] = self.party(number).id
        return self._party_ids[number]

    def party(self, number: int, *, block: _Block = "latest") -> PartyRecord:
        """Raises NotFound PARTY_UNKNOWN."""
        (raw,) = self._read(PARTY_REGISTRY, "partyOf", [number], block)
        if not raw["status"]:
            raise NotFound("PARTY_UNKNOWN", f"The registry has no party {number}.", where="party", hint=None)
        return PartyRecord(number, raw["id"], PARTY_STATUSES[raw["status"]], names_of_roles(raw["roles"]))

    def account(self, account: str, *, block: _Block = "latest") -> AccountRecord | None:
        """An account that is or was bound to a party, else None."""
        (raw,) = self._read(PARTY_REGISTRY, "accountOf", [account], block)
        if not raw["no"]:
            return None
        return AccountRecord(account.lower(), raw["no"], raw["validFrom"], raw["validTo"], raw["compromisedAt"])

    def accreditation(self, number: int, scenario: str, *, block: _Block = "latest") -> tuple[int, int]:
        """From when to when a party may issue under a scenario; (0, 0) if never."""
        start, end = self._read(PARTY_REGISTRY, "accreditationOf", [number, code_of_scenario(scenario)], block)
        return int(start), int(end)

    def batch_count(self, *, block: _Block = "latest") -> int:
        """How many batches are anchored: the number of the next one."""
        return int(self._read(CERTIFICATE_LOG, "batchCount", [], block)[0])

    def commitment(self, batch: int, *, block: _Block = "latest") -> str | None:
        """The anchor commitment of a batch, or None where it is not anchored."""
        word = str(self._read(CERTIFICATE_LOG, "commitmentOf", [batch], block)[0])
        return word if int(word, 16) else None

    def anchored(self, batch: int) -> AnchoredBatch | None:
        """A batch's anchor from its event, or None where it is not anchored."""
        found = self._log_events("Anchored", self.deploy_block, self.block_number(), batch=batch)
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

    def state_of(self, batch: int, index: int, *, block: _Block = "latest") -> str:
        """``active``, ``suspended`` or ``revoked``, from the status word alone (superseded counts as revoked)."""
        (word,) = self._read(CERTIFICATE_LOG, "statusWord", [batch, index // LEAVES_PER_WORD], block)
        bit = index % LEAVES_PER_WORD
        if int(word) >> (LEAVES_PER_WORD + bit) & 1:
            return "revoked"
        return "suspended" if int(word) >> bit & 1 else "active"

    def status_of(self, batch: int, index: int, *, block: int | None = None) -> LeafStatus:
        """A leaf's state as of a block; raises ChainUnavailable STATUS_HISTORY_INCOMPLETE."""
        number = self.block_number() if block is None else block
        history = self.status_history(batch, index, block=number)
        if not history:
            return LeafStatus(number, "active", None, None)
        return LeafStatus(number, history[-1].status, history[-1].at, history[-1].reason)

    def status_history(self, batch: int, index: int, *, block: int, since: int = 0) -> list[StatusChange]:
        """All status changes of a leaf up to a block; looks from ``since`` (seconds UTC, not after the first) on.

        Each change must change something, and the last is compared with the contract's status word: a node that
        leaves one out is noticed, but for a suspension hidden with its end, which only the contract's head tells of.
        Raises ChainUnavailable STATUS_HISTORY_INCOMPLETE then.
        """
        found = self._log_events("StatusChanged", self._start(since, block), block, batch=batch)
        word, bit = divmod(index, LEAVES_PER_WORD)
        history = [
            StatusChange(
                LEAF_STATUSES[event.args["status"]],
                REASONS[event.args["reason"]],
                event.args["at"],
                event.args["by"],
            )
            for event in found
            if event.args["word"] == word and event.args["mask"] >> bit & 1
        ]
        states = ["active", *("revoked" if each.status == "superseded" else each.status for each in history)]
        stays = any(earlier == later for earlier, later in pairwise(states))
        if stays or states[-1] != self.state_of(batch, index, block=block):
            raise _incomplete("STATUS_HISTORY_INCOMPLETE", batch, index)
        return history

    def uses_of(self, batch: int, index: int, *, block: _Block = "latest") -> int:
        """How often a leaf was used."""
        return int(self._read(CERTIFICATE_LOG, "usesOf", [batch, index], block)[0])

    def use_history(self, batch: int, index: int, *, block: int, since: int = 0) -> list[Use]:
        """All uses of a leaf up to a block, compared with its counter; raises USE_HISTORY_INCOMPLETE."""
        found = self._log_events("Used", self._start(since, block), block, batch=batch)
        history = [Use(event.args["uses"], event.args["at"]) for event in found if event.args["index"] == index]
        if [use.ordinal for use in history] != list(range(1, self.uses_of(batch, index, block=block) + 1)):
            raise _incomplete("USE_HISTORY_INCOMPLETE", batch, index)
        return history

    def withdrawn_by(self, batch: int, index: int, party_no: int, *, block: _Block = "latest") -> bool:
        """Whether a party withdrew a leaf for its part; means something only if it is the entry's subject."""
        return bool(self._read(CERTIFICATE_LOG, "withdrawnBy", [party_no, batch, index], block)[0])

    def withdrawal_history(
        self, batch: int, index: int, *, block: int, parties: Collection[int] = (), since: int = 0
    ) -> list[Withdrawal]:
        """All withdrawals of a leaf up to a block, by whichever party.

        Compared with the contract as to all who are told of and to ``parties`` (numbers): a node that leaves out what
        one of these withdrew is noticed. Raises ChainUnavailable WITHDRAWAL_HISTORY_INCOMPLETE then.
        """
        found = self._log_events("Withdrawn", self._start(since, block), block, batch=batch)
        history = [Withdrawal(event.args["by"], event.args["at"]) for event in found if event.args["index"] == index]
        told = {each.party_no for each in history}
        wrong = any(self.withdrawn_by(batch, index, no, block=block) != (no in told) for no in {*told, *parties})
        if wrong or len(told) != len(history):
            raise _incomplete("WITHDRAWAL_HISTORY_INCOMPLETE", batch, index)
        return history

    def asset(self, identifier: str, *, block: _Block = "latest") -> AssetRecord | None:
        """A registered asset, or None."""
        return self.assets([identifier], block=block)[0]

    def assets(self, identifiers: Sequence[str], *, block: _Block = "latest") -> list[AssetRecord | None]:
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

    def liens(self, asset: AssetRecord, *, block: _Block = "latest") -> list[LienRecord]:
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

    def rights(self, identifier: str, *, block: _Block = "latest") -> list[RightRecord]:
        """The rights granted in an asset, those ended included, by number from 1."""
        return self.rights_of([identifier], block=block)[0]

    def rights_of(self, identifiers: Sequence[str], *, block: _Block = "latest") -> list[list[RightRecord]]:
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

    def objection(self, identifier: str, number: int, *, block: _Block = "latest") -> ObjectionRecord | None:
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

    def annulled_ancestor(self, identifier: str, *, block: _Block = "latest") -> str | None:
        """An annulled asset from which this one comes, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "annulledAncestor", [identifier], block)[0])

    def asset_by_fingerprint(self, fingerprint: str, *, block: _Block = "latest") -> str | None:
        """The asset that has this fingerprint, or None."""
        return _hex_or_none(self._read(ASSET_REGISTRY, "assetByFingerprint", [fingerprint], block)[0])

    def asset_count(self, *, block: _Block = "latest") -> int:
        """How many assets were ever entered."""
        return int(self._read(ASSET_REGISTRY, "count", [], block)[0])

    def minimum_notice(self) -> int:
        """How long a public notice runs at least, in seconds."""
        return int(self._read(ASSET_REGISTRY, "minimumNotice", [], "latest")[0])

    def _read(self, contract: str, function: str, args: Sequence[Any], block: _Block) -> list[Any]:
        return self._client.read(contract, function, args, block=block)

    def _log_events(self, name: str, first: int, last: int, **indexed: int) -> list[Event]:
        topics = interface_of(CERTIFICATE_LOG).topics(name, **indexed)
        logs: list[dict[str, Any]] = []
        for start, end in _ranges(first, last):
            logs += self._connection.logs([self.deployment.certificate_log], start, end, topics)
        return self._client.decoder.decode(logs)

    def _start(self, since: int, block: int) -> int:
        return self.first_block_at(since, block) if since else self.deploy_block

    def _present(self, block: Block | None, number: _Block) -> Block:
        if block is None:
            raise ChainUnavailable(
                "BLOCK_MISSING",
                f"The node has no block {number}.",
                where=self._connection.url,
                hint="The node is behind or its chain was reset; wait until it is in sync.",
            )
        return block


def _ranges(first: int, last: int) -> Iterable[tuple[int, int]]:
    for start in range(first, last + 1, LOG_RANGE_BLOCKS):
        yield start, min(start + LOG_RANGE_BLOCKS - 1, last)


def _hex_or_none(word: str) -> str | None:
    return word if int(word, 16) else None


def _incomplete(code: str, batch: int, index: int) -> ChainUnavailable:
    return ChainUnavailable(
        code,
        "The events that the node gave do not lead to the state that the contract shows.",
        where=f"batch {batch}, index {index}",
        hint="The node has lost or hides events: ask another node.",
    )
