"""Proposals: acts that need a second party's confirmation, a waiting period, or both. A veto or a cancellation can stop
most of them.

The contracts decide what is allowed. Every call here can be repeated after a crash: if the same act is already proposed
and pending, the call continues with that proposal and makes no second one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from ledger.chain.locking import one_at_a_time
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.parties import Role
from ledger.errors import ChainRejected, Conflict, Forbidden, InvalidInput, NotFound
from ledger.index.proposals import IndexedProposal
from ledger.parties.proposals.in_words import REGISTER, Proposal
from ledger.parties.proposals.reading import ProposalReader
from ledger.parties.relayed_acts import RelayedActs, account_is_of
from ledger.parties.roles import Actor
from ledger.proof.acts import sign_act, veto_message

__all__ = ["Proposal", "Proposals"]

log = structlog.get_logger()

RETRY_SECONDS: Final = 60


@dataclass(eq=False, repr=False)
class Proposals(ProposalReader):
    """Makes, confirms and stops proposals in the name of parties, and reads them.

    ``account_of`` returns the account that a party acts with. ``within_reach`` returns, of the parties with one
    of the given roles, those for which this installation can confirm. ``before_retiring`` is called before a key is
    retired. ``lock`` is the path of a lock file. The contract decides who may confirm, cancel and veto.
    """

    _client: ChainClient
    _relayed: RelayedActs
    _account_of: Callable[[str], str]
    _within_reach: Callable[[Iterable[str]], list[str]]
    _before_retiring: Callable[[], None]
    _lock: Path
    _callbacks: list[Callable[[], object]] = field(default_factory=list, init=False)
    _inside: threading.local = field(default_factory=threading.local, init=False)
    _refused: dict[int, int] = field(default_factory=dict, init=False)

    def when_changed(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` after every change made here and in every ``tick``; the callback must be cheap and
        repeatable."""
        self._callbacks.append(callback)

    def decide(self, by: str, call: Call, signed: SignedRequest | None = None) -> Proposal:
        """Propose an act; if this installation can, also confirm it in another party's name, and carry it out when it
        is ready.

        The caller must have checked the permission of ``by``, the proposing party. If ``by`` keeps its own key, this
        installation does not confirm in any other party's name. If another party has already proposed the same act,
        ``by`` confirms that proposal. ``signed`` is the request that ``by`` signed. Raises the refusals of the
        contracts, and the errors of ``RelayedActs.act``.
        """
        with one_at_a_time(self._lock):
            found = self._open(by, call)
            row = self.propose(by, call, signed) if found is None else self._row(found)
        if row.needs_confirmation and row.by != by:
            row = self._confirm(by, row.no, signed)
        for other in self._confirmers(row):
            row = self._confirmed(row, other)
            if not row.needs_confirmation:
                break
        return self._carry_out(row, call) if self._ready(row) else row

    def propose(self, by: str, call: Call, signed: SignedRequest | None = None) -> Proposal:
        """Propose an act in the name of ``by``, without confirming it or carrying it out.

        For a registration, only the hash of the list of parties goes into the proposal. Raises the errors of
        ``decide``.
        """
        registers = call.function == REGISTER
        proposed = calls.propose_registration(self._client.act_of(call)) if registers else calls.propose(call)
        return self._followed(proposal_of(self._relayed.act(self._account_of(by), proposed, signed)))

    def confirm(self, actor: Actor, number: int, listed: Mapping[str, Any] | None = None) -> Proposal:
        """Confirm a proposal as a second party with the proposal's role; if there is no waiting period, carry the
        proposal out at once.

        Only a call that this version can read completely can be confirmed here. If the proposal registers parties whose
        list is not stored here, ``listed`` gives the list as the proposing installation's method ``listed`` returns it.
        Raises ``Conflict`` ``PROPOSAL_UNREADABLE``, ``REGISTRATION_LIST_MISSING``; ``InvalidInput``
        ``REGISTRATION_LIST_INVALID``; ``Forbidden`` ``PARTY_LACKS_ROLE``, ``PARTY_SELF_GRANT``; and other refusals of
        the contract.
        """
        return self._confirm(actor.party, number, actor.signed, listed)

    def carry_out(self, number: int) -> Proposal:
        """Carry out a proposal that is ready; if the proposal was carried out already, return it unchanged.

        Raises ``Conflict`` ``PARTY_NOT_READY``, ``PARTY_NOT_CONFIRMED``, ``PARTY_NOT_PENDING``, and the errors of the
        act itself.
        """
        self._follower.sync()
        found = self._found(number)
        row = self._row(found)
        return row if row.state == "carried_out" else self._carry_out(row, self._call(found))

    def cancel(self, actor: Actor, number: int) -> Proposal:
        """Cancel a proposal as a party with the role that confirms it; raises the errors of ``confirm``."""
        self._relayed.act(self._account_of(actor.party), calls.cancel(number), actor.signed)
        return self._after(number)

    def veto(self, actor: Actor, number: int, act: bytes | None = None, account: str | None = None) -> Proposal:
        """Veto a proposal to change the caller's own keys.

        ``act`` is the signature of ``veto_message`` by the key of ``account``, which may be a reported key. Without
        ``act``, this installation signs if it keeps the key; otherwise the party must have signed the request.

        Raises ``Conflict`` ``SIGNATURE_REQUIRED``, ``PARTY_NOT_VETOABLE``, ``PARTY_NOT_PENDING``; ``Forbidden``
        ``PARTY_NO_VETO``, also if ``account`` belongs to another party.
        """
        account = account or self._account_of(actor.party)
        if not account_is_of(self._reader, account, actor.party):
            raise Forbidden(
                "PARTY_NO_VETO",
                "The account is not an account of the party that vetoes.",
                where=account,
                hint="Sign with a key of this party. Then anybody can send the veto: `pingzheng keys send`.",
            )
        if act is None and actor.signed is None and self._relayed.holds(account):
            act = sign_act(veto_message(self._reader.chain, account, number), self._relayed.signer(account))
        if act is None:
            self._relayed.act(account, calls.veto(number), actor.signed)
        else:
            self._client.send(calls.veto_for(account, number, act))
        return self._after(number)

    def veto_to_sign(self, actor: Actor, number: int, account: str | None = None) -> tuple[str, bytes]:
        """Return the account that signs a veto (by default the caller's present account) and the message to sign.

        This method is for parties that keep their keys themselves. Raises ``NotFound`` ``PROPOSAL_UNKNOWN``.
        """
        self.get(number)
        signer = account or self._account_of(actor.party)
        return signer, veto_message(self._reader.chain, signer, number)

    def tick(self) -> list[Proposal]:
        """Carry out every proposal that is ready, and run the callbacks; return the proposals carried out."""
        self._follower.sync()
        done = [self._try(row) for row in self.pending() if self._ready(row)]
        self.follow_up()
        return [row for row in done if row is not None]

    def follow_up(self) -> None:
        """Run the callbacks, which bring the database up to date with the decisions.

        Proposals that a callback makes run no callbacks.
        """
        if getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            for callback in self._callbacks:
                callback()
        finally:
            self._inside.busy = False

    def _confirm(
        self, by: str, number: int, signed: SignedRequest | None = None, listed: Mapping[str, Any] | None = None
    ) -> Proposal:
        self._follower.sync()
        found = self._found(number)
        row = self._row(found)
        if row.confirmed_by == by:
            return row
        if listed is not None:
            self._lists.take(found.act, listed)
        call = self._call(found)
        if not self._waits(row):
            self._prepare(call)
        self._relayed.act(self._account_of(by), calls.confirm(number, call), signed)
        return self._after(number)

    def _confirmed(self, row: Proposal, by: str) -> Proposal:
        try:
            return self._confirm(by, row.no)
        except (Conflict, Forbidden, ChainRejected):
            now = self._followed(row.no)
            if now.needs_confirmation:
                raise
            return now  # Another party confirmed the proposal first.

    def _confirmers(self, row: Proposal) -> list[str]:
        """Return the parties in whose name this installation confirms without asking; none if the proposing party keeps
        its own key.

        A party that keeps its own key is an institution of its own: its call alone must not be enough to make this
        installation confirm with the keys kept here.
        """
        if not row.needs_confirmation or not self._relayed.holds(self._account_of(row.by)):
            return []
        roles = (Role.AUTHORITY.value, Role.ADMIN.value) if row.kind == REGISTER else row.role.split(",")
        return [party for party in self._within_reach(roles) if party not in (row.by, row.concerned)]

    def _carry_out(self, row: Proposal, call: Call) -> Proposal:
        self._prepare(call)
        try:
            self._client.send(calls.carry_out(row.no, call))
        except (Conflict, Forbidden, ChainRejected):
            now = self._followed(row.no)
            if now.state != "carried_out":
                raise
            return now  # Another caller carried out the proposal first.
        return self._after(row.no)

    def _try(self, row: Proposal) -> Proposal | None:
        """Carry out a proposal in the background; if the contract refuses it, log the refusal and try again later."""
        if self._clock() < self._refused.get(row.no, 0):
            return None
        try:
            return self.carry_out(row.no)
        except (Conflict, Forbidden, InvalidInput, NotFound, ChainRejected) as refusal:
            self._refused[row.no] = self._clock() + RETRY_SECONDS
            log.info("proposal not carried out", proposal=row.no, kind=row.kind, code=refusal.code)
            return None

    def _prepare(self, call: Call) -> None:
        if call.function == "changeKey" and call.args[2] != calls.NO_ACCOUNT:
            self._before_retiring()

    def _ready(self, row: Proposal) -> bool:
        return row.pending and not row.needs_confirmation and not self._waits(row)

    def _waits(self, row: Proposal) -> bool:
        return row.ready_at > max(self._clock(), row.at)

    def _call(self, found: IndexedProposal) -> Call:
        if found.kind == REGISTER:
            return self._lists.call(found.act)
        if found.call is None:
            raise Conflict(
                "PROPOSAL_UNREADABLE",
                "This version cannot read the proposed call completely.",
                where=f"proposal {found.no}",
                hint="Do not confirm a call that you cannot read. Veto or cancel the proposal, or use a newer version.",
            )
        return found.call

    def _open(self, by: str, call: Call) -> IndexedProposal | None:
        """Return a pending proposal of this act: one that ``by`` made, or else one that ``by`` can confirm.

        The party itself and an authority can both propose the same change of a key; these are two different proposals.
        """
        self._follower.sync()
        act, number = self._client.act_of(call), self._number(by)
        found = [each for each in self._follower.pending_proposals(now=self._now()) if each.act == act]
        own = [each for each in found if each.by == number]
        others = [each for each in found if each.role and number not in (each.by, each.concerned)]
        candidates = own or others
        return candidates[-1] if candidates else None

    def _followed(self, number: int) -> Proposal:
        self._follower.sync()
        return self.get(number)

    def _after(self, number: int) -> Proposal:
        row = self._followed(number)
        self.follow_up()
        return row
