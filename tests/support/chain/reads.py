"""Reads of the contracts that only tests need."""

from __future__ import annotations

from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.reading.batched_calls import BlockTag
from ledger.chain.reading.reader import ChainReader
from ledger.proof.bundle import Position
from ledger.proof.facts import StatusFact, UseFact


def asset_by_fingerprint(reader: ChainReader, fingerprint: str, *, block: BlockTag = "latest") -> str | None:
    """Return the id of the asset that has this fingerprint, or None."""
    (word,) = reader.batched(block).read(ASSET_REGISTRY, "assetByFingerprint", fingerprint)()
    return word if int(word, 16) else None


def is_silent(reader: ChainReader, number: int) -> bool:
    """Return whether a party is silent: during the whole waiting period the party was closed, or had no key that may
    act for it.
    """
    return bool(reader.batched("latest").read(PARTY_REGISTRY, "isSilent", number)()[0])


def next_seq(reader: ChainReader, issuer: int) -> int:
    """Return the next sequence number of an issuer's log, which equals the number of anchored entries."""
    return reader.batched("latest").number(CERTIFICATE_LOG, "nextSeq", issuer)()


def state_of(reader: ChainReader, place: Position, *, block: BlockTag = "latest") -> str:
    """Return the state of a log position by the contract's status bits: ``active``, ``suspended`` or ``revoked``. Holds
    are ignored.
    """
    return reader.batched(block).state(place)()


def status_history(reader: ChainReader, place: Position, *, block: int) -> list[StatusFact]:
    """Return all status changes of a log position up to a block."""
    return reader.batched(block).status_history(place, reader.deploy_block, block)()


def uses_of(reader: ChainReader, consumer: int, request: str, *, block: BlockTag = "latest") -> int:
    """Return how many uses a consumer has recorded for a request."""
    return reader.batched(block).uses(consumer, request)()


def use_history(reader: ChainReader, consumer: int, request: str, *, block: int) -> list[UseFact]:
    """Return all uses that a consumer recorded for a request up to a block."""
    reads = reader.batched(block)
    return reads.use_history(consumer, request, reads.uses(consumer, request)(), reader.deploy_block, block)()
