"""Contracts that have our runtime code and are not what they seem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from eth_hash.auto import keccak

from ledger.chain.accounts import account_of
from ledger.chain.connection import Connection, bare
from ledger.chain.deployment import (
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
from ledger.chain.revert import RevertReader
from ledger.chain.sender import Sender
from tests.conftest import PARTIES, TestParty, test_key

FOUNDER: Final = PARTIES["founder"]
HIDDEN: Final = test_key("hidden in the storage at birth")
ACCOUNTS_SLOT: Final = 2


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys contracts one by one, as somebody may who does not use ``deploy``."""

    sender: Sender
    founder: TestParty

    @classmethod
    def at(cls, url: str, chain_id: int, founder: TestParty = FOUNDER) -> Deployer:
        reverts = RevertReader(interface_of(name) for name in CONTRACTS)
        return cls(Sender(Connection(url), bytes.fromhex(founder.key), chain_id=chain_id, reverts=reverts), founder)

    def create(self, name: str, *arguments: Any) -> tuple[str, str]:
        """Address and transaction of a contract that is created by our creation code."""
        return self.create_by(self.code(name, *arguments))

    def code(self, name: str, *arguments: Any) -> bytes:
        return artifact_of(name).bytecode + interface_of(name).encode_constructor(arguments)

    def create_by(self, code: bytes) -> tuple[str, str]:
        receipt = self.sender.send(None, code)
        return str(receipt["contractAddress"]).lower(), bare(receipt["transactionHash"])

    def registry(self, forwarder: str) -> tuple[str, str]:
        return self.create(PARTY_REGISTRY, forwarder, self.founder.id, self.founder.account)


def secret_registry(url: str, like: Deployment, obeying: str, founder: TestParty = FOUNDER) -> Deployment:
    """Two registries of parties behind one forwarder. The deployment names one; the contract ``obeying`` asks the
    other."""
    by = Deployer.at(url, like.chain_id, founder)
    forwarder = by.create(FORWARDER, b"\7" * 32)
    public, secret = by.registry(forwarder[0]), by.registry(forwarder[0])
    asked = {name: secret[0] if name == obeying else public[0] for name in (ASSET_REGISTRY, CERTIFICATE_LOG)}
    assets = by.create(ASSET_REGISTRY, forwarder[0], asked[ASSET_REGISTRY], 0)
    log = by.create(CERTIFICATE_LOG, forwarder[0], asked[CERTIFICATE_LOG])
    return _named(url, like, forwarder, public, assets, log)


def born_with_a_key(url: str, like: Deployment, founder: TestParty = FOUNDER) -> Deployment:
    """The registry's creation code writes the account of ``HIDDEN`` into the storage, as one of the founder's, and then
    does what ours does."""
    by = Deployer.at(url, like.chain_id, founder)
    forwarder = by.create(FORWARDER, b"\x08" * 32)
    honest = by.code(PARTY_REGISTRY, forwarder[0], founder.id, founder.account)
    helper, _ = by.create_by(_returning(honest))
    account = bytes.fromhex(account_of(bytes.fromhex(HIDDEN)).removeprefix("0x"))
    slot = keccak(account.rjust(32, b"\0") + ACCOUNTS_SLOT.to_bytes(32, "big"))
    # Party number 1, valid from second 1 on; the four fields of an account share a slot.
    value = (1 | 1 << 32).to_bytes(32, "big")
    store = b"\x7f" + value + b"\x7f" + slot + b"\x55"
    # Runs our creation code as its own, and returns what that returns.
    delegate = bytes.fromhex("6000600060006000 73") + bytes.fromhex(helper[2:]) + bytes.fromhex("5af450")
    registry = by.create_by(store + delegate + bytes.fromhex("3d6000 6000 3e 3d6000 f3"))
    assets = by.create(ASSET_REGISTRY, forwarder[0], registry[0], 0)
    log = by.create(CERTIFICATE_LOG, forwarder[0], registry[0])
    return _named(url, like, forwarder, registry, assets, log)


def _returning(code: bytes) -> bytes:
    """Creation code of a contract whose runtime code is ``code``."""
    return b"\x62" + len(code).to_bytes(3, "big") + bytes.fromhex("80600d6000396000f3") + code


def _named(url: str, like: Deployment, *contracts: tuple[str, str]) -> Deployment:
    addresses = {name: address for name, (address, _) in zip(CONTRACTS, contracts, strict=True)}
    creations = {name: creation for name, (_, creation) in zip(CONTRACTS, contracts, strict=True)}
    origin = origin_of(Connection(url), addresses[FORWARDER])
    return replace(like, origin=origin, addresses=addresses, creations=creations)
