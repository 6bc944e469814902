"""A data subject withdraws its consent on the chain by itself: with a bundle, a node and its own key, and no service.

    withdraw_by_itself(bundle, url, key) → what was withdrawn

Nothing is sent before the node has shown that it serves the bundle's chain with our contracts, and the bundle that the
consents stand where it says: a bundle that names another place cannot make the subject withdraw something else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ledger.chain import calls
from ledger.chain.calls import Call
from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.deployment import deployment_of
from ledger.chain.reader import ChainReader
from ledger.chain.records import AccountRecord
from ledger.chain.relay import Relay, sign_request
from ledger.chain.sender import Receipt
from ledger.errors import BadBundle, Forbidden, NotFound
from ledger.proof.bundle import Anchor, Bundle, Evidence, Position
from ledger.proof.head import event_digest
from ledger.proof.merkle import leaf_hash, verify_inclusion

RELAY_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class DirectWithdrawal:
    """An authorization (by its id) that its subject withdrew ``at`` (seconds UTC); ``receipt`` is ``None`` if it had
    done so before."""

    authorization: str
    position: Position
    at: int
    receipt: Receipt | None


def withdraw_by_itself(
    bundle: Bundle, url: str, private_key: bytes, *, authorization: str | None = None, payer: bytes | None = None
) -> tuple[DirectWithdrawal, ...]:
    """Withdraw the subject's authorizations in a bundle, or the one with that id; those withdrawn before stay as told.

    The subject's account sends and pays; with ``payer``, another account's key, that one relays what the subject signs
    and pays. If it ends half way, doing it again does the rest. Raises ``Forbidden`` ``SIGNER_NOT_SUBJECT`` or
    ``PARTY_UNKNOWN_ACCOUNT``, ``NotFound`` ``AUTHORIZATION_UNKNOWN``, ``BadBundle`` where the bundle lies,
    ``ChainUnavailable`` or ``Misconfigured`` where the node is not of the bundle's chain, and ``Misconfigured``
    ``ACCOUNT_WITHOUT_FUNDS``.
    """
    connection = Connection(url)
    client = ChainClient(connection, deployment_of(connection, bundle.chain), private_key.hex())
    reader = ChainReader(client)
    account = _live(reader, client.account)
    consents = _consents(bundle, reader.party_id(account.party_no), authorization)
    anchors = [_proven(bundle, reader, evidence) for evidence in consents]
    made: list[DirectWithdrawal] = []
    for evidence, anchor in zip(consents, anchors, strict=True):
        identifier, position = str(evidence.statement.get("id")), evidence.position
        receipt = None
        at = _since(reader, position, account.party_no, anchor)
        if at is None:
            receipt = _send(client, calls.withdraw(position.batch, position.index), private_key, payer)
            at = receipt.time
        made.append(DirectWithdrawal(identifier, position, at, receipt))
    return tuple(made)


def _live(reader: ChainReader, account: str) -> AccountRecord:
    record = reader.account(account)
    if record is None or record.valid_to:
        raise Forbidden(
            "PARTY_UNKNOWN_ACCOUNT",
            "The key's account acts for no party on this chain.",
            where=account,
            hint="Use the party's present key; the authority can bind a new one in place of a lost one.",
        )
    return record


def _consents(bundle: Bundle, subject: str, authorization: str | None) -> list[Evidence]:
    found = [
        item
        for item in bundle.evidence
        if item.statement.get("type") == "authorization" and authorization in (None, item.statement.get("id"))
    ]
    if not found:
        raise NotFound(
            "AUTHORIZATION_UNKNOWN",
            "The bundle holds no such authorization.",
            where="evidence",
            hint="Take the bundle of a usage certificate that rests on it.",
        )
    own = [item for item in found if item.statement.get("subject") == subject]
    if not own:
        raise Forbidden(
            "SIGNER_NOT_SUBJECT",
            "The authorization is of another subject than the key's party.",
            where="evidence",
            hint="Only the data subject can withdraw; anyone else's withdrawal would have no effect.",
        )
    return own


def _proven(bundle: Bundle, reader: ChainReader, evidence: Evidence) -> Anchor:
    """The anchor of the entry's batch, if the entry is where the bundle says and the chain holds that batch."""
    where = evidence.position
    anchor = next((each for each in bundle.anchors if each.batch == where.batch), None)
    leaf = leaf_hash(evidence.entry.encode())
    if anchor is None or not verify_inclusion(anchor.root, leaf, where.index, anchor.size, evidence.proof):
        raise _lying("NOT_INCLUDED", "The authorization is not where the bundle says.")
    if event_digest("CertificateLog.Anchored", anchor.event_args()).hex() != reader.commitment(where.batch):
        raise _lying("ANCHOR_DIFFERS", "The chain holds another batch than the bundle says.")
    return anchor


def _since(reader: ChainReader, where: Position, number: int, anchor: Anchor) -> int | None:
    if not reader.withdrawn_by(where.batch, where.index, number):
        return None
    block = reader.block_number()
    history = reader.withdrawal_history(where.batch, where.index, block=block, parties=(number,), since=anchor.at)
    return next(each.at for each in history if each.party_no == number)


def _send(client: ChainClient, call: Call, private_key: bytes, payer: bytes | None) -> Receipt:
    if payer is None:
        return client.send(call)
    relay = Relay(client.with_account(payer.hex()))
    # A local chain may be ahead of this machine's clock, and an idle one's newest block is old.
    now = max(int(time.time()), ChainReader(client).latest().time)
    return relay.submit(sign_request(relay.prepare(client.account, call, now + RELAY_SECONDS), private_key))


def _lying(code: str, message: str) -> BadBundle:
    return BadBundle(code, message, where="evidence", hint="Nothing was sent. Ask for the bundle again.")
