"""Acts of parties on the chain: the party signs, the service sends and pays, the contracts see the party as sender."""

from __future__ import annotations

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import Call
from ledger.chain.sending.relay import Relay, SignedRequest
from ledger.chain.sending.sender import Receipt
from ledger.domain.days import Clock
from ledger.errors import Conflict, Forbidden
from ledger.parties.custody import Custody
from ledger.parties.lookups import party
from ledger.parties.roles import Actor
from ledger.parties.tables import PartyKey
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256K, suite_of_key
from ledger.store.database import Database

REQUEST_SECONDS = 3600
NONCE_ATTEMPTS = 10
NONCE_TAKEN = ("REQUEST_SIGNATURE_INVALID", "ERC2771_FORWARDER_INVALID_SIGNER")


def account_is_of(reader: ChainReader, account: str, party: str) -> bool:
    """Return whether the account belongs, or once belonged, to the party on the chain.

    Call this before a key that is kept here signs for a caller: a caller can name any account, even an account of
    another party.
    """
    record = reader.account(account)
    return record is not None and record.party_no == reader.party_no(party)


class RelayedActs:
    """Sends the signed acts of parties to the chain.

    An act is signed here only if this installation keeps the party's key, as in demonstrations.
    """

    def __init__(self, relay: Relay, custody: Custody, database: Database, clock: Clock) -> None:
        self._relay = relay
        self._custody = custody
        self._database = database
        self._clock = clock

    def act_as(self, identifier: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` from the party's present account; raises the errors of ``act``, and ``NotFound``."""
        with self._database.read() as session:
            account = party(session, identifier).account
        return self.act(account, call, signed)

    def act_by(self, actor: Actor, call: Call) -> Receipt:
        """Send ``call`` as ``act_as`` does, with the request that the actor signed."""
        return self.act_as(actor.party, call, actor.signed)

    def holds(self, account: str) -> bool:
        """Return whether the account's key is kept here."""
        return account in self._custody

    def signer(self, account: str) -> Signer:
        """Return the signer of that account; raises ``Misconfigured`` ``KEY_NOT_HELD``."""
        return self._custody.signer(account)

    def act(self, account: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` in the name of ``account``.

        Raises ``Conflict`` ``SIGNATURE_REQUIRED`` with the EIP-712 ``typed_data`` to sign, if ``signed`` is missing and
        the key is not kept here; ``SIGNED_CALL_DIFFERS`` if ``signed`` is for another call; ``KEY_CANNOT_ACT`` if the
        account's key is not a secp256k1 key.
        """
        self._require_able(account)
        if signed is not None:
            if not self._relay.covers(signed, account, call):
                raise Conflict(
                    "SIGNED_CALL_DIFFERS",
                    "The signed request is not for this call by this account.",
                    hint="Make the call without a signature, and sign the typed data in the answer.",
                )
            return self._relay.submit(signed)
        if account in self._custody:
            return self._sign_and_submit(account, call)
        raise Conflict(
            "SIGNATURE_REQUIRED",
            "The party must sign this call with its own key.",
            hint="Sign `typed_data` (EIP-712) and send the call again with `signed_request`.",
            typed_data=dict(self._relay.prepare(account, call, self._deadline()).typed_data),
        )

    def _require_able(self, account: str) -> None:
        with self._database.read() as session:
            key = session.get(PartyKey, account)
        if key is not None and suite_of_key(key.public_key) is not ES256K:
            raise Conflict(
                "KEY_CANNOT_ACT",
                "The party's key is not a secp256k1 key: it can sign only statements, uses and withdrawals.",
                where=f"account {account}",
                hint="Let an authority bind a secp256k1 key to the party; the party then acts with that key.",
            )

    def _sign_and_submit(self, account: str, call: Call) -> Receipt:
        key = self._custody.private_key(account)
        for _ in range(NONCE_ATTEMPTS - 1):
            try:
                return self._relay.act(account, call, self._deadline(), key)
            except Forbidden as refusal:
                # Another call of the same party has used the nonce, so this call is prepared and sent again. It may be
                # refused this time, because the other call may have changed the state of the contract.
                if refusal.code not in NONCE_TAKEN:
                    raise
        return self._relay.act(account, call, self._deadline(), key)

    def _deadline(self) -> int:
        return self._clock() + REQUEST_SECONDS
