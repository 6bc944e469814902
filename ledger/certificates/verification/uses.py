"""Send uses to the chain, where they are counted; one transaction can have many uses.

The contract counts a use only if the consumer's own key signed it.

The consumer's own installation sends uses from the consumer's account. If this installation keeps the consumer's key,
that key signs, and the operator's account sends the transaction and pays. Any other consumer receives a message to
sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import record_use, record_uses_for
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import Conflict
from ledger.parties.custody import Custody
from ledger.proof.acts import sign_act, uses_message


class WantedUse(NamedTuple):
    """A use that is to be counted: the presentation's id, the request's statement digest (hex), the ordinal, and the
    last second (UTC) at which the chain counts it.
    """

    presentation: str
    request: str
    ordinal: int
    deadline: int


@dataclass(frozen=True, slots=True)
class UseToSign:
    """A use that the consumer must sign. Once the key of ``account`` has signed ``message``, anybody may send the use.

    ``presentation`` is an id and ``request`` a statement digest (hex). After ``deadline`` (seconds UTC) the chain no
    longer counts the use.
    """

    presentation: str
    account: str
    request: str
    ordinal: int
    deadline: int
    message: bytes


@dataclass(eq=False, repr=False)
class Uses:
    """Sends uses to the chain.

    ``own`` is the party to which the account of ``client`` belongs; ``accounts`` returns a party's current account.
    """

    _client: ChainClient
    _reader: ChainReader
    _custody: Custody
    _own: str
    _accounts: Callable[[str], str]

    def signs_for(self, consumer: str) -> bool:
        """Return whether this installation keeps the consumer's key; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        return consumer == self._own or self._accounts(consumer) in self._custody

    def require_key_of(self, consumer: str) -> None:
        """Raise ``Conflict`` ``ACT_SIGNATURE_REQUIRED`` unless this installation keeps the consumer's key."""
        if not self.signs_for(consumer):
            raise Conflict(
                "ACT_SIGNATURE_REQUIRED",
                "The consumer must sign this use with its own key.",
                where=f"party {consumer}",
                hint="Send the presentation: the answer contains the use. "
                "Sign the message of the use, and send the signature.",
            )

    def to_sign(self, consumer: str, wanted: Sequence[WantedUse]) -> list[UseToSign]:
        """Return the uses, each with the message that the consumer must sign with the key of the consumer's current
        account.
        """
        account = self._client.account if consumer == self._own else self._accounts(consumer)
        return [
            UseToSign(
                presentation=use.presentation,
                account=account,
                request=use.request,
                ordinal=use.ordinal,
                deadline=use.deadline,
                message=self._message(account, use.deadline, [use]),
            )
            for use in wanted
        ]

    def send(self, uses: Sequence[UseToSign], signature: bytes | None, announce: Announce) -> Receipt:
        """Send uses in one transaction, with the consumer's signature. All of them must have the same account and the
        same deadline. Without a signature, this installation must keep the consumer's key.

        Raises ``Conflict`` ``LOG_USE_OUT_OF_ORDER``, ``LOG_SIGNATURE_EXPIRED``, ``Forbidden``
        ``LOG_SIGNATURE_INVALID``, and the errors of ``ChainClient.send``. The contract ignores a signed use whose
        ordinal is not the next ordinal of the request; ``counted`` does not return such a use.
        """
        account, deadline = uses[0].account, uses[0].deadline
        if signature is None and account == self._client.account and len(uses) == 1:
            return self._client.send(record_use(uses[0].request, uses[0].ordinal), announce=announce)
        if signature is None:
            message = uses[0].message if len(uses) == 1 else self._message(account, deadline, uses)
            signature = sign_act(message, self._custody.signer(account))
        signed = record_uses_for(account, [(use.request, use.ordinal) for use in uses], deadline, signature)
        return self._client.send(signed, announce=announce)

    def counted(self, receipt: Receipt, consumer: str) -> set[tuple[str, int]]:
        """Return the uses (request, ordinal) of the consumer that the contract counted in the transaction."""
        uses = [event.args for event in receipt.named("Used")]
        if not uses:
            return set()
        number = self._reader.party_no(consumer)
        return {(use["request"], use["ordinal"]) for use in uses if use["consumer"] == number}

    def _message(self, account: str, deadline: int, uses: Sequence[WantedUse | UseToSign]) -> bytes:
        return uses_message(self._reader.chain, account, deadline, [(use.request, use.ordinal) for use in uses])

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt of a transaction, or None if no block contains the transaction."""
        return self._client.receipt(tx_hash)

    def waits(self, tx_hash: str) -> bool:
        """Return whether the transaction is at the node but not in a block yet."""
        return self._client.waits(tx_hash)
