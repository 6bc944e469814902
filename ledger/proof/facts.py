# SPDX-License-Identifier: Apache-2.0
"""Facts (protocol §8): the values that a verifier reads from the chain at one block, or offline from a facts file."""

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
    """The heads (running digests of all events) of two contracts at the block, 64 hex digits each."""

    party_registry: str
    certificate_log: str


NO_HEADS: Final = Heads("0" * 64, "0" * 64)


@dataclass(frozen=True, slots=True)
class LogFact:
    """An issuer's log as of the block: how many batches it has, and the last batch's commitment (64 hex digits)."""

    batches: int
    newest: str


@dataclass(frozen=True, slots=True)
class StatusFact:
    """One change of a leaf's status by the log's issuer; ``status`` and ``reason`` are names, ``at`` is seconds UTC."""

    status: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class HoldFact:
    """One change of the holds on a statement: which roles (authority, supervisor) have a hold after the change.

    ``by`` is the number of the party that made the change.
    """

    offices: tuple[str, ...]
    reason: str
    at: int
    by: int


@dataclass(frozen=True, slots=True)
class UseFact:
    """One use that the chain counted for a consumer's request."""

    ordinal: int
    at: int


@dataclass(frozen=True, slots=True)
class WithdrawalFact:
    """The times at which a party withdrew a statement; each is 0 if there was no such withdrawal.

    ``at`` is the time of the withdrawal with a key that was not reported lost. ``reported_at`` is the time of the
    withdrawal with a reported key. A subject's withdrawal counts in both cases. A provider's withdrawal counts only
    with ``at``.
    """

    at: int
    reported_at: int

    @property
    def first(self) -> int:
        """The earlier of the two times, or 0 if both are 0."""
        return min((time for time in (self.at, self.reported_at) if time), default=0)


@dataclass(frozen=True, slots=True)
class ProposedKey:
    """The numbers of the parties that proposed and confirmed the binding of an account, and when the binding was
    proposed.

    ``confirmed_by`` is 0 if the party proposed its own key.
    """

    by: int
    confirmed_by: int
    at: int


@dataclass(frozen=True, slots=True)
class AccountFact:
    """An account, its party, and when it was bound; ``valid_to`` is 0 if the account is not retired.

    ``reported_at`` is when the key was reported lost, ``compromised_at`` the time from which others may have had the
    key; each of the two is 0 if that never happened. ``proposal`` is None for a founding account. ``key`` is the public
    key as text, which names its suite; the reader of the chain has checked that the key belongs to the account.
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
    """A party as of the block; ``accreditations`` maps a scenario to a period: from, and to (excluded)."""

    no: int
    status: str
    roles: tuple[str, ...]
    accreditations: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LienFact:
    """An active lien: the creditor's party id, and the rank, from 1."""

    creditor: str
    rank: int


@dataclass(frozen=True, slots=True)
class HolderFact:
    """A party (given by its id) that held an asset from ``since`` (seconds UTC) until the next holder's ``since``."""

    party: str
    since: int


@dataclass(frozen=True, slots=True)
class AssetFact:
    """A registered asset as of the block; ``holders`` are all its holders, the first holder first.

    ``objections`` is the number of open objections; ``annulled_ancestor`` is an asset id or empty.
    """

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
    """The values that were read from the chain at one block; a value that is missing here is unknown.

    The block is given by its number, hash (64 hex digits) and time (seconds UTC).

    The keys of the maps: in ``holds`` the statement, in ``uses`` the consumer's party id and the request, in
    ``withdrawals`` party id and statement, in ``logs`` the issuer's number, in ``anchors`` the issuer's number and the
    batch. Statements and requests are 64 hex digits.
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
        """Return facts without any chain data, so that every check that needs chain data fails."""
        return cls(NO_CHAIN, 0, "0" * 64, 0)

    def accounts_of_key(self, key: str) -> list[AccountFact]:
        """Return the accounts with this key (as text). Facts read from a chain have at most one such account."""
        return [fact for fact in self.accounts.values() if fact.key == key]

    def uses_of(self, consumer: str, request: str) -> int:
        """Return how many uses the consumer has recorded for the request, as of the block."""
        return len(self.uses.get((consumer, request), ()))

    def to_bytes(self) -> bytes:
        """Return the content of a facts file: JSON in UTF-8, which ``ledger.proof.facts_file`` reads."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode()

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as a JSON object."""
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
