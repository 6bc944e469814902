"""Reference for what parties may do (their powers): PartyRegistry, and CertificateLog's holds, withdrawals and anchors.

Nothing here uses a chain. An act either changes the model and adds its events, or raises ``Refused`` with the name of
the contract's error. The rules are those of docs/protocol.md, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from tests.reference.powers.state import (
    ACCUSES,
    ALL_ROLES,
    AUTHORITY,
    CANCELLED,
    CARRIED_OUT,
    CLOSED,
    ELSEWHERE,
    GUARDS,
    ISSUER,
    KEY,
    LOG,
    MAX_PAUSE,
    NO_PROOF,
    NOBODY,
    OPEN_FOR,
    ORDINARY,
    PAUSE_REST,
    QUICK,
    REGISTERS,
    REGISTRY,
    RIGHT,
    ROLE_OF_OFFICE,
    SUSPENDED_BY_TWO,
    VETOED,
    Act,
    Proposal,
    Refused,
    State,
)


@dataclass
class Powers(State):
    """The model of both contracts with their acts."""

    def attempt(self, act: Callable[[Powers], None]) -> tuple[Powers, str]:
        """Return the state after the act, and the name of the error that refused it (empty if it succeeded). A refused
        act changes nothing.
        """
        trial = deepcopy(self)
        trial.events = []
        try:
            act(trial)
        except Refused as refusal:
            self.events = []
            return self, str(refusal)
        trial._update_silence()
        return trial, ""

    def found(self, party: str, accounts: tuple[str, ...], roles: int) -> None:
        """Add a founding party; parties are numbered in the order in which they are added."""
        no = self._add(party, 1)
        for account in accounts:
            self._bind(no, account, True, 1, acts=account == accounts[0])
        self._set_roles(no, roles, 1)

    def propose(self, caller: str, act: Act) -> None:
        role, concerned = self._terms(act)
        changes_key = (act.target, act.function) == (REGISTRY, "changeKey")
        if changes_key and caller in self.keys and self.keys[caller].owner == concerned:
            role, by = 0, self._speaker(caller)
            if act.args[1] and act.args[3] == NO_PROOF:
                raise Refused("PartyProofMissing")
        else:
            by = self.actor(caller, role)
            if by == concerned:
                raise Refused("PartySelfGrant")
            if changes_key and not act.args[1]:
                raise Refused("PartyZero")
        self._store(Proposal(act, role, concerned, caller, by, self.now, self.running() + self._wait(act)))

    def propose_registration(self, caller: str, act: Act) -> None:
        by = self.actor(caller, REGISTERS)
        self._store(Proposal(act, REGISTERS, NOBODY, caller, by, self.now, self.running()))

    def confirm(self, caller: str, no: int, act: Act) -> None:
        proposal = self._open(no, act)
        if proposal.confirmer:
            raise Refused("PartyAlreadyConfirmed")
        by = self.actor(caller, proposal.role)
        if by == proposal.by:
            raise Refused("PartyOwnProposal")
        if by == proposal.concerned:
            raise Refused("PartySelfGrant")
        if proposal.role == REGISTERS and (act.target, act.function) != (REGISTRY, "register"):
            raise Refused("PartyNotProposable")
        proposal.confirmer, proposal.confirmed_by = caller, by
        self._emit(REGISTRY, "Confirmed", no=no, at=self.now, by=by)
        if not self._wait(act):
            self._carry_out(no)
        elif act.target == REGISTRY and act.function in ACCUSES:
            party = self.parties[proposal.concerned]
            party.accused_until = max(party.accused_until, proposal.ready + OPEN_FOR)

    def carry_out(self, no: int, act: Act) -> None:
        self._open(no, act)
        self._carry_out(no)

    def cancel(self, caller: str, no: int) -> None:
        proposal = self._pending(no)
        if proposal.kind == QUICK or not proposal.role:
            raise Refused("PartyNotCancellable")
        by = self.actor(caller, proposal.role)
        if by == proposal.concerned:
            raise Refused("PartySelfGrant")
        if self.running() <= self.parties[by].accused_until:
            raise Refused("PartyAccused")
        self._end(no, CANCELLED, by)

    def veto(self, account: str, no: int, proof: str = RIGHT) -> None:
        if proof != RIGHT:
            raise Refused("PartySignatureInvalid")
        proposal, key = self._pending(no), self.keys.get(account)
        if proposal.kind != KEY:
            raise Refused("PartyNotVetoable")
        live = key is not None and key.valid_from <= proposal.at and (not key.valid_to or key.valid_to >= proposal.at)
        if key is None or not live or key.owner != proposal.concerned:
            raise Refused("PartyNoVeto")
        self._end(no, VETOED, key.owner, account)

    def report(self, caller: str, no: int, account: str) -> None:
        own = caller in self.keys and self.keys[caller].owner == no
        by = self._owner(caller) if own else self.actor(caller, AUTHORITY)
        if not own and caller != REGISTRY and self.has(no, GUARDS):
            raise Refused("PartyNotDecided")
        self._report(no, account, by)

    def report_for(self, caller: str, no: int, account: str, proof: str = RIGHT) -> None:
        if self._owner(caller) != no:
            raise Refused("PartyAccountNotBound")
        if proof != RIGHT:
            raise Refused("PartySignatureInvalid")
        self._report(no, account, no)

    def set_roles(self, caller: str, no: int, roles: int) -> None:
        by = self._grantor(caller, REGISTERS, no)
        if (roles ^ self.parties[no].roles) & ALL_ROLES & ~ORDINARY and caller != REGISTRY:
            raise Refused("PartyOfficeByProposal")
        officers = self.officers()
        self._set_roles(no, roles, by)
        self._require_officers(officers)

    def set_status(self, caller: str, no: int, status: int, reason: int) -> None:
        by = self._grantor(caller, GUARDS, no)
        if self.parties[no].status == CLOSED:
            raise Refused("PartyClosed")
        if not status:
            raise Refused("PartyNotActive")
        if caller != REGISTRY and (status == CLOSED or self.has(no, SUSPENDED_BY_TWO)):
            raise Refused("PartyNotDecided")
        officers = self.officers()
        self.parties[no].status = status
        self._emit(REGISTRY, "PartyStatusChanged", no=no, status=status, reason=reason, at=self.now, by=by)
        self._require_officers(officers)

    def pause(self, caller: str) -> None:
        by = self.actor(caller, GUARDS)
        self._require_running()
        if self.now < self.rests.get(by, 0):
            raise Refused("PartyPauseRest")
        until = self.now + MAX_PAUSE
        self.pauses.append([self.now, until])
        self.rests[by] = until + PAUSE_REST
        self._emit(REGISTRY, "Paused", until=until, at=self.now, by=by)

    def hold(self, caller: str, statement: str, reason: int) -> None:
        by = self.actor(caller, GUARDS)
        own = sum(office for office, role in ROLE_OF_OFFICE.items() if self.parties[by].roles & role)
        offices, _ = self.holds.get(statement, (0, 0))
        if offices & own == own:
            raise Refused("LogAlreadyHeld")
        self._set_hold(statement, offices | own, reason, by)

    def lift(self, caller: str, office: int, statements: tuple[str, ...], reason: int) -> None:
        if caller != REGISTRY:
            raise Refused("LogNotDecided")
        by = self.actor(caller, ROLE_OF_OFFICE.get(office, 0))
        for statement in statements:
            offices, _ = self.holds.get(statement, (0, 0))
            if not offices & office:
                raise Refused("LogNotHeld")
            self._set_hold(statement, offices & ~office, reason, by)

    def withdraw(self, caller: str, statement: str) -> None:
        if not self.live(caller):
            raise Refused("PartyUnknownAccount")
        key = self.keys[caller]
        times = self.withdrawals.setdefault((key.owner, statement), [0, 0])
        kind = int(key.reported_at != 0)
        if times[kind]:
            raise Refused("LogAlreadyWithdrawn")
        times[kind] = self.now
        self._emit(LOG, "Withdrawn", party=key.owner, statement=statement, reported=bool(kind), at=self.now)

    def anchor(self, caller: str, root: str) -> None:
        """Anchor the next batch with one entry."""
        by = self.actor(caller, ISSUER)
        self._require_running()
        batch = self.anchored.get(by, 0)
        self.anchored[by] = batch + 1
        self._emit(LOG, "Anchored", issuer=by, batch=batch, firstSeq=batch, size=1, root=root, at=self.now)

    # The registry itself makes the following calls, when it carries out a proposal; nobody else may make them.

    def register(self, caller: str, listed: tuple[tuple[str, tuple[tuple[str, str], ...], int], ...]) -> None:
        by = self._require_decided(caller)
        self._require_running()
        for party, keys, roles in listed:
            if roles & ALL_ROLES & ~ORDINARY:
                raise Refused("PartyOfficeByProposal")
            no = self._add(party, by)
            for account, proof in keys:
                proven = self._proven(proof)
                self._bind(no, account, proven, by, acts=proven and account in self.suited)
            if not self.speaking(no):
                raise Refused("PartyNoProvenKey")
            self._set_roles(no, roles, by)

    def change_key(self, caller: str, no: int, fresh: str, old: str, proof: str) -> None:
        by = self._require_decided(caller)
        self._require_running()
        if not fresh and not old:
            raise Refused("PartyZero")
        officers = self.officers()
        if old:
            self._owned(no, old).valid_to = self.now
            self._emit(REGISTRY, "AccountRetired", no=no, account=old, proposal=self.deciding, at=self.now, by=by)
        if fresh:
            if by == no and proof == NO_PROOF:
                raise Refused("PartyProofMissing")
            proven = self._proven(proof)
            self._bind(no, fresh, proven, by, acts=proven and fresh in self.suited)
        elif not self.speaking(no):
            raise Refused("PartyLastKey")
        self._require_officers(officers)

    def accredit(self, caller: str, no: int, scenario: str, start: int, end: int) -> None:
        by = self._require_decided(caller)
        known = self.accreditations.get((no, scenario), (0, 0))
        takes_back = known[1] != 0 and (start > known[0] or (end < known[1] and end < self.now))
        if start >= end or takes_back:
            raise Refused("PartyPeriod")
        self.accreditations[no, scenario] = (start, end)
        fields = {"no": no, "scenario": scenario, "from": start, "to": end, "at": self.now, "by": by}
        self._emit(REGISTRY, "Accredited", **fields)

    def date_compromise(self, caller: str, no: int, account: str, compromised_at: int) -> None:
        by = self._require_decided(caller)
        key = self.keys.get(account)
        if key is None or key.owner != no:
            raise Refused("PartyAccountNotBound")
        latest = key.compromised_at - 1 if key.compromised_at else self.now
        if not 0 < compromised_at <= latest:
            raise Refused("PartyCompromiseTime")
        if not key.valid_to and not key.reported_at:
            self._report(no, account, by)
        key.compromised_at = compromised_at
        fields = {"no": no, "account": account, "compromisedAt": compromised_at, "at": self.now, "by": by}
        self._emit(REGISTRY, "AccountCompromised", **fields)

    def end_pause(self, caller: str) -> None:
        by = self._require_decided(caller)
        if not self.paused_until():
            raise Refused("PartyNotPaused")
        self.pauses[-1][1] = self.now
        self._emit(REGISTRY, "PauseEnded", at=self.now, by=by)

    def _carry_out(self, no: int) -> None:
        proposal = self.proposals[no]
        if self.running() < proposal.ready:
            raise Refused("PartyNotReady")
        if proposal.role == 0:
            self._speaker(proposal.proposer)
        elif not proposal.confirmer:
            raise Refused("PartyNotConfirmed")
        else:
            self.actor(proposal.proposer, proposal.role)
            self.actor(proposal.confirmer, proposal.role)
        self._end(no, CARRIED_OUT, proposal.by)
        self.deciding = no
        self.perform(proposal.act, REGISTRY)
        self.deciding = 0

    def perform(self, act: Act, caller: str) -> None:
        """Make the call ``act`` in the name of ``caller``. When a proposal is carried out, the caller is the registry
        itself.
        """
        acts: dict[tuple[str, str], Callable[..., None]] = {
            (REGISTRY, "register"): self.register,
            (REGISTRY, "changeKey"): self.change_key,
            (REGISTRY, "setRoles"): self.set_roles,
            (REGISTRY, "setStatus"): self.set_status,
            (REGISTRY, "accredit"): self.accredit,
            (REGISTRY, "report"): self.report,
            (REGISTRY, "dateCompromise"): self.date_compromise,
            (REGISTRY, "endPause"): self.end_pause,
            (LOG, "lift"): self.lift,
        }
        if act.target == ELSEWHERE:
            raise Refused("AddressEmptyCode")
        acts[act.target, act.function](caller, *act.args)
