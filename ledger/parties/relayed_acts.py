"""Letting a party act on the chain: it signs, the service relays and pays, the contracts see the party."""

from __future__ import annotations

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import Call
from ledger.chain.sending.relay import ForwardRequest, Relay, SignedRequest, sign_request
from ledger.chain.sending.sender import Receipt
from ledger.domain.days import Clock
from ledger.errors import Conflict, Forbidden
from ledger.parties.custody import Custody
from ledger.parties.lookups import party
from ledger.parties.tables import PartyKey
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256K, suite_of_key
from ledger.store.database import Database

REQUEST_SECONDS = 3600
NONCE_ATTEMPTS = 10
NONCE_TAKEN = ("REQUEST_SIGNATURE_INVALID", "ERC2771_FORWARDER_INVALID_SIGNER")


def account_is_of(reader: ChainReader, account: str, party: str) -> bool:
    """Whether the chain knows the account as that party's, live or not.

    To be asked before a key that is kept here signs at somebody's call: the call may name any account.
    """
    record = reader.account(account)
    return record is not None and record.party_no == reader.party_no(party)


class RelayedActs:
    """Relays what parties sign; signs for those alone whose key this installation keeps (demonstrations)."""

    def __init__(self, relay: Relay, custody: Custody, database: Database, clock: Clock) -> None:
        self._relay = relay
        self._custody = custody
        self._database = database
        self._clock = clock

    def act_as(self, identifier: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` as the party with that id, from its present account; raises as ``act``, and ``NotFound``."""
        with self._database.read() as session:
            account = party(session, identifier).account
        return self.act(account, call, signed)

    def holds(self, account: str) -> bool:
        """Whether the account's key is kept here."""
        return account in self._custody

    def signer(self, account: str) -> Signer:
        """Signs as that account; raises ``Misconfigured`` ``KEY_NOT_HELD``."""
        return self._custody.signer(account)

    def act(self, account: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` as ``account``.

        Raises ``Conflict`` ``SIGNATURE_REQUIRED`` with the EIP-712 ``typed_data`` to sign, if no signature was
        given and the key is not held here; ``SIGNED_CALL_DIFFERS`` if another call was signed; ``KEY_CANNOT_ACT`` for
        an account whose key is not of secp256k1.
        """
        self._require_able(account)
        if signed is not None:
            if not self._relay.covers(signed, account, call):
                raise Conflict(
                    "SIGNED_CALL_DIFFERS",
                    "The signed request is not for this call by this account.",
                    hint="Sign the typed data that the unsigned call was answered with.",
                )
            return self._relay.submit(signed)
        if account in self._custody:
            return self._sign_and_submit(account, call)
        raise Conflict(
            "SIGNATURE_REQUIRED",
            "The party must sign this call with its own key.",
            hint="Sign `typed_data` (EIP-712) and send the call again with `signed_request`.",
            typed_data=dict(self._prepare(account, call).typed_data),
        )

    def _require_able(self, account: str) -> None:
        with self._database.read() as session:
            key = session.get(PartyKey, account)
        if key is not None and suite_of_key(key.public_key) is not ES256K:
            raise Conflict(
                "KEY_CANNOT_ACT",
                "The party's key is not of secp256k1: it signs statements, uses and withdrawals, and no other act.",
                where=f"account {account}",
                hint="An authority binds a secp256k1 key to the party; then the party acts by that one.",
            )

    def _sign_and_submit(self, account: str, call: Call) -> Receipt:
        key = self._custody.private_key(account)
        for _ in range(NONCE_ATTEMPTS - 1):
            try:
                return self._relay.submit(sign_request(self._prepare(account, call), key))
            except Forbidden as refusal:
                # Another call of the same party took the nonce, and may have changed what the contract says to this.
                if refusal.code not in NONCE_TAKEN:
                    raise
        return self._relay.submit(sign_request(self._prepare(account, call), key))

    def _prepare(self, account: str, call: Call) -> ForwardRequest:
        return self._relay.prepare(account, call, self._clock() + REQUEST_SECONDS)
