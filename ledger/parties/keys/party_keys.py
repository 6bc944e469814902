"""Changes of a party's keys.

A report of a lost key takes effect at once. A new key takes effect after a waiting period, in which each key of the
party can veto it.

Assets and certificates belong to the party and not to an account, so a change of keys does not affect them. What a key
signed while it was active stays valid. What a reported key signs is invalid. If two authorities state an earlier time
of compromise, everything that the key signed from that time on is invalid too.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.sending import calls
from ledger.chain.sending.calls import NO_ACCOUNT, change_key, date_compromise
from ledger.chain.watching import key_changes
from ledger.errors import Conflict
from ledger.log.anchoring import Anchoring
from ledger.log.paused import waiting_for_its_end
from ledger.parties.keys.possession import proof_for_chain, proof_of
from ledger.parties.keys.reports import KeyReports, require_the_party
from ledger.parties.keys.settlement import FIRST_KEYS, settle_changed
from ledger.parties.known import KnownKey, KnownParty
from ledger.parties.lookups import party, party_keys, speaking_keys
from ledger.parties.newcomers import require_free
from ledger.parties.permissions import Action
from ledger.parties.proposals.proposals import Proposal
from ledger.parties.roles import Actor, require
from ledger.parties.tables import PartyKey
from ledger.proof.suites.suite import ES256K, Suite, suite_of_key

BLOCK_TIME_STEP = 1


class PartyKeys(KeyReports):
    """Changes a party's keys on the chain first, then in the database. After a crash at any point, every call can be
    repeated.

    A change that must wait returns its proposal; a change that has already been made returns None. An installation
    reads the accounts of its operator and of its authorities only when it is opened: open it again after one of these
    accounts has changed.
    """

    def rotate(
        self, actor: Actor, identifier: str, public_key: str, proof: str = "", *, serving: Collection[str] = ()
    ) -> Proposal | None:
        """Propose a new key (compressed, 66 hex digits) in place of the party's present key; only the party itself may
        propose it.

        The change takes effect after the waiting period, in which every key of the party can veto it. ``proof`` is the
        proof, in hex, that the party possesses the new key; if this installation keeps the key, it makes the proof
        itself. ``serving`` are the parties whose keys a running service uses; these keys cannot be replaced.

        Raises ``Forbidden`` ``NOT_THE_PARTY``; ``InvalidInput`` ``PUBLIC_KEY_INVALID``, ``PROOF_MISSING``,
        ``PROOF_INVALID``; ``Conflict`` ``OWN_KEY_IN_USE``, ``OWN_KEY_ELSEWHERE``, ``ACCOUNT_IN_USE``,
        ``SIGNATURE_REQUIRED`` with the data to sign.
        """
        require_the_party(actor, identifier)
        _require_not_serving(serving, identifier)
        self._require_kept(identifier, public_key)
        return self._change(actor, identifier, public_key, proof)

    def bind(self, actor: Actor, identifier: str, public_key: str, proof: str = "") -> Proposal | None:
        """Propose another key of any suite for the party, as the party itself or as an authority.

        The party continues to act with its present key. A party without a secp256k1 key acts with the first secp256k1
        key that is bound. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, and the errors of ``rotate``.
        """
        require(actor, Action.MANAGE_ROLES, owns=actor.party == identifier)
        return self._change(actor, identifier, public_key, proof, replaced=NO_ACCOUNT, suites=ANY_SUITE)

    def retire(self, actor: Actor, identifier: str, account: str) -> Proposal | None:
        """Propose to retire one of the party's accounts, as the party itself; a key that can act for the party must
        remain.

        To stop a lost key, report it instead. Raises ``Forbidden`` ``NOT_THE_PARTY``, ``Conflict`` ``PARTY_LAST_KEY``.
        """
        require_the_party(actor, identifier)
        number, record = self._number(identifier), self._reader.account(account)
        if record is not None and record.party_no == number and not record.live:
            self.settle(identifier)
            return None
        self._require_another(identifier, account)
        return self._decided(actor, identifier, change_key(number, NO_ACCOUNT, account))

    def recover(
        self,
        actor: Actor,
        identifier: str,
        public_key: str,
        proof: str = "",
        lost: str | None = None,
        *,
        serving: Collection[str] = (),
    ) -> Proposal | None:
        """Propose a new key in place of a party's lost key, as an authority; another authority confirms the proposal.

        ``lost`` is the account to replace, by default the party's present account. The new key must be of the same
        suite as the lost key. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, and the errors of ``rotate``.
        """
        require(actor, Action.MANAGE_ROLES)
        _require_not_serving(serving, identifier)
        if lost is None:
            self._require_kept(identifier, public_key)
        suites = (self._suite_of(identifier, lost),)
        return self._change(actor, identifier, public_key, proof, replaced=lost, suites=suites)

    def date_compromise(self, actor: Actor, identifier: str, account: str, compromised_at: int) -> Proposal | None:
        """Propose, as an authority, that an account of the party is invalid from ``compromised_at`` (seconds UTC) on.

        Another authority confirms the proposal, which takes effect after the waiting period. If the key is still active
        when the proposal takes effect, the key also counts as reported. A stated time can later be replaced only by an
        earlier time (else ``InvalidInput`` ``PARTY_COMPROMISE_TIME``). Raises ``Forbidden`` ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.MANAGE_ROLES)
        number, record = self._number(identifier), self._reader.account(account)
        if record is not None and (record.party_no, record.compromised_at) == (number, compromised_at):
            self.settle(identifier)
            return None
        return self._decided(actor, identifier, date_compromise(number, account, compromised_at))

    def settle_changed(self) -> list[str]:
        """Find parties whose keys differ between index and database, copy their keys from the chain, and return their
        ids."""
        return settle_changed(self._database, self._reader)

    def history(self, identifier: str) -> list[KnownKey]:
        """Return every present, former and proposed key of the party, the earliest first."""
        with self._database.read() as session:
            return [KnownKey.of(row) for row in party_keys(session, identifier)]

    def changes(self, actor: Actor, identifier: str) -> list[dict[str, Any]]:
        """Return the changes of the party's keys and the proposals about them, the earliest first.

        Each of these objects has ``event`` (the event's name in the contract), ``at`` (seconds UTC), ``account``,
        ``proposal``, ``by`` (a party's number) and ``state``. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``; a party may
        always read its own changes.
        """
        if actor.party != identifier:
            require(actor, Action.MANAGE_ROLES, reads=True)
        members = ("event", "at", "account", "proposal", "by", "state")
        changes = [asdict(change) for change in key_changes(self._reader, self._number(identifier), 0)]
        return [{name: change[name] for name in members} for change in changes]

    def _change(
        self,
        actor: Actor,
        identifier: str,
        public_key: str,
        proof: str,
        *,
        replaced: str | None = None,
        suites: Collection[Suite] = (ES256K,),
    ) -> Proposal | None:
        """Propose the key in place of the account ``replaced`` (default: the present account).

        Returns None if the key is bound already.
        """
        known, fresh, shown = self._announce(identifier, public_key, proof, suites)
        record = self._reader.account(fresh)
        if record is not None and record.party_no == known.no and record.live:
            self.settle(identifier)
            return None
        call = change_key(self._number(identifier), fresh, replaced or known.account, shown)
        return self._decided(actor, identifier, call)

    def _decided(self, actor: Actor, identifier: str, call: calls.Call) -> Proposal:
        row = self._proposals.decide(actor.party, call, actor.signed)
        self.settle(identifier)
        return row

    def _require_another(self, identifier: str, account: str) -> None:
        """Raise ``Conflict`` ``PARTY_LAST_KEY`` unless the party has another active key that the chain can check."""
        with self._database.read() as session:
            left = [key for key in speaking_keys(session, identifier) if key.account != account]
        if not any(suite_of_key(key.public_key) in FIRST_KEYS for key in left):
            raise Conflict(
                "PARTY_LAST_KEY",
                "The party would have no key left that can act for it.",
                where=account,
                hint="Replace the key by another key instead: `pingzheng party rotate`.",
            )

    def _announce(
        self, identifier: str, public_key: str, proof: str, suites: Collection[Suite] = (ES256K,)
    ) -> tuple[KnownParty, str, str]:
        """Store the new key, and return the party, the key's account and the proof for the chain.

        The key is stored before it is sent to the chain, so that a crash in between does not lose the key.
        """
        check_public_key(public_key, where="public_key", suites=suites)
        fresh = account_of_public_key(public_key)
        with self._database.read() as session:
            known = session.get(PartyKey, fresh)
        given = proof or (known.proof or "" if known is not None and known.party_id == identifier else "")
        proof = proof_of(self._reader.chain, self._custody, public_key, given, "proof", self._number(identifier))
        with self._database.write() as session:
            known_party = KnownParty.of(party(session, identifier))
            require_free(session, [fresh], identifier)
            if session.get(PartyKey, fresh) is None:
                session.add(PartyKey(account=fresh, party_id=identifier, public_key=public_key, proof=proof))
        return known_party, fresh, proof_for_chain(public_key, proof)

    def _require_kept(self, identifier: str, public_key: str) -> None:
        """Raise ``Conflict`` ``OWN_KEY_ELSEWHERE`` if the installation sends transactions in this party's name, but
        does not keep the new key.

        Without this check the installation could not be opened again: for that it needs the key of the account from
        which it sends.
        """
        with self._database.read() as session:
            own = party(session, identifier).present_account == self._client.account
        if own and account_of_public_key(public_key) not in self._custody:
            raise Conflict(
                "OWN_KEY_ELSEWHERE",
                "This installation signs with the party's key, and the new key is not kept here.",
                where=f"party {identifier}",
                hint="Leave `--public-key` out: then this installation makes the new key and keeps it.",
            )

    def _suite_of(self, identifier: str, account: str | None) -> Suite:
        with self._database.read() as session:
            keys = {key.account: suite_of_key(key.public_key) for key in party_keys(session, identifier)}
            return keys.get(account or party(session, identifier).account, ES256K)


def _require_not_serving(serving: Collection[str], identifier: str) -> None:
    if identifier in serving:
        raise Conflict(
            "OWN_KEY_IN_USE",
            "This running service uses the key that would be replaced.",
            hint="Stop the service, run `pingzheng party rotate` or `… recover`, and start the service again.",
        )


def anchor_first(anchoring: Anchoring) -> None:
    """Anchor the waiting entries before a key is retired, then wait until the next second.

    A signature stays valid only if it is anchored in an earlier second than the second in which its key is retired.
    During a pause nothing is anchored, and no key is retired.
    """
    with waiting_for_its_end():
        anchoring.flush()
    time.sleep(BLOCK_TIME_STEP)
