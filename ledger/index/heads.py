"""Compute heads (running digests of events) from the events in the index, and compare them with the heads in the
contracts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, Deployment
from ledger.chain.reading.reader import ChainReader
from ledger.errors import ChainUnavailable
from ledger.index.tables import EVENTS
from ledger.proof.head import event_digest, fold, genesis

WHOLE_CONTRACT: Final = ""
ChainHeads = Mapping[tuple[str, str], str]
"""Maps (contract, scope) to a head of 64 hex digits; the head is empty before the contract was deployed."""

_ALWAYS_COMPARED: Final = ((PARTY_REGISTRY, WHOLE_CONTRACT), (CERTIFICATE_LOG, WHOLE_CONTRACT))


def scope_of(event: Event) -> str:
    """Return the scope of the head that an event changes: the asset's id for the head of an asset, an empty text for
    the head of the whole contract.
    """
    return str(event.args["id"]) if event.contract == ASSET_REGISTRY else WHOLE_CONTRACT


def heads_of(reader: ChainReader, events: Sequence[Event], block: int) -> ChainHeads:
    """Read heads from the chain as of a block: the head of each contract, and of each asset that the events name."""
    keys = sorted({*_ALWAYS_COMPARED, *((event.contract, scope_of(event)) for event in events)})
    found = reader.heads([(contract, scope or None) for contract, scope in keys], block=block)
    return dict(zip(keys, found, strict=True))


class HeadBook:
    """Computes the new heads (running digests of events) from the stored heads and the new events, within one
    transaction.
    """

    def __init__(self, connection: Connection, deployment: Deployment) -> None:
        self._connection = connection
        self._deployment = deployment
        self._heads: dict[tuple[str, str], bytes] = {}

    def fold(self, event: Event) -> str:
        """Add an event to the head that it changes, and return the new head (64 hex digits). Call this for the events
        in the order of the chain.
        """
        key = (event.contract, scope_of(event))
        digest = event_digest(f"{event.contract}.{event.name}", event.args)
        self._heads[key] = fold(self._head(key), digest)
        return self._heads[key].hex()

    def compare(self, found: ChainHeads, block: int) -> None:
        """Compare the computed heads with the heads in the contracts as of a block.

        Raises ChainUnavailable INDEX_HEAD_MISMATCH, which names the first contract (and asset) whose heads differ.
        """
        for key, head in found.items():
            # At a block before its deployment, a contract has no head, and the index has no events of the contract.
            # This counts as a match.
            not_deployed = not head and self._head(key) == self._genesis(key)
            if self._head(key).hex() != head and not not_deployed:
                contract, scope = key
                raise ChainUnavailable(
                    "INDEX_HEAD_MISMATCH",
                    f"The node's events of {contract} do not match the hash chain that the contract stores.",
                    where=f"{contract} {scope}".rstrip(),
                    hint="The node has lost or hides events: use another node, then rebuild the index.",
                    contract=contract,
                    scope=scope,
                    block=block,
                )

    def _head(self, key: tuple[str, str]) -> bytes:
        if key not in self._heads:
            contract, scope = key
            stored = self._connection.scalar(
                select(EVENTS.c.head)
                .where(EVENTS.c.contract == contract, EVENTS.c.scope == scope)
                .order_by(EVENTS.c.block_number.desc(), EVENTS.c.log_index.desc())
                .limit(1)
            )
            self._heads[key] = bytes.fromhex(stored) if stored else self._genesis(key)
        return self._heads[key]

    def _genesis(self, key: tuple[str, str]) -> bytes:
        deployment, (contract, scope) = self._deployment, key
        return genesis(deployment.origin, deployment.chain_id, deployment.addresses[contract], scope or None)
