"""A party's keys over time: quick to report, late to bind, and every key of the party can veto a binding.

What a party holds is the party's and not the account's, so nothing but the key changes. What an account signed while
it was in force stays signed; what a reported key signs counts for nothing, and from a dated compromise on it never did.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.chain.sending.calls import NO_ACCOUNT, change_key, date_compromise
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.relay import SignedRequest
from ledger.chain.watching import key_changes
from ledger.errors import Conflict, Forbidden
from ledger.index.follower import Follower
from ledger.log.anchoring import Anchoring
from ledger.log.paused import waiting_for_its_end
from ledger.parties.custody import Custody
from ledger.parties.keys.possession import proof_for_chain, proof_of
from ledger.parties.keys.settlement import FIRST_KEYS, settle_changed, settle_keys
from ledger.parties.known import KnownKey, KnownParty
from ledger.parties.lookups import party, party_keys, party_no, speaking_keys
from ledger.parties.newcomers import require_free
from ledger.parties.permissions import Action
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs, account_is_of
from ledger.parties.role_changes import PROTECTED
from ledger.parties.roles import Actor, require
from ledger.parties.tables import PartyKey
from ledger.proof.acts import report_message, sign_act
from ledger.proof.suites.suite import ES256K, Suite, suite_of_key
from ledger.store.database import Database

BLOCK_TIME_STEP = 1


class PartyKeys:
    """Changes of keys: on the chain first, then here. Safe to call again after a crash at any point.

    A change that is proposed is answered by its proposal; None: it was so already. The installation's own accounts,
    operator and offices, are read when it is opened: open it again after a change.
    """

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        follower: Follower,
        relayed: RelayedActs,
        custody: Custody,
        proposals: Proposals,
    ) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._follower = follower
        self._relayed = relayed
        self._custody = custody
        self._proposals = proposals

    def rotate(
        self,
        actor: Actor,
        identifier: str,
        public_key: str,
        proof: str = "",
        signed: SignedRequest | None = None,
        *,
        serving: Collection[str] = (),
    ) -> Proposal | None:
        """Propose another key (compressed, 66 hex digits) in place of the party's present one; the party's own act.

        It waits for the delay, and every key of the party can veto it. ``proof`` is the new key's proof of possession
        in hex, made here for a key that is kept here. ``serving`` are parties with whose keys a service is running.

        Raises ``Forbidden`` ``NOT_THE_PARTY``; ``InvalidInput`` ``PUBLIC_KEY_INVALID``, ``PROOF_MISSING``,
        ``PROOF_INVALID``; ``Conflict`` ``OWN_KEY_IN_USE``, ``OWN_KEY_ELSEWHERE``, ``ACCOUNT_IN_USE``,
        ``SIGNATURE_REQUIRED`` with what to sign.
        """
        _require_the_party(actor, identifier)
        _require_not_serving(serving, identifier)
        self._require_kept(identifier, public_key)
        row, fresh, shown = self._announce(identifier, public_key, proof)
        if self._bound(row, fresh):
            self.settle(identifier)
            return None
        call = change_key(self._number(identifier), fresh, row.account, shown)
        return self._decided(identifier, identifier, call, signed)

    def bind(
        self, actor: Actor, identifier: str, public_key: str, proof: str = "", signed: SignedRequest | None = None
    ) -> Proposal | None:
        """Propose a further key of the party, of any suite: as the party itself, or as an authority.

        The party goes on acting by the key it has; one that has had no key of secp256k1 acts by the first of these.
        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, and as ``rotate``.
        """
        require(actor, Action.MANAGE_ROLES, owns=actor.party == identifier)
        row, fresh, shown = self._announce(identifier, public_key, proof, ANY_SUITE)
        if self._bound(row, fresh):
            self.settle(identifier)
            return None
        call = change_key(self._number(identifier), fresh, NO_ACCOUNT, shown)
        return self._decided(actor.party, identifier, call, signed)

    def retire(
        self, actor: Actor, identifier: str, account: str, signed: SignedRequest | None = None
    ) -> Proposal | None:
        """Propose to retire one of the party's accounts; the party's own act. It keeps one key that speaks.

        Raises ``Forbidden`` ``NOT_THE_PARTY``, ``Conflict`` ``PARTY_LAST_KEY``. A lost key is reported instead.
        """
        _require_the_party(actor, identifier)
        number, record = self._number(identifier), self._reader.account(account)
        if record is not None and record.party_no == number and not record.live:
            self.settle(identifier)
            return None
        self._require_another(identifier, account)
        return self._decided(identifier, identifier, change_key(number, NO_ACCOUNT, account), signed)

    def recover(
        self,
        actor: Actor,
        identifier: str,
        public_key: str,
        proof: str = "",
        lost: str | None = None,
        signed: SignedRequest | None = None,
        *,
        serving: Collection[str] = (),
    ) -> Proposal | None:
        """Propose a new key in place of a party's lost one, as an authority; another authority confirms it.

        ``lost`` is the account to replace if it is not the one that the party acts by. The new key is of the suite of
        the lost one. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, and as ``rotate``.
        """
        require(actor, Action.MANAGE_ROLES)
        _require_not_serving(serving, identifier)
        if lost is None:
            self._require_kept(identifier, public_key)
        row, fresh, shown = self._announce(identifier, public_key, proof, (self._suite_of(identifier, lost),))
        if self._bound(row, fresh):
            self.settle(identifier)
            return None
        call = change_key(self._number(identifier), fresh, lost or row.account, shown)
        return self._decided(actor.party, identifier, call, signed)

    def report(
        self,
        identifier: str,
        account: str,
        by: str,
        act: bytes | None = None,
        signer: str | None = None,
        signed: SignedRequest | None = None,
    ) -> Proposal | None:
        """Report a lost or stolen key of the party: in force with its block.

        By the party, with any live key, though it be reported itself: ``act`` is the signature of ``report_message`` by
        the key of ``signer`` (by default the present one), made here for a key that is kept here; else ``signed`` is
        the party's request. Or by one authority; the key of an authority or a supervisor is reported by two of them,
        after the delay. What is reported already stays so. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``;
        ``PARTY_UNKNOWN_ACCOUNT`` for a ``signer`` that is another party's; ``Conflict`` ``SIGNATURE_REQUIRED``.
        """
        number, record = self._number(identifier), self._reader.account(account)
        proposal = None
        if record is None or record.party_no != number or not record.reported_at:
            if by == identifier:
                self._report_own(identifier, number, account, act, signer, signed)
            elif PROTECTED & set(self._reader.party(number).roles):
                proposal = self._proposals.decide(by, calls.report(number, account), signed)
            else:
                self._relayed.act_as(by, calls.report(number, account), signed)
            # Sessions and keys of that account end with the block, as soon as it is followed.
            self._follower.sync()
        self.settle(identifier)
        return proposal

    def report_to_sign(
        self, actor: Actor, identifier: str, reported: str, signer: str | None = None
    ) -> tuple[str, bytes]:
        """The account that signs a report of the party's key ``reported``, by default the present one, and what it
        signs: for keys that are kept elsewhere. Raises ``Forbidden`` ``NOT_THE_PARTY``."""
        _require_the_party(actor, identifier)
        with self._database.read() as session:
            signer = signer or party(session, identifier).account
        return signer, report_message(self._reader.chain, signer, reported)

    def date_compromise(
        self, actor: Actor, identifier: str, account: str, compromised_at: int, signed: SignedRequest | None = None
    ) -> Proposal | None:
        """Propose, as an authority, that an account of the party counted for nothing from ``compromised_at`` on.

        Another authority confirms it, and it waits for the delay. A live key is reported by it too. A time moves to an
        earlier one, never to a later (``InvalidInput`` ``PARTY_COMPROMISE_TIME``). Raises ``Forbidden``
        ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.MANAGE_ROLES)
        number, record = self._number(identifier), self._reader.account(account)
        if record is not None and (record.party_no, record.compromised_at) == (number, compromised_at):
            self.settle(identifier)
            return None
        return self._decided(actor.party, identifier, date_compromise(number, account, compromised_at), signed)

    def settle(self, identifier: str) -> KnownParty:
        """Bring the party's keys here in line with the chain: what a crash, or the party by itself, left behind."""
        return settle_keys(self._database, self._reader, identifier)

    def settle_changed(self) -> list[str]:
        """Settle all parties whose keys changed on the chain, as the index knows it; returns their ids."""
        return settle_changed(self._database, self._reader)

    def history(self, identifier: str) -> list[KnownKey]:
        """Every key that is, was or is proposed to be the party's, the earliest first."""
        with self._database.read() as session:
            return [KnownKey.of(row) for row in party_keys(session, identifier)]

    def changes(self, actor: Actor, identifier: str) -> list[dict[str, Any]]:
        """What happened to the party's keys and what was proposed about them, the earliest first.

        Each has ``event`` (of the contract), ``at`` (seconds UTC), ``account``, ``proposal`` and ``by`` (a party's
        number). Raises ``Forbidden`` ``PARTY_LACKS_ROLE``; everybody sees what happened to its own keys.
        """
        if actor.party != identifier:
            require(actor, Action.MANAGE_ROLES, reads=True)
        found = key_changes(self._reader, self._number(identifier), 0)
        told = ("event", "at", "account", "proposal", "by", "state")
        return [{name: value for name, value in asdict(change).items() if name in told} for change in found]

    def _decided(self, by: str, identifier: str, call: calls.Call, signed: SignedRequest | None) -> Proposal:
        row = self._proposals.decide(by, call, signed)
        self.settle(identifier)
        return row

    def _require_another(self, identifier: str, account: str) -> None:
        """Raise ``Conflict`` ``PARTY_LAST_KEY`` unless the chain can check another key of the party."""
        with self._database.read() as session:
            left = [key for key in speaking_keys(session, identifier) if key.account != account]
        if not any(suite_of_key(key.public_key) in FIRST_KEYS for key in left):
            raise Conflict(
                "PARTY_LAST_KEY",
                "No key would be left that speaks for the party.",
                where=account,
                hint="Rotate it: replace the key by another one.",
            )

    def _report_own(
        self,
        identifier: str,
        number: int,
        account: str,
        act: bytes | None,
        signer: str | None,
        signed: SignedRequest | None,
    ) -> None:
        with self._database.read() as session:
            signer = signer or party(session, identifier).account
        if not account_is_of(self._reader, signer, identifier):
            raise Forbidden(
                "PARTY_UNKNOWN_ACCOUNT",
                "The account that is to report is none of the party's.",
                where=signer,
                hint="A party reports by its own keys. What others signed, anybody sends: `pingzheng keys send`.",
            )
        if act is None and signed is None and signer in self._custody:
            act = sign_act(report_message(self._reader.chain, signer, account), self._custody.signer(signer))
        if act is None:
            self._relayed.act(signer, calls.report(number, account), signed)
        else:
            self._client.send(calls.report_for(signer, number, account, act))

    def _announce(
        self, identifier: str, public_key: str, proof: str, suites: Collection[Suite] = (ES256K,)
    ) -> tuple[KnownParty, str, str]:
        """The party, the account, and the proof for the chain. The key is written down before the chain takes it, so
        that a crash between does not lose it."""
        check_public_key(public_key, where="public_key", suites=suites)
        fresh = account_of_public_key(public_key)
        with self._database.read() as session:
            known = session.get(PartyKey, fresh)
        given = proof or (known.proof or "" if known is not None and known.party_id == identifier else "")
        proof = proof_of(self._reader.chain, self._custody, public_key, given, "proof", self._number(identifier))
        with self._database.write() as session:
            known_party = KnownParty.of(party(session, identifier))
            party_no(session, identifier)
            require_free(session, fresh, identifier)
            if session.get(PartyKey, fresh) is None:
                session.add(PartyKey(account=fresh, party_id=identifier, public_key=public_key, proof=proof))
        return known_party, fresh, proof_for_chain(public_key, proof)

    def _require_kept(self, identifier: str, public_key: str) -> None:
        """Raise ``Conflict`` ``OWN_KEY_ELSEWHERE`` for the party that we send as: without its key nothing opens."""
        with self._database.read() as session:
            own = party(session, identifier).present_account == self._client.account
        if own and account_of_public_key(public_key) not in self._custody:
            raise Conflict(
                "OWN_KEY_ELSEWHERE",
                "This installation signs with the party's key, and the new one is not kept here.",
                where=f"party {identifier}",
                hint="Leave `--public-key` out: the new key is made and kept here.",
            )

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)

    def _suite_of(self, identifier: str, account: str | None) -> Suite:
        with self._database.read() as session:
            keys = {key.account: suite_of_key(key.public_key) for key in party_keys(session, identifier)}
            return keys.get(account or party(session, identifier).account, ES256K)

    def _bound(self, row: KnownParty, account: str) -> bool:
        record = self._reader.account(account)
        return record is not None and record.party_no == row.no and record.live


def _require_the_party(actor: Actor, identifier: str) -> None:
    if actor.party != identifier:
        raise Forbidden(
            "NOT_THE_PARTY",
            "Only the party itself does this with its keys.",
            hint="Two authorities can recover a lost key.",
        )


def _require_not_serving(serving: Collection[str], identifier: str) -> None:
    if identifier in serving:
        raise Conflict(
            "OWN_KEY_IN_USE",
            "This service is running with the key that would be replaced.",
            hint="Stop it, run `pingzheng party rotate` or `pingzheng party recover`, start it again.",
        )


def anchor_first(anchoring: Anchoring) -> None:
    """Before a key is retired: what it signed counts if it is anchored while the key is in force, in an earlier second.

    A pause stops the anchoring, and the retiring too.
    """
    with waiting_for_its_end():
        anchoring.flush()
    time.sleep(BLOCK_TIME_STEP)
