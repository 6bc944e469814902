"""Fraudulent deployments: their contracts have our runtime code, but other addresses or storage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from eth_hash.auto import keccak

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import (
    ASSET_REGISTRY,
    CERTIFICATE_LOG,
    CONTRACTS,
    FORWARDER,
    PARTY_REGISTRY,
    Deployment,
    artifact_of,
    interface_of,
    origin_of,
)
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.rpc.connection import Connection, bare
from ledger.chain.sending.sender import Sender
from tests.support.chain.deployed import FOUNDING, PARTIES, TestParty, test_key

FOUNDER: Final = PARTIES["founder"]
HIDDEN: Final = test_key("hidden in the storage at birth")
ACCOUNTS_SLOT: Final = 2
PROVEN_BIT: Final = 32 + 4 * 40


def moved(deployment: Deployment, **addresses: str) -> Deployment:
    """Return a copy of the deployment in which some contract addresses are replaced."""
    return replace(deployment, addresses={**deployment.addresses, **addresses})


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys contracts one by one, without ``deploy``."""

    sender: Sender
    founder: TestParty

    @classmethod
    def at(cls, url: str, chain_id: int, founder: TestParty = FOUNDER) -> Deployer:
        reverts = RevertReader(interface_of(name) for name in CONTRACTS)
        return cls(Sender(Connection(url), bytes.fromhex(founder.key), chain_id=chain_id, reverts=reverts), founder)

    def create(self, name: str, *arguments: Any) -> tuple[str, str]:
        """Create a contract with our creation code; return its address and transaction."""
        return self.create_by(self.code(name, *arguments))

    def code(self, name: str, *arguments: Any) -> bytes:
        return artifact_of(name).bytecode + interface_of(name).encode_constructor(arguments)

    def create_by(self, code: bytes) -> tuple[str, str]:
        receipt = self.sender.send(None, code)
        return str(receipt["contractAddress"]).lower(), bare(receipt["transactionHash"])

    def registry(self, forwarder: str) -> tuple[str, str]:
        return self.create(PARTY_REGISTRY, *self.founded(forwarder))

    @staticmethod
    def founded(forwarder: str) -> tuple[str, int, list[Any]]:
        """Return the constructor arguments that make the tests' parties the founders of a registry."""
        return forwarder, 0, [each.row() for each in FOUNDING]


def secret_registry(url: str, like: Deployment, obeying: str, founder: TestParty = FOUNDER) -> Deployment:
    """Deploy two party registries with one forwarder.

    The deployment file names the first registry, but the contract ``obeying`` asks the second registry.
    """
    by = Deployer.at(url, like.chain_id, founder)
    forwarder = by.create(FORWARDER, b"\7" * 32)
    public, secret = by.registry(forwarder[0]), by.registry(forwarder[0])
    asked = {name: secret[0] if name == obeying else public[0] for name in (ASSET_REGISTRY, CERTIFICATE_LOG)}
    assets = by.create(ASSET_REGISTRY, forwarder[0], asked[ASSET_REGISTRY], 0)
    log = by.create(CERTIFICATE_LOG, forwarder[0], asked[CERTIFICATE_LOG])
    return _named(url, like, forwarder, public, assets, log)


def born_with_a_key(url: str, like: Deployment, founder: TestParty = FOUNDER) -> Deployment:
    """Deploy a registry with a hidden account of the founder.

    Its creation code writes what an honest registry stores, and in addition the account of ``HIDDEN``. It then returns
    the honest runtime code.
    """
    by, connection = Deployer.at(url, like.chain_id, founder), Connection(url)
    forwarder = by.create(FORWARDER, b"\x08" * 32)
    honest, _ = by.registry(forwarder[0])
    written = {slot: connection.ask("eth_getStorageAt", honest, slot, "latest") for slot in _slots()}
    # The hidden account belongs to party 1, is valid from the time 1 on, and its possession counts as proven. These
    # three fields share one storage slot.
    written[_in_mapping(ACCOUNTS_SLOT, account_of(bytes.fromhex(HIDDEN)))] = hex(1 | 1 << 32 | 1 << PROVEN_BIT)
    store = b"".join(b"\x7f" + _word(value) + b"\x7f" + _word(slot) + b"\x55" for slot, value in written.items())
    address = b"\x73" + bytes.fromhex(honest[2:])
    copy = address + bytes.fromhex("3b 6000 6000") + address + bytes.fromhex("3c")
    registry = by.create_by(store + copy + address + bytes.fromhex("3b 6000 f3"))
    assets = by.create(ASSET_REGISTRY, forwarder[0], registry[0], 0)
    log = by.create(CERTIFICATE_LOG, forwarder[0], registry[0])
    return _named(url, like, forwarder, registry, assets, log)


def _slots() -> list[str]:
    """Return the storage slots in which a registry keeps the head of its event hash chain, its counters and the tests'
    parties.
    """
    found = [hex(slot) for slot in range(ACCOUNTS_SLOT)]
    for party in PARTIES.values():
        keys = (party.account, hex(party.no), hex(party.no), party.id)
        found += [_in_mapping(slot, key) for slot, key in enumerate(keys, start=ACCOUNTS_SLOT)]
    return found


def _in_mapping(slot: int, key: str) -> str:
    return "0x" + keccak(_word(key) + _word(hex(slot))).hex()


def _word(value: str) -> bytes:
    return int(value, 16).to_bytes(32, "big")


def _named(url: str, like: Deployment, *contracts: tuple[str, str]) -> Deployment:
    addresses = {name: address for name, (address, _) in zip(CONTRACTS, contracts, strict=True)}
    creations = {name: creation for name, (_, creation) in zip(CONTRACTS, contracts, strict=True)}
    origin = origin_of(Connection(url), addresses[FORWARDER])
    return replace(like, origin=origin, addresses=addresses, creations=creations)
