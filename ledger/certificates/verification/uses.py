"""Counting uses on the chain in the name of their consumer: nobody counts a use for somebody else.

The installation of the consumer itself sends uses from its own account. Where the consumer's key is in custody, it
signs, and the operator's account sends and pays. Any other consumer signs by itself what it is given to sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import record_use, record_uses_for
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import Conflict
from ledger.parties.custody import Custody
from ledger.proof.acts import sign_act, uses_message


@dataclass(frozen=True, slots=True)
class UseToSign:
    """A use of a consumer, and ``message``: what the key of ``account`` signs so that anybody may have it counted.

    ``presentation`` is its id, ``request`` a statement digest, ``deadline`` the last second (UTC) in which it counts.
    """

    presentation: str
    account: str
    request: str
    ordinal: int
    deadline: int
    message: bytes


class Uses:
    """Sends uses. ``own`` is the party of ``client``'s account; ``accounts`` gives any party's present account."""

    def __init__(
        self,
        client: ChainClient,
        reader: ChainReader,
        custody: Custody,
        own: str,
        accounts: Callable[[str], str],
    ) -> None:
        self._client = client
        self._reader = reader
        self._custody = custody
        self._own = own
        self._accounts = accounts

    def signs_for(self, consumer: str) -> bool:
        """Whether a use of the consumer can be counted without asking it; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        return consumer == self._own or self._accounts(consumer) in self._custody

    def require_key_of(self, consumer: str) -> None:
        """Raise ``Conflict`` ``ACT_SIGNATURE_REQUIRED`` unless a use of the consumer can be counted without it."""
        if not self.signs_for(consumer):
            raise Conflict(
                "ACT_SIGNATURE_REQUIRED",
                "The consumer must sign this use with its own key.",
                where=f"party {consumer}",
                hint="Let the use be proposed, sign its message, and hand the signature in.",
            )

    def to_sign(self, presentation: str, consumer: str, request: str, ordinal: int, deadline: int) -> UseToSign:
        """The use, with what the consumer signs by its present account."""
        account = self._client.account if consumer == self._own else self._accounts(consumer)
        message = uses_message(self._reader.chain, account, deadline, [(request, ordinal)])
        return UseToSign(presentation, account, request, ordinal, deadline, message)

    def send(self, use: UseToSign, signature: bytes | None, announce: Announce) -> Receipt:
        """Send a use with the signature of its consumer; without one, the consumer's key is here.

        Raises ``Conflict`` ``LOG_USE_OUT_OF_ORDER``, ``LOG_SIGNATURE_EXPIRED``, ``Forbidden``
        ``LOG_SIGNATURE_INVALID``, and what ``ChainClient.send`` raises. A signed use that is not the next one is
        skipped: ``counted`` says so.
        """
        if signature is None and use.account == self._client.account:
            return self._client.send(record_use(use.request, use.ordinal), announce=announce)
        if signature is None:
            signature = sign_act(use.message, self._custody.signer(use.account))
        signed = record_uses_for(use.account, [(use.request, use.ordinal)], use.deadline, signature)
        return self._client.send(signed, announce=announce)

    def counted(self, receipt: Receipt, consumer: str, request: str, ordinal: int) -> bool:
        """Whether a transaction counted this very use of the consumer."""
        uses = [event.args for event in receipt.named("Used")]
        if not any((use["request"], use["ordinal"]) == (request, ordinal) for use in uses):
            return False
        number = self._reader.party_no(consumer)
        return any((use["consumer"], use["request"], use["ordinal"]) == (number, request, ordinal) for use in uses)

    def receipt(self, tx_hash: str) -> Receipt | None:
        """A transaction in its block, by the hash that was announced."""
        return self._client.receipt(tx_hash)

    def waits(self, tx_hash: str) -> bool:
        """Whether the node holds the transaction for a block to come."""
        return self._client.waits(tx_hash)
