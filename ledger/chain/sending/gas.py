"""Computes the gas limit of a call about a whole set from the size of the set, so that no node has to estimate the gas.

To estimate the gas, a node executes the call, often several times. For a set, this takes longer than the transaction
itself. The limits in this module are at least a fifth above the gas that the contracts use (docs/gas.md). Gas that is
not used is not paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from ledger.chain.contracts.deployment import ASSET_REGISTRY, PARTY_REGISTRY
from ledger.chain.sending.calls import Call

T = TypeVar("T")

MOST: Final = 2**24
"""The most gas that a transaction may have on chains with EIP-7825."""
# On every chain, a block can have at least this much gas. So the gas limit of a block is read only for sets that need
# more.
_SMALL: Final = 3_000_000
# The maximum number of bytes of call data for one member of a set in ``_SETS``.
_MEMBER_BYTES: Final = 128

# For each function that takes a set: the gas of a call with an empty set, and the additional gas for each member of a
# set.
_SETS: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    (ASSET_REGISTRY, "registerMany"): (150_000, 96_000),
    (ASSET_REGISTRY, "advance"): (100_000, 24_000),
    (ASSET_REGISTRY, "confirmMany"): (100_000, 24_000),
}
_CONFIRM: Final = 200_000
_PARTY: Final = 60_000
# The gas of each key of a new party, by the number of bytes of the key's proof: 0 for SM2, 64 for ES256K, 128 for
# ES256. ES256 costs most because, on a chain without a precompiled contract for P-256, contract code checks the
# signature.
_KEY: Final[Mapping[int, int]] = {0: 70_000, 64: 80_000, 128: 500_000}
_FORWARD: Final = 80_000
_CALLDATA: Final = 20


def known_gas(call: Call) -> int | None:
    """Return a gas limit for the call, or None if the gas does not follow from the size of a set."""
    if (call.contract, call.function) in _SETS:
        base, each = _SETS[call.contract, call.function]
        return base + each * len(call.args[0])
    if (call.contract, call.function) == (PARTY_REGISTRY, "confirm"):
        confirmed = call.args[1]
        if isinstance(confirmed, Call) and (confirmed.contract, confirmed.function) == (PARTY_REGISTRY, "register"):
            return _CONFIRM + sum(registration_gas(proof for _, proof in keys) for _, keys, _ in confirmed.args[0])
    return None


def divided_set(
    contract: str, function: str, items: Sequence[T], most: int, block_gas: Callable[[], int]
) -> Iterator[Sequence[T]]:
    """Divide a set into parts of at most ``most`` members, each of which fits into one forwarded transaction.
    ``function`` must be a contract function that takes a set of assets.

    ``block_gas`` returns the gas limit of a block, and is called only for large sets.
    """
    base, each = _SETS[contract, function]
    if base + each * min(len(items), most) > _SMALL:
        left = min(MOST, block_gas()) - forwarded_gas(base, 1024)
        most = max(1, min(most, left // (forwarded_gas(each, _MEMBER_BYTES) - _FORWARD + 1)))
    for start in range(0, len(items), most):
        yield items[start : start + most]


def registration_gas(proofs: Iterable[str]) -> int:
    """Return the gas limit for one party of a list. ``proofs`` are the proofs (hex) of the party's keys."""
    return _PARTY + sum(_KEY.get(len(proof) // 2, max(_KEY.values())) for proof in proofs)


def forwarded_gas(inner: int, payload: int) -> int:
    """Return the gas limit of a transaction that makes a call through the forwarder.

    ``inner`` is the gas limit of the call, and ``payload`` the number of bytes of the transaction's data. By EIP-150, a
    call gets at most 63/64 of the remaining gas, so the transaction needs more.
    """
    return inner + inner // 63 + _FORWARD + _CALLDATA * payload


def within_one_transaction(
    items: Sequence[T], gas_of: Callable[[T], int], bytes_of: Callable[[T], int], block_gas: int
) -> Iterator[Sequence[T]]:
    """Divide the items, in the given order, into as few parts as possible, each of which fits into one forwarded
    transaction.

    ``gas_of`` and ``bytes_of`` return the gas and the call data of one item, ``block_gas`` is the gas limit of a block.
    """
    most, start, gas, size = min(MOST, block_gas), 0, _CONFIRM, 1024
    for place, item in enumerate(items):
        gas, size = gas + gas_of(item), size + bytes_of(item)
        if place > start and forwarded_gas(gas, size) > most:
            yield items[start:place]
            start, gas, size = place, _CONFIRM + gas_of(item), 1024 + bytes_of(item)
    if items:
        yield items[start:]
