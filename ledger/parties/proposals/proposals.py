"""Proposals: acts that take a second office, a delay, or both, and that a veto or a cancellation can stop.

The chain decides. What is done here is safe to repeat after a crash at any point: an open proposal of the same act is
found and gone on with, and is not made a second time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from ledger.chain.locking import one_at_a_time
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.errors import ChainRejected, Conflict, Forbidden, InvalidInput, NotFound
from ledger.index.follower import Follower
from ledger.index.proposals import IndexedProposal
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.proposals.in_words import REGISTER, Proposal
from ledger.parties.proposals.reading import ProposalReader
from ledger.parties.relayed_acts import RelayedActs, account_is_of
from ledger.proof.acts import sign_act, veto_message
from ledger.store.database import Database

__all__ = ["Proposal", "Proposals"]

log = structlog.get_logger()

RETRY_SECONDS: Final = 60


class Proposals(ProposalReader):
    """Proposes, confirms and stops in the name of parties, and reads what was proposed.

    ``account_of`` gives the account that a party acts with; ``within_reach`` gives the parties with one of the roles
    for which this installation can confirm. ``before_retiring`` is called before a key is retired. ``lock`` is a file.
    """

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        follower: Follower,
        relayed: RelayedActs,
        lists: RegistrationLists,
        clock: Clock,
        *,
        account_of: Callable[[str], str],
        within_reach: Callable[[Iterable[str]], list[str]],
        before_retiring: Callable[[], None],
        lock: Path,
    ) -> None:
        super().__init__(database, reader, follower, lists, clock)
        self._client = client
        self._relayed = relayed
        self._account_of = account_of
        self._within_reach = within_reach
        self._before_retiring = before_retiring
        self._lock = lock
        self._callbacks: list[Callable[[], object]] = []
        self._inside = threading.local()
        self._refused: dict[int, int] = {}

    def when_changed(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` after every change made here, and in every tick; it must be cheap and repeatable."""
        self._callbacks.append(callback)

    def decide(self, by: str, call: Call, signed: SignedRequest | None = None) -> Proposal:
        """Bring an act as far as it goes here: proposed by ``by``, confirmed by another office within reach, and
        carried out if it is ready. If the key of ``by`` is kept elsewhere, no office confirms without being asked.

        If somebody else proposed the same act before, ``by`` confirms it. ``signed`` is the request of ``by``. Raises
        what the contracts refuse, and as ``RelayedActs.act``.
        """
        with one_at_a_time(self._lock):
            found = self._open(by, call)
            row = self.propose(by, call, signed) if found is None else self._row(found)
        if row.needs_confirmation and row.by != by:
            row = self.confirm(row.no, by, signed)
        return self._gone_on(row, call)

    def propose(self, by: str, call: Call, signed: SignedRequest | None = None) -> Proposal:
        """Propose an act, and do no more. A list of parties is proposed by its hash. Raises as ``decide``."""
        registers = call.function == REGISTER
        proposed = calls.propose_registration(self._client.act_of(call)) if registers else calls.propose(call)
        return self.get(proposal_of(self._relayed.act(self._account_of(by), proposed, signed)))

    def confirm(
        self, number: int, by: str, signed: SignedRequest | None = None, listed: Mapping[str, Any] | None = None
    ) -> Proposal:
        """Confirm a proposal as ``by``; what does not wait is carried out at once.

        What is not exactly a call that this version knows is confirmed by nobody here: people could not read what they
        confirm. ``listed`` is the list behind a registration, as ``listed`` gives it; an installation that does not
        know it needs it. Raises ``Conflict`` ``PROPOSAL_UNREADABLE``, ``REGISTRATION_LIST_MISSING``, ``InvalidInput``
        ``REGISTRATION_LIST_INVALID``, ``Forbidden`` ``PARTY_LACKS_ROLE``, ``PARTY_SELF_GRANT``, and what else the
        contract refuses.
        """
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

    def carry_out(self, number: int) -> Proposal:
        """Let a proposal that is ready take effect; one that already did is returned as it is.

        Raises ``Conflict`` ``PARTY_NOT_READY``, ``PARTY_NOT_CONFIRMED``, ``PARTY_NOT_PENDING``, and what the act itself
        meets.
        """
        self._follower.sync()
        found = self._found(number)
        row = self._row(found)
        return row if row.state == "carried_out" else self._carry_out(row, self._call(found))

    def cancel(self, number: int, by: str, signed: SignedRequest | None = None) -> Proposal:
        """Cancel a proposal as a party of the office that it takes. Raises as ``confirm``."""
        self._relayed.act(self._account_of(by), calls.cancel(number), signed)
        return self._after(number)

    def veto(
        self,
        number: int,
        by: str,
        act: bytes | None = None,
        account: str | None = None,
        signed: SignedRequest | None = None,
    ) -> Proposal:
        """Stop a change of the keys of ``by``.

        ``act`` is the signature of ``veto_message`` by the key of ``account``, which may be a reported one. Without it
        the key signs here if it is kept here; else ``signed`` is the party's own request. Raises ``Conflict``
        ``SIGNATURE_REQUIRED``, ``PARTY_NOT_VETOABLE``, ``PARTY_NOT_PENDING``; ``Forbidden`` ``PARTY_NO_VETO``, also for
        an account of another party: its key may be kept here, and is not the caller's.
        """
        account = account or self._account_of(by)
        if not account_is_of(self._reader, account, by):
            raise Forbidden(
                "PARTY_NO_VETO",
                "The account is none of the party that vetoes.",
                where=account,
                hint="A party vetoes by its own keys. What others signed, anybody sends: `pingzheng keys send`.",
            )
        if act is None and signed is None and self._relayed.holds(account):
            act = sign_act(veto_message(self._reader.chain, account, number), self._relayed.signer(account))
        if act is None:
            self._relayed.act(account, calls.veto(number), signed)
        else:
            self._client.send(calls.veto_for(account, number, act))
        return self._after(number)

    def veto_to_sign(self, number: int, by: str, account: str | None = None) -> tuple[str, bytes]:
        """The account that signs a veto, by default the present one of ``by``, and what it signs: for keys that are
        kept elsewhere. Raises ``NotFound`` ``PROPOSAL_UNKNOWN``."""
        self.get(number)
        signer = account or self._account_of(by)
        return signer, veto_message(self._reader.chain, signer, number)

    def tick(self) -> list[Proposal]:
        """Carry out everything that is ready, and take over what others decided; returns what was carried out."""
        done = [self._try(row) for row in self.pending() if self._ready(row)]
        self.follow_up()
        return [row for row in done if row is not None]

    def follow_up(self) -> None:
        """Let the records here follow what was decided. What that proposes in its turn is not followed again."""
        if getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            for callback in self._callbacks:
                callback()
        finally:
            self._inside.busy = False

    def _gone_on(self, row: Proposal, call: Call) -> Proposal:
        for other in self._confirmers(row):
            row = self._confirmed(row, other)
            if not row.needs_confirmation:
                break
        return self._carry_out(row, call) if self._ready(row) else row

    def _confirmed(self, row: Proposal, by: str) -> Proposal:
        try:
            return self.confirm(row.no, by)
        except (Conflict, Forbidden, ChainRejected):
            now = self.get(row.no)
            if now.needs_confirmation:
                raise
            return now  # Another office was faster.

    def _confirmers(self, row: Proposal) -> list[str]:
        """Who can confirm here without being asked: nobody, if the proposal is of a party with a key of its own.

        That one is another institution, and a key that is kept here for an office decides nothing at its call.
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
            now = self.get(row.no)
            if now.state != "carried_out":
                raise
            return now  # Somebody else carried it out meanwhile.
        return self._after(row.no)

    def _try(self, row: Proposal) -> Proposal | None:
        """Carry out in the background: what is refused is tried again later, and stands in the log."""
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
                "The call that is proposed is not exactly one that this version knows.",
                where=f"proposal {found.no}",
                hint="Do not confirm what you cannot read. Veto or cancel it, or use a newer version.",
            )
        return found.call

    def _open(self, by: str, call: Call) -> IndexedProposal | None:
        """An open proposal of the same act that is the party's own, or that it can confirm.

        A party and two offices can propose the same change of a key: these are two proposals.
        """
        self._follower.sync()
        act, number = self._client.act_of(call), self._number(by)
        found = [each for each in self._follower.pending_proposals(now=self._now()) if each.act == act]
        own = [each for each in found if each.by == number]
        others = [each for each in found if each.role and number not in (each.by, each.concerned)]
        candidates = own or others
        return candidates[-1] if candidates else None

    def _after(self, number: int) -> Proposal:
        row = self.get(number)
        self.follow_up()
        return row
