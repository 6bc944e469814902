"""A party's keys over time: rotated by the party; further ones bound, lost ones recovered by an authority.

What a party holds is the party's and not the account's, so nothing but the key changes. What an account signed while
it was in force stays signed; from a reported compromise on it counts for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.calls import bind_account, recover_account, report_compromise, retire_account, rotate_account
from ledger.chain.reader import ChainReader
from ledger.chain.records import AccountRecord
from ledger.chain.relay import SignedRequest
from ledger.proof.suite import ES256K, Suite, suite_of_key
from ledger.service.acting import Acting
from ledger.service.anchoring import Anchoring
from ledger.service.parties import FIRST_KEYS, require_free
from ledger.store.database import Database
from ledger.store.records import live_keys, party, party_keys, party_no
from ledger.store.tables import Party, PartyKey

BLOCK_TIME_STEP = 1


class PartyKeys:
    """Changes of keys: on the chain first, then here. Safe to call again after a crash at any point.

    The installation's own accounts, authority and operator, are read when it is opened: open it again after a change.
    """

    def __init__(self, database: Database, reader: ChainReader, acting: Acting, anchoring: Anchoring) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting
        self._anchoring = anchoring

    def rotate(self, identifier: str, public_key: str, signed: SignedRequest | None = None) -> Party:
        """Replace the party's key by another (compressed, 66 hex digits); the party's own act, by its present key.

        Raises ``InvalidInput`` ``PUBLIC_KEY_INVALID``, ``Conflict`` ``ACCOUNT_IN_USE``, ``SIGNATURE_REQUIRED`` with
        what to sign.
        """
        row, fresh = self._announce(identifier, public_key)
        if not self._bound(row, fresh):
            self._anchor_first()
            self._acting.act_as(identifier, rotate_account(fresh), signed)
        return self.settle(identifier)

    def bind(self, authority: str, identifier: str, public_key: str, signed: SignedRequest | None = None) -> Party:
        """Bind a further key to the party, as an authority, of any suite.

        The party goes on acting by the key it has; one that has had no key of secp256k1 acts by the first of these.
        Raises as ``rotate``.
        """
        row, fresh = self._announce(identifier, public_key, ANY_SUITE)
        if not self._bound(row, fresh):
            self._acting.act_as(authority, bind_account(self._number(identifier), fresh), signed)
        return self.settle(identifier)

    def retire(self, identifier: str, account: str, signed: SignedRequest | None = None) -> Party:
        """Retire another account than the one the party acts by; the party's own act. Raises ``Conflict``."""
        record = self._reader.account(account)
        if record is None or record.party_no != self._number(identifier) or not record.valid_to:
            self._anchor_first()
            self._acting.act_as(identifier, retire_account(account), signed)
        return self.settle(identifier)

    def recover(
        self,
        authority: str,
        identifier: str,
        public_key: str,
        compromised_at: int = 0,
        lost: str | None = None,
        signed: SignedRequest | None = None,
    ) -> Party:
        """Replace a party's lost key, as an authority; from ``compromised_at`` (0: never) it counts for nothing.

        ``lost`` is the account to replace if it is not the one known here: a thief may have rotated the party's. The
        new key is of the suite of the lost one.
        """
        row, fresh = self._announce(identifier, public_key, (self._suite_of(identifier, lost),))
        if not self._bound(row, fresh):
            if not compromised_at:
                self._anchor_first()
            call = recover_account(self._number(identifier), lost or row.account, fresh, compromised_at)
            self._acting.act_as(authority, call, signed)
        return self.settle(identifier)

    def report_compromise(
        self, authority: str, identifier: str, account: str, compromised_at: int, signed: SignedRequest | None = None
    ) -> Party:
        """Say, as an authority, that a retired account of the party counted for nothing from ``compromised_at`` on.

        A time reported before is moved to an earlier one, never to a later (``InvalidInput``
        ``PARTY_COMPROMISE_TIME``). A live account has to be recovered (``Conflict`` ``PARTY_ACCOUNT_LIVE``).
        """
        number, record = self._number(identifier), self._reader.account(account)
        if record is None or (record.party_no, record.compromised_at) != (number, compromised_at):
            self._acting.act_as(authority, report_compromise(number, account, compromised_at), signed)
        return self.settle(identifier)

    def settle(self, identifier: str) -> Party:
        """Bring the party's keys here in line with the chain: what a crash, or the party by itself, left behind."""
        with self._database.read() as session:
            number, accounts = party(session, identifier).no, [key.account for key in party_keys(session, identifier)]
        found = {account: self._reader.account(account) for account in accounts}
        bound = {account: record for account, record in found.items() if record and record.party_no == number}
        with self._database.write() as session:
            row = party(session, identifier)
            for account, record in bound.items():
                _take_over(session.get_one(PartyKey, account), record)
            live = live_keys(session, identifier)
            by_suite = ([key for key in live if suite_of_key(key.public_key) is suite] for suite in FIRST_KEYS)
            acting = next((keys for keys in by_suite if keys), [])
            # The key that acts stays while it is in force; after it, the one that was bound last.
            if acting and row.account not in {key.account for key in acting}:
                row.account, row.public_key = acting[-1].account, acting[-1].public_key
        return row

    def history(self, identifier: str) -> list[PartyKey]:
        """Every key that is or was the party's, the earliest first."""
        with self._database.read() as session:
            return party_keys(session, identifier)

    def _announce(self, identifier: str, public_key: str, suites: Collection[Suite] = (ES256K,)) -> tuple[Party, str]:
        """The key is written down before the chain takes it, so that a crash between does not lose it."""
        fresh = account_of_public_key(check_public_key(public_key, where="public_key", suites=suites))
        with self._database.write() as session:
            row = party(session, identifier)
            party_no(session, identifier)
            require_free(session, fresh, identifier)
            known = session.get(PartyKey, fresh)
            if known is None or known.party_id != identifier:
                session.merge(PartyKey(account=fresh, party_id=identifier, public_key=public_key, bound_at=None))
        return row, fresh

    def _anchor_first(self) -> None:
        """What the old key signed counts if it is anchored while the key is in force: in an earlier second."""
        self._anchoring.flush()
        time.sleep(BLOCK_TIME_STEP)

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)

    def _suite_of(self, identifier: str, account: str | None) -> Suite:
        with self._database.read() as session:
            keys = {key.account: suite_of_key(key.public_key) for key in party_keys(session, identifier)}
            return keys.get(account or party(session, identifier).account, ES256K)

    def _bound(self, row: Party, account: str) -> bool:
        record = self._reader.account(account)
        return record is not None and record.party_no == row.no and not record.valid_to


def _take_over(key: PartyKey, record: AccountRecord) -> None:
    key.bound_at = record.valid_from
    key.retired_at = record.valid_to or None
    key.compromised_at = record.compromised_at or None
