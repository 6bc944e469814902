"""The state of the reference model for what parties may do, and the rules that several acts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

REGISTRY: Final = "registry"
LOG: Final = "log"
ELSEWHERE: Final = "elsewhere"
NOBODY: Final = 0
DAY: Final = 86_400
OPEN_FOR, MAX_PAUSE, PAUSE_REST = 14 * DAY, 7 * DAY, 30 * DAY
THRESHOLD: Final = 2
SUBJECT, PROVIDER, CONSUMER, ISSUER, AUTHORITY, SUPERVISOR, BROKER, ADMIN = (
    1 << bit for bit in (0, 1, 2, 3, 5, 7, 9, 10)
)
ALL_ROLES: Final = (1 << 11) - 1
ORDINARY: Final = SUBJECT | PROVIDER | CONSUMER | BROKER
REGISTERS: Final = AUTHORITY | ADMIN
GUARDS: Final = AUTHORITY | SUPERVISOR
SUSPENDED_BY_TWO: Final = GUARDS | ISSUER
ROLE_OF_OFFICE: Final = {1: AUTHORITY, 2: SUPERVISOR}
ACTIVE, CLOSED = 1, 4
PENDING, CARRIED_OUT, CANCELLED, VETOED = 1, 2, 3, 4
QUICK, WAITS, KEY = 0, 1, 2
RIGHT, WRONG, NO_PROOF, OF_ANOTHER = "right", "wrong", "", "right for another party"
ACCUSES: Final = ("setRoles", "setStatus", "report", "dateCompromise")
CONCERNS: Final = ("changeKey", "setRoles", "setStatus", "accredit", "report", "dateCompromise")


class Refused(Exception):
    """An error of a contract, with the error's name as its text."""


@dataclass(frozen=True)
class Act:
    """A call that can be proposed: contract, function and arguments. In this model, a proof of possession is only a
    text such as "wrong".
    """

    target: str
    function: str
    args: tuple[Any, ...] = ()


@dataclass
class Key:
    owner: int
    valid_from: int
    proven: bool
    proposal: int
    acts: bool
    valid_to: int = 0
    reported_at: int = 0
    compromised_at: int = 0


@dataclass
class Party:
    id: str
    roles: int = 0
    status: int = ACTIVE
    silent_since: int = 0
    accused_until: int = 0


@dataclass
class Proposal:
    act: Act
    role: int
    concerned: int
    proposer: str
    by: int
    at: int
    ready: int
    state: int = PENDING
    confirmer: str = ""
    confirmed_by: int = NOBODY

    @property
    def kind(self) -> int:
        if self.role == REGISTERS or (self.act.target, self.act.function) in ((LOG, "lift"), (REGISTRY, "endPause")):
            return QUICK
        return KEY if (self.act.target, self.act.function) == (REGISTRY, "changeKey") else WAITS


@dataclass
class Event:
    contract: str
    name: str
    args: dict[str, Any]


