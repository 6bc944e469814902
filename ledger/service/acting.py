"""Letting a party act on the chain: it signs, the service relays and pays, the contracts see the party."""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain.calls import Call
from ledger.chain.relay import Relay, SignedRequest, sign_request
from ledger.chain.sender import Receipt
from ledger.errors import Conflict
from ledger.service.keys import Custody
from ledger.store.database import Database
from ledger.store.records import party

REQUEST_SECONDS = 3600


class Acting:
    """Relays what parties sign; signs for those alone whose key this installation keeps (demonstrations)."""

    def __init__(self, relay: Relay, custody: Custody, database: Database, clock: Callable[[], int]) -> None:
        self._relay = relay
        self._custody = custody
        self._database = database
        self._clock = clock

    def act_as(self, identifier: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` as the party with that id, from its present account; raises as ``act``, and ``NotFound``."""
        with self._database.read() as session:
            account = party(session, identifier).account
        return self.act(account, call, signed)

    def act(self, account: str, call: Call, signed: SignedRequest | None = None) -> Receipt:
        """Send ``call`` as ``account``.

        Raises ``Conflict`` ``SIGNATURE_REQUIRED`` with the EIP-712 ``typed_data`` to sign, if no signature was
        given and the key is not held here; ``SIGNED_CALL_DIFFERS`` if another call was signed.
        """
        if signed is not None:
            if not self._relay.covers(signed, account, call):
                raise Conflict(
                    "SIGNED_CALL_DIFFERS",
                    "The signed request is not for this call by this account.",
                    hint="Sign the typed data that the unsigned call was answered with.",
                )
            return self._relay.submit(signed)
        prepared = self._relay.prepare(account, call, self._clock() + REQUEST_SECONDS)
        if account in self._custody:
            return self._relay.submit(sign_request(prepared, self._custody.private_key(account)))
        raise Conflict(
            "SIGNATURE_REQUIRED",
            "The party must sign this call with its own key.",
            hint="Sign `typed_data` (EIP-712) and send the call again with `signed_request`.",
            typed_data=dict(prepared.typed_data),
        )
