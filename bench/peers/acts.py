"""The measured acts of the peers: other products with which this project is compared."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from web3 import Web3
from web3.contract import Contract

from bench.peers import packages
from bench.peers.client import Client

EAS_PACKAGE: Final = "@ethereum-attestation-service/eas-contracts"
TRADETRUST_PACKAGE: Final = "@tradetrust-tt/token-registry"
# An attestation or token of a compared product has 32 bytes of content, because this project anchors a digest of 32
# bytes for a certificate.
PAYLOAD_BYTES: Final = 32
ZERO: Final = bytes(32)
NOBODY: Final = "0x" + "00" * 20
MULTI: Final = (10, 100, 400)
# The numbers of attestations in one transaction on ganache, which needs many seconds for larger transactions.
MULTI_ON_GANACHE: Final = (10, 100)
ROOTS: Final = (1, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Act:
    """An act of a compared product. One call of ``do`` sends one transaction for ``set_size`` items, and returns its
    gas.

    ``limit`` is the number of calls that are possible; None if there is no limit.
    """

    name: str
    set_size: int
    do: Callable[[], int]
    limit: int | None = None


Group = Callable[[Client], Iterator[Act]]


def groups(tokens: int, multi: Sequence[int]) -> list[Group]:
    """Return functions that each deploy one compared product and yield the product's acts in order.

    Each function gets a new chain, because a node may become slower as its state grows. If all products ran on one
    chain, the product that is measured last would be slowed down by the products before it. ``tokens`` is how many
    tokens are minted and transferred. ``multi`` has the numbers of attestations to make in one transaction.
    """
    attesting = [partial(_attestations, size=size) for size in (1, *multi)]
    return [*attesting, partial(_title_escrows, tokens=tokens), partial(_tokens, tokens=tokens), _roots]


def _attestations(client: Client, size: int) -> Iterator[Act]:
    """Yield the acts of EAS. Its attestations contain one digest, can be revoked and do not expire."""
    registry = client.deploy(
        packages.published(EAS_PACKAGE, "artifacts/contracts/SchemaRegistry.sol/SchemaRegistry.json")
    )
    eas = client.deploy(packages.published(EAS_PACKAGE, "artifacts/contracts/EAS.sol/EAS.json"), registry.address)
    client.send(registry, "register", ["bytes32 digest", NOBODY, True])
    schema = Web3.solidity_keccak(["string", "address", "bool"], ["bytes32 digest", NOBODY, True])

    def item() -> tuple[Any, ...]:
        return (client.address, 0, True, ZERO, secrets.token_bytes(PAYLOAD_BYTES), 0)

    if size == 1:
        yield Act("EAS attest", 1, lambda: client.send(eas, "attest", [(schema, item())]))
    else:
        yield Act(
            "EAS multiAttest",
            size,
            lambda: client.send(eas, "multiAttest", [[(schema, [item() for _ in range(size)])]]),
        )


def _title_escrows(client: Client, tokens: int) -> Iterator[Act]:
    """Yield the acts of TradeTrust. Each token has a title escrow, which its holder transfers."""
    folder = "dist/artifacts"
    factory = client.deploy(
        packages.published(TRADETRUST_PACKAGE, f"{folder}/TitleEscrowFactory.sol/TitleEscrowFactory.json")
    )
    token = client.deploy(
        packages.published(TRADETRUST_PACKAGE, f"{folder}/TradeTrustToken.sol/TradeTrustToken.json"),
        "Bench",
        "B",
        factory.address,
    )
    escrow = packages.published(TRADETRUST_PACKAGE, f"{folder}/TitleEscrow.sol/TitleEscrow.json")
    made: list[int] = []

    def mint() -> int:
        made.append(int.from_bytes(secrets.token_bytes(PAYLOAD_BYTES), "big"))
        return client.send(token, "mint", [client.address, client.address, made[-1], b""])

    yield Act("TradeTrust mint", 1, mint, tokens)
    places = [client.at(escrow, factory.functions.getEscrowAddress(token.address, each).call()) for each in made]

    def transfer() -> int:
        return client.send(places.pop(), "transferHolder", [_somebody(), b""])

    yield Act("TradeTrust transfer", 1, transfer, len(places))


def _tokens(client: Client, tokens: int) -> Iterator[Act]:
    token = client.deploy(packages.compiled()["Token"])
    made: list[int] = []

    def mint() -> int:
        made.append(int.from_bytes(secrets.token_bytes(PAYLOAD_BYTES), "big"))
        return client.send(token, "mint", [client.address, made[-1]])

    def transfer() -> int:
        return client.send(token, "transferFrom", [client.address, _somebody(), made.pop()])

    yield Act("ERC-721 mint", 1, mint, tokens)
    yield Act("ERC-721 transfer", 1, transfer, len(made))


def _roots(client: Client) -> Iterator[Act]:
    """Yield acts that send the Merkle root of documents as large as a certificate. No document is checked, signed or
    stored.
    """
    roots = client.deploy(packages.compiled()["Roots"])
    documents = [secrets.token_bytes(1_500) for _ in range(max(ROOTS))]
    for size in ROOTS:
        yield Act(
            "bare Merkle anchor",
            size,
            partial(_anchor, client, roots, documents[:size]),
        )


def _anchor(client: Client, roots: Contract, documents: list[bytes]) -> int:
    return client.send(roots, "anchor", [_root(documents)])


def _root(documents: list[bytes]) -> bytes:
    """Return the Merkle root of RFC 9162 over documents, level by level."""
    level = [hashlib.sha256(b"\0" + each).digest() for each in documents]
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def _somebody() -> str:
    return Web3.to_checksum_address(secrets.token_bytes(20))