@dataclass
class State:
    """The state of both contracts. ``now`` is the time of the block that will contain the next act.

    ``suited`` are the accounts that can send transactions: their keys are on secp256k1.
    """

    delay: int
    now: int
    suited: frozenset[str] = frozenset()
    parties: dict[int, Party] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    pauses: list[list[int]] = field(default_factory=list)
    rests: dict[int, int] = field(default_factory=dict)
    accreditations: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    holds: dict[str, tuple[int, int]] = field(default_factory=dict)
    withdrawals: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    anchored: dict[int, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    deciding: int = 0

    def live(self, account: str) -> bool:
        return account in self.keys and not self.keys[account].valid_to

    def speaks(self, account: str) -> bool:
        key = self.keys.get(account)
        return key is not None and not key.valid_to and key.proven and not key.reported_at

    def speaking(self, no: int) -> int:
        return sum(self.speaks(account) for account, key in self.keys.items() if key.owner == no)

    def is_officer(self, no: int) -> bool:
        party = self.parties[no]
        acting = any(self.speaks(account) for account, key in self.keys.items() if key.owner == no and key.acts)
        return party.status == ACTIVE and bool(party.roles & AUTHORITY) and acting

    def officers(self) -> int:
        return sum(self.is_officer(no) for no in self.parties)

    def is_silent(self, no: int) -> bool:
        since = self.parties[no].silent_since if no in self.parties else 0
        return since != 0 and self.now >= since + self.delay

    def has(self, no: int, roles: int) -> bool:
        return no in self.parties and bool(self.parties[no].roles & roles)

    def paused_until(self) -> int:
        return next((until for _, until in self.pauses if self.now < until), 0)

    def running(self) -> int:
        return self.now - sum(min(self.now, until) - start for start, until in self.pauses)

    def actor(self, account: str, any_of: int) -> int:
        """Return the party for which an account acts; it must be active and have one of the roles."""
        no = self.proposals[self.deciding].by if account == REGISTRY and self.deciding else self._speaker(account)
        if self.parties[no].status != ACTIVE:
            raise Refused("PartyNotActive")
        if not self.parties[no].roles & any_of:
            raise Refused("PartyLacksRole")
        return no

    def _emit(self, contract: str, name: str, **args: Any) -> None:
        self.events.append(Event(contract, name, args))

    def _update_silence(self) -> None:
        """Update, for each party, the time since which no key may act for it."""
        for no, party in self.parties.items():
            if self.speaking(no) and party.status != CLOSED:
                party.silent_since = 0
            else:
                party.silent_since = party.silent_since or self.now

    def _speaker(self, account: str) -> int:
        owner = self._owner(account)
        if self.keys[account].reported_at:
            raise Refused("PartyAccountReported")
        return owner

    def _owner(self, account: str) -> int:
        key = self.keys.get(account)
        if key is None or key.valid_to or not key.proven:
            raise Refused("PartyUnknownAccount")
        return key.owner

    def _grantor(self, caller: str, any_of: int, no: int) -> int:
        by = self.actor(caller, any_of)
        if by == no:
            raise Refused("PartySelfGrant")
        if no not in self.parties:
            raise Refused("PartyUnknown")
        return by

    def _require_decided(self, caller: str) -> int:
        if caller != REGISTRY:
            raise Refused("PartyNotDecided")
        return self.proposals[self.deciding].by

    def _require_running(self) -> None:
        if self.paused_until():
            raise Refused("PartyPaused")

    def _require_officers(self, before: int) -> None:
        if self.officers() < before and self.officers() <= THRESHOLD:
            raise Refused("PartyTooFewOfficers")

    def _owned(self, no: int, account: str) -> Key:
        if not self.live(account) or self.keys[account].owner != no:
            raise Refused("PartyAccountNotBound")
        return self.keys[account]

    def _proven(self, proof: str) -> bool:
        if proof in (WRONG, OF_ANOTHER):
            raise Refused("PartyProofInvalid")
        return proof == RIGHT

    def _add(self, party: str, by: int) -> int:
        if any(known.id == party for known in self.parties.values()):
            raise Refused("PartyAlreadyRegistered")
        no = len(self.parties) + 1
        self.parties[no] = Party(party)
        self._emit(REGISTRY, "PartyRegistered", no=no, id=party, at=self.now, by=by)
        return no

    def _bind(self, no: int, account: str, proven: bool, by: int, *, acts: bool) -> None:
        if account in self.keys:
            raise Refused("PartyAccountTaken")
        self.keys[account] = Key(no, self.now, proven, self.deciding, acts)
        fields = {"no": no, "account": account, "proven": proven, "proposal": self.deciding, "at": self.now, "by": by}
        self._emit(REGISTRY, "AccountBound", **fields)

    def _set_roles(self, no: int, roles: int, by: int) -> None:
        if roles & ~ALL_ROLES:
            raise Refused("PartyUnknownRoles")
        self.parties[no].roles = roles
        self._emit(REGISTRY, "RolesChanged", no=no, roles=roles, at=self.now, by=by)

    def _report(self, no: int, account: str, by: int) -> None:
        if no not in self.parties:
            raise Refused("PartyUnknown")
        key, officers = self._owned(no, account), self.officers()
        if key.reported_at:
            raise Refused("PartyAlreadyReported")
        key.reported_at = self.now
        self._emit(REGISTRY, "AccountReported", no=no, account=account, at=self.now, by=by)
        self._require_officers(officers)

    def _set_hold(self, statement: str, offices: int, reason: int, by: int) -> None:
        change = self.holds.get(statement, (0, 0))[1] + 1
        self.holds[statement] = (offices, change)
        fields = {"statement": statement, "offices": offices, "change": change, "reason": reason}
        self._emit(LOG, "Held", **fields, at=self.now, by=by)

    def _terms(self, act: Act) -> tuple[int, int]:
        """Return the role whose parties must decide a proposal of ``act``, and the party that the proposal concerns."""
        if act.target == LOG and act.function == "lift":
            return ROLE_OF_OFFICE.get(act.args[0], 0), NOBODY
        if act.target != REGISTRY or act.function == "endPause":
            return AUTHORITY, NOBODY
        if act.function not in CONCERNS:
            raise Refused("PartyNotProposable")
        if act.args[0] not in self.parties:
            raise Refused("PartyUnknown")
        return AUTHORITY, act.args[0]

    def _wait(self, act: Act) -> int:
        """Return how many seconds a proposal must wait; seconds during a pause do not count."""
        quick = ((LOG, "lift"), (REGISTRY, "endPause"), (REGISTRY, "register"))
        return 0 if (act.target, act.function) in quick else self.delay

    def _store(self, proposal: Proposal) -> None:
        no = len(self.proposals) + 1
        self.proposals[no] = proposal
        terms = {"role": proposal.role, "concerned": proposal.concerned, "ready": proposal.ready}
        self._emit(REGISTRY, "Proposed", no=no, act=proposal.act, **terms, at=self.now, by=proposal.by)

    def _pending(self, no: int) -> Proposal:
        if no not in self.proposals or self.proposals[no].state != PENDING:
            raise Refused("PartyNotPending")
        return self.proposals[no]

    def _open(self, no: int, act: Act) -> Proposal:
        proposal = self._pending(no)
        if self.running() > proposal.ready + OPEN_FOR:
            raise Refused("PartyProposalExpired")
        if act != proposal.act:
            raise Refused("PartyActDiffers")
        return proposal

    def _end(self, no: int, state: int, by: int, account: str = "") -> None:
        self.proposals[no].state = state
        self._emit(REGISTRY, "ProposalEnded", no=no, state=state, account=account, at=self.now, by=by)
