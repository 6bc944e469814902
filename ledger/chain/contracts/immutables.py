"""Checks the immutables, the values that a constructor writes into the runtime code of a contract.

The immutables say to which ledger a contract belongs, and which other contracts the contract uses. Immutables differ
between deployments, so the comparison of the code leaves them out. Here each immutable is compared with the value that
it must have. Without this check, a contract with our code could use a second, secret party registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from eth_utils.crypto import keccak

from ledger.proof.bundle import ChainId

FORWARDER_NAME: Final = "Pingzheng/0x{origin}"
FORWARDER_VERSION: Final = "1"
WORD_BYTES: Final = 32
NOTICE_BITS: Final = 40
_DOMAIN: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
# OpenZeppelin's EIP712 writes this value in place of a name longer than 31 bytes, and keeps the name in storage.
_LONG_NAME: Final = (0xFF).to_bytes(WORD_BYTES, "big")
_SHORT_VERSION: Final = FORWARDER_VERSION.encode().ljust(WORD_BYTES - 1, b"\0") + bytes([len(FORWARDER_VERSION)])

Immutable = tuple[str, Callable[[bytes, ChainId], bool]]


def address_word(address: str) -> bytes:
    """Return an address as a 32-byte word, as ``abi.encode`` writes it."""
    return bytes.fromhex(address.removeprefix("0x")).rjust(WORD_BYTES, b"\0")


def _chain_word(chain: ChainId) -> bytes:
    return chain.chain_id.to_bytes(WORD_BYTES, "big")


def _name_hash(chain: ChainId) -> bytes:
    return keccak(text=FORWARDER_NAME.format(origin=chain.origin))


def _domain_separator(chain: ChainId) -> bytes:
    hashes = keccak(text=_DOMAIN) + _name_hash(chain) + keccak(text=FORWARDER_VERSION)
    return keccak(hashes + _chain_word(chain) + address_word(chain.forwarder))


def _is(name: str, word: Callable[[ChainId], bytes]) -> Immutable:
    return name, lambda found, chain: found == word(chain)


_FORWARDER: Final = _is("forwarder", lambda chain: address_word(chain.forwarder))
_REGISTRY: Final = _is("party registry", lambda chain: address_word(chain.party_registry))
_ORIGIN: Final = _is("origin", lambda chain: bytes.fromhex(chain.origin))
_DELAY: Final = _is("delay", lambda chain: chain.delay.to_bytes(WORD_BYTES, "big"))
# Each ledger chooses its own shortest public notice, so any plausible number of seconds is accepted. A number that is
# too large for a notice, such as an address, is refused.
_NOTICE: Final[Immutable] = ("least notice", lambda found, _: int.from_bytes(found, "big") < 1 << NOTICE_BITS)

# The immutables are in the order of the artifacts: as declared in the sources, base contracts first.
_IMMUTABLES: Final[Mapping[str, Sequence[Immutable]]] = {
    "Forwarder": (
        _is("domain separator", _domain_separator),
        _is("chain id", _chain_word),
        _is("own address", lambda chain: address_word(chain.forwarder)),
        _is("hash of the name", _name_hash),
        _is("hash of the version", lambda _: keccak(text=FORWARDER_VERSION)),
        _is("name", lambda _: _LONG_NAME),
        _is("version", lambda _: _SHORT_VERSION),
        _ORIGIN,
    ),
    "PartyRegistry": (_FORWARDER, _ORIGIN, _DELAY),
    "AssetRegistry": (_FORWARDER, _NOTICE, _REGISTRY, _ORIGIN),
    "CertificateLog": (_FORWARDER, _REGISTRY, _ORIGIN),
}


def wrong_immutable(
    contract: str, groups: Sequence[Sequence[tuple[int, int]]], code: bytes, chain: ChainId
) -> str | None:
    """Return the name of the first immutable that has a wrong value for this ledger, or None if all values are right.

    For each immutable, ``groups`` lists its places (start, length) in the runtime code. The value must be the same at
    all its places.
    """
    for (name, fits), places in zip(_IMMUTABLES[contract], groups, strict=True):
        words = {code[start : start + length] for start, length in places}
        if len(words) != 1 or not fits(words.pop(), chain):
            return name
    return None
