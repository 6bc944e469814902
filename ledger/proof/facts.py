"""Facts (protocol §8): what a verifier takes from the chain, as of one block; savable, for use offline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ledger.proof.bundle import ChainId, Position

FORMAT: Final = "pingzheng-facts/2"
_NOWHERE: Final = "0x" + "0" * 40
NO_CHAIN: Final = ChainId(0, _NOWHERE, _NOWHERE, _NOWHERE, _NOWHERE, "0" * 64, 0, 0)


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads of two contracts as of the block, 64 hex digits each."""

    party_registry: str
    certificate_log: str


NO_HEADS: Final = Heads("0" * 64, "0" * 64)


@dataclass(frozen=True, slots=True)
class LogFact:
    """An issuer's log as of the block: how many batches, and the commitment of the last one (64 hex digits)."""

    batches: int
    newest: str


@dataclass(frozen=True, slots=True)
class StatusFact:
    """One change of a leaf's status, by names; ``at`` is seconds UTC. Only the issuer of the log makes it."""

    status: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class HoldFact:
    """One change of who holds a statement: the offices that hold it afterwards, by name; ``by`` is a party's number."""

    offices: tuple[str, ...]
    reason: str
    at: int
    by: int


@dataclass(frozen=True, slots=True)
class UseFact:
    """One use of a consumer under a request that the chain counted."""

    ordinal: int
    at: int


@dataclass(frozen=True, slots=True)
class WithdrawalFact:
    """When a party withdrew a statement by a key that was not reported, and by one that was; 0 if it did not.

    A subject's withdrawal counts by either, a provider's by ``at`` alone.
    """

    at: int
    reported_at: int

    @property
    def first(self) -> int:
        """The earlier of the two times, 0 if there is none."""
        return min((time for time in (self.at, self.reported_at) if time), default=0)


@dataclass(frozen=True, slots=True)
class ProposedKey:
    """Who proposed the binding of an account and who confirmed it, by their numbers, and when it was proposed.

    ``confirmed_by`` is 0 where the party proposed its own key.
    """

    by: int
    confirmed_by: int
    at: int


@dataclass(frozen=True, slots=True)
class AccountFact:
    """An account: its party, its period (``valid_to`` 0: open), since when its key is reported, and since when it is
    known to be in wrong hands (each 0: never).

    ``proposal`` is None for a founding account. ``key`` is the public key as text, which names its suite; the reader
    has checked that it is the account's.
    """

    party: str
    valid_from: int
    valid_to: int
    reported_at: int
    compromised_at: int
    proposal: ProposedKey | None
    key: str


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A party as of the block; ``accreditations`` by scenario, each from and to (exclusive)."""

    no: int
    status: str
    roles: tuple[str, ...]
    accreditations: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LienFact:
    """A lien that stands: the creditor's party id, and its rank from 1."""

    creditor: str
    rank: int


@dataclass(frozen=True, slots=True)
class HolderFact:
    """A party (by id) that held an asset from ``since`` (seconds UTC) until the next one did."""

    party: str
    since: int


@dataclass(frozen=True, slots=True)
class AssetFact:
    """A registered asset as of the block; ``holders`` are all it had, in order, ``objections`` are open ones,
    ``annulled_ancestor`` is an asset id or empty."""

    state: str
    holders: tuple[HolderFact, ...]
    frozen: bool
    valid_to: int
    head: str
    objections: int
    liens: tuple[LienFact, ...]
    annulled_ancestor: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts as of one block: number, hash (64 hex digits), time (seconds UTC). What is not in here is not known.

    Statements and requests are named by 64 hex digits: ``holds`` by statement, ``uses`` by consumer's party id and
    request, ``withdrawals`` by party id and statement. ``anchors`` and ``logs`` are by issuer's number, anchors also by
    batch.
    """

    chain: ChainId
    block: int
    block_hash: str
    block_time: int
    heads: Heads = NO_HEADS
    logs: Mapping[int, LogFact] = field(default_factory=dict)
    cosignatures: tuple[()] = ()
    anchors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    status: Mapping[Position, tuple[StatusFact, ...]] = field(default_factory=dict)
    holds: Mapping[str, tuple[HoldFact, ...]] = field(default_factory=dict)
    uses: Mapping[tuple[str, str], tuple[UseFact, ...]] = field(default_factory=dict)
    withdrawals: Mapping[tuple[str, str], WithdrawalFact] = field(default_factory=dict)
    accounts: Mapping[str, AccountFact] = field(default_factory=dict)
    parties: Mapping[str, PartyFact] = field(default_factory=dict)
    assets: Mapping[str, AssetFact] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Facts:
        """No facts: no check that needs one passes."""
        return cls(NO_CHAIN, 0, "0" * 64, 0)

    def accounts_of_key(self, key: str) -> list[AccountFact]:
        """The accounts whose key, as text, this is; more than one only in facts that no reader made."""
        return [fact for fact in self.accounts.values() if fact.key == key]

    def uses_of(self, consumer: str, request: str) -> int:
        """How often the consumer used certificates under the request, as of the block."""
        return len(self.uses.get((consumer, request), ()))

    def to_bytes(self) -> bytes:
        """The file: UTF-8 JSON, ``ledger.proof.facts_file`` reads it."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "chain": self.chain.to_dict(),
            "block": {"number": self.block, "hash": self.block_hash, "time": self.block_time},
            "heads": asdict(self.heads),
            "logs": [{"issuer": issuer, **asdict(log)} for issuer, log in self.logs.items()],
            "cosignatures": list(self.cosignatures),
            "anchors": [
                {"issuer": issuer, "batch": batch, "commitment": commitment}
                for (issuer, batch), commitment in self.anchors.items()
            ],
            "status": [{**where.to_dict(), "history": _listed(changes)} for where, changes in self.status.items()],
            "holds": [{"statement": each, "history": _listed(changes)} for each, changes in self.holds.items()],
            "uses": [
                {"consumer": consumer, "request": request, "history": _listed(uses)}
                for (consumer, request), uses in self.uses.items()
            ],
            "withdrawals": [
                {"party": party, "statement": statement, **asdict(times)}
                for (party, statement), times in self.withdrawals.items()
            ],
            "accounts": {account: asdict(fact) for account, fact in self.accounts.items()},
            "parties": {party: _party(fact) for party, fact in self.parties.items()},
            "assets": {asset: asdict(fact) for asset, fact in self.assets.items()},
        }


def _listed(history: Sequence[StatusFact | HoldFact | UseFact]) -> list[dict[str, Any]]:
    return [asdict(item) for item in history]


def _party(fact: PartyFact) -> dict[str, Any]:
    periods = {scenario: {"from": start, "to": end} for scenario, (start, end) in fact.accreditations.items()}
    return {"no": fact.no, "status": fact.status, "roles": list(fact.roles), "accreditations": periods}
