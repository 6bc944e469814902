"""Dataclasses for the records that the contracts store.

Ids, digests and hashes are 64 hex digits; times are seconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.powers import OPEN_FOR, ProposalState


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """A party in the registry, with the names of its status and roles."""

    no: int
    id: str
    status: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account that is or was bound to a party. A time is 0 if the event to which it belongs has not happened.

    ``proven``: the chain checked that the party has the private key. ``proposal``: the number of the proposal that
    bound the account, 0 for an account of a founding party. ``acts``: the key is a secp256k1 key, so it can send
    transactions; for founding parties the chain knows this only about the first key.
    """

    account: str
    party_no: int
    valid_from: int
    valid_to: int
    reported_at: int
    compromised_at: int
    proven: bool
    proposal: int
    acts: bool

    @property
    def live(self) -> bool:
        """Whether the account is bound and not retired.

        A live account can withdraw statements and veto proposals, even if it is reported lost.
        """
        return not self.valid_to

    @property
    def speaks(self) -> bool:
        """Whether the account may act for its party."""
        return self.live and self.proven and not self.reported_at


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A proposal. Parties are given by their numbers; 0 means no party.

    ``role`` is a bit mask of the roles that may decide the proposal, 0 if a party proposed a change of its own keys.
    ``act`` is the digest of the proposed call. ``proposer`` is an account. ``ready`` is the running time (seconds UTC
    minus all paused seconds) from which the proposal can be carried out.
    """

    no: int
    act: str
    state: str
    role: int
    concerned: int
    by: int
    confirmed_by: int
    proposer: str
    at: int
    ready: int

    @property
    def expires(self) -> int:
        """The last second, as running time (without paused seconds), in which the proposal can be confirmed or carried
        out.
        """
        return self.ready + OPEN_FOR

    def open_at(self, running: int) -> bool:
        """Return whether the proposal has neither ended nor expired at the running time ``running`` (seconds UTC minus
        paused seconds).
        """
        return self.state == ProposalState.PENDING and running <= self.expires


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """A registered asset. Parties are given by their ids.

    ``since`` is the time at which the present holder became the holder. ``valid_to`` is 0 before the first
    confirmation. ``kind`` and ``stage`` describe the open application; they are None if the asset has no open
    application. ``until`` is the last second of the offer or of the public notice. ``offered_to`` is None if the asset
    is not offered. ``liens`` are the numbers of the liens that are not released.
    """

    id: str
    state: str
    kind: str | None
    stage: str | None
    grade: str
    cleared: bool
    frozen: bool
    objections: int
    liens: tuple[int, ...]
    holder: str
    offered_to: str | None
    until: int
    valid_to: int
    since: int


@dataclass(frozen=True, slots=True)
class LienRecord:
    """A lien that is not released.

    ``creditor`` is the id of the creditor. ``consent_to`` is the id of the party to which the asset may be transferred
    with the creditor's consent.
    """

    lien: int
    creditor: str
    rank: int
    sole: bool
    consent_to: str | None
    since: int


@dataclass(frozen=True, slots=True)
class RightRecord:
    """A granted right, in force while ``start ≤ t < end``.

    If the right is a licence, ``parent`` is the number of the right under which it was granted, else None.
    """

    no: int
    kind: str
    exclusive: bool
    sublicensable: bool
    transferable: bool
    grantee: str
    start: int
    end: int
    parent: int | None


@dataclass(frozen=True, slots=True)
class AnchoredBatch:
    """The anchor of a batch and the transaction that anchored it. ``issuer`` is a party's number."""

    issuer: int
    batch: int
    first_seq: int
    size: int
    root: str
    at: int
    tx_hash: str
    block_number: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Hold:
    """The roles (authority, supervisor) that have placed a hold on a statement, and how often its holds changed (0:
    never).
    """

    offices: tuple[str, ...]
    changes: int


@dataclass(frozen=True, slots=True)
class LeafStatus:
    """A certificate's status on the chain as of a block.

    ``since`` and ``reason`` belong to the last change of the status; both are None if the status never changed.
    """

    block: int
    state: str
    since: int | None
    reason: str | None
