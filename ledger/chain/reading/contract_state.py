"""What the contracts know, as values. Ids, digests and hashes are 64 hex digits; times are seconds UTC."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.powers import OPEN_FOR, ProposalState


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """A party as the registry knows it; status and roles by name."""

    no: int
    id: str
    status: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account; times are 0 where they do not apply.

    ``proven`` says that the chain checked the possession of the key. ``proposal`` is the number of the proposal that
    bound it, 0 for a founding account. ``acts`` says that the key is of secp256k1 and so can send transactions; of a
    founding party's keys the chain knows that of the first one only.
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
        """Whether it is not retired. A live account withdraws and vetoes, though it is reported."""
        return not self.valid_to

    @property
    def speaks(self) -> bool:
        """Whether it acts for its party."""
        return self.live and self.proven and not self.reported_at


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A proposal. Parties are named by number, 0 for nobody; ``role`` is a mask, 0 where a party proposed its own key.

    ``act`` is the digest of the call. ``proposer`` and ``confirmer`` are the accounts, the latter empty before the
    confirmation. ``ready`` is in running time: seconds that were not paused.
    """

    no: int
    act: str
    state: str
    role: int
    concerned: int
    by: int
    confirmed_by: int
    proposer: str
    confirmer: str
    at: int
    ready: int

    @property
    def expires(self) -> int:
        """The last second, in running time, in which it can be confirmed or carried out."""
        return self.ready + OPEN_FOR

    def open_at(self, running: int) -> bool:
        """Whether it is neither ended nor expired."""
        return self.state == ProposalState.PENDING and running <= self.expires


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """A registered asset. Parties are named by id; ``since`` is when the holder became it; ``valid_to`` is 0 before
    the first confirmation. ``kind`` and ``stage`` are None where no application is open. ``until`` is the last second
    of the offer or of the notice, ``offered_to`` None where nothing is on offer. ``liens`` are the numbers that stand.
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
    """A lien that stands; the creditor, and whom it consents to, by party id."""

    lien: int
    creditor: str
    rank: int
    sole: bool
    consent_to: str | None
    since: int


@dataclass(frozen=True, slots=True)
class RightRecord:
    """A granted right: in force while ``start ≤ t < end``; ``parent`` is the grant it is a licence under, or None."""

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
    """A batch's anchor with the transaction that made it; ``issuer`` is a party's number."""

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
    """Which offices hold a statement, by name, and how often that changed; 0 changes: it was never held."""

    offices: tuple[str, ...]
    changes: int


@dataclass(frozen=True, slots=True)
class LeafStatus:
    """A leaf's state as of a block; ``since`` and ``reason`` are of the last change, None if there was none."""

    block: int
    state: str
    since: int | None
    reason: str | None
