"""Stores where the contracts are deployed, and checks that a node has the stored chain and contracts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import chain as joined
from pathlib import Path
from typing import Any, Final

from ledger.chain.contracts.abi import Interface
from ledger.chain.contracts.immutables import wrong_immutable
from ledger.chain.contracts.whole_file import write_whole
from ledger.chain.rpc.connection import Connection
from ledger.domain.canonical import parse_json
from ledger.domain.powers import THRESHOLD
from ledger.errors import ChainUnavailable, InvalidInput, Misconfigured
from ledger.proof.bundle import ChainId

FORWARDER: Final = "Forwarder"
PARTY_REGISTRY: Final = "PartyRegistry"
ASSET_REGISTRY: Final = "AssetRegistry"
CERTIFICATE_LOG: Final = "CertificateLog"
CONTRACTS: Final = (FORWARDER, PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)
_TRUSTING: Final = (PARTY_REGISTRY, ASSET_REGISTRY, CERTIFICATE_LOG)
MAX_DEPLOYMENT_BYTES: Final = 64 * 1024
DELAY_BITS: Final = 40
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract. For each immutable, ``immutables`` lists its places (start, length) in the runtime code."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    runtime: bytes
    immutables: tuple[tuple[tuple[int, int], ...], ...]

    def code_digest(self, code: bytes) -> str:
        """Return the SHA-256 digest (64 hex digits) of runtime code in which all immutables are set to zero."""
        blanked = bytearray(code)
        for start, length in joined.from_iterable(self.immutables):
            blanked[start : start + length] = bytes(length)
        return sha256(blanked).hexdigest()


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of the contracts on one chain. Its file is public.

    Hashes and origin are 64 hex digits, addresses are lower case. ``delay`` is the waiting period in seconds before a
    proposal can be carried out. ``creations`` maps each contract to the hash of the transaction that created it; the
    map is empty if the deployment was found through a bundle.
    """

    network: str
    chain_id: int
    genesis_hash: str
    origin: str
    delay: int
    deploy_block: int
    addresses: Mapping[str, str]
    code_digests: Mapping[str, str]
    creations: Mapping[str, str]

    @property
    def chain(self) -> ChainId:
        """The eight values that identify the ledger in bundles and in chain data (facts, protocol §1)."""
        return ChainId(
            chain_id=self.chain_id,
            forwarder=self.forwarder,
            party_registry=self.party_registry,
            asset_registry=self.asset_registry,
            certificate_log=self.certificate_log,
            origin=self.origin,
            delay=self.delay,
            threshold=THRESHOLD,
        )

    @property
    def ledger(self) -> str:
        """Return the ledger digest (64 hex digits). Every entry of this ledger contains it."""
        return self.chain.ledger

    @property
    def party_registry(self) -> str:
        return self.addresses[PARTY_REGISTRY]

    @property
    def asset_registry(self) -> str:
        return self.addresses[ASSET_REGISTRY]

    @property
    def certificate_log(self) -> str:
        return self.addresses[CERTIFICATE_LOG]

    @property
    def forwarder(self) -> str:
        return self.addresses[FORWARDER]

    def callable_addresses(self) -> frozenset[str]:
        """Return the addresses that a signed request may call: all contracts except the forwarder."""
        return frozenset(address for name, address in self.addresses.items() if name != FORWARDER)

    def save(self, path: Path) -> None:
        """Write the whole file, or leave the old file as it is."""
        write_whole(path, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Read a deployment file; raise Misconfigured DEPLOYMENT_MISSING or DEPLOYMENT_INVALID."""
        if not path.is_file():
            raise Misconfigured(
                "DEPLOYMENT_MISSING",
                "The contracts have not been deployed to this network.",
                where=str(path),
                hint="Run scripts/deploy.py first.",
            )
        try:
            if path.stat().st_size > MAX_DEPLOYMENT_BYTES:
                raise ValueError("file too large")
            return cls._from_json(parse_json(path.read_bytes(), max_bytes=MAX_DEPLOYMENT_BYTES))
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Misconfigured(
                "DEPLOYMENT_INVALID",
                "The deployment file cannot be read.",
                where=str(path),
                hint="Restore the file from a copy, or move it away and run scripts/deploy.py again.",
            ) from error

    @classmethod
    def _from_json(cls, raw: Mapping[str, Any]) -> Deployment:
        addresses = {name: raw["addresses"][name] for name in CONTRACTS}
        if not all(_ADDRESS.fullmatch(address) for address in addresses.values()):
            raise ValueError("an address must be 0x and 40 lower-case hex digits")
        if not _HEX32.fullmatch(raw["origin"]):
            raise ValueError("the origin must be 64 lower-case hex digits")
        delay = int(raw["delay"])
        if not 0 <= delay < 1 << DELAY_BITS:
            raise ValueError("the delay must be seconds within 40 bits")
        creations = {name: raw["creations"][name] for name in CONTRACTS}
        if not all(_HEX32.fullmatch(each) for each in creations.values()):
            raise ValueError("the hash of a transaction must be 64 lower-case hex digits")
        return cls(
            network=str(raw["network"]),
            chain_id=int(raw["chain_id"]),
            genesis_hash=str(raw["genesis_hash"]),
            origin=raw["origin"],
            delay=delay,
            deploy_block=int(raw["deploy_block"]),
            addresses=addresses,
            code_digests={name: str(raw["code_digests"][name]) for name in CONTRACTS},
            creations=creations,
        )


@cache
def artifact_of(name: str) -> Artifact:
    """Return the compiled contract from the package."""
    raw = json.loads(files("ledger.chain.contracts").joinpath("artifacts", f"{name}.json").read_bytes())
    return Artifact(
        name=name,
        abi=tuple(raw["abi"]),
        bytecode=bytes.fromhex(raw["bytecode"].removeprefix("0x")),
        runtime=bytes.fromhex(raw["deployedBytecode"].removeprefix("0x")),
        immutables=tuple(
            tuple((place["start"], place["length"]) for place in raw["immutableReferences"][key])
            for key in sorted(raw["immutableReferences"], key=int)
        ),
    )


@cache
def interface_of(name: str) -> Interface:
    """Return a contract's interface from its packaged artifact."""
    return Interface(name, artifact_of(name).abi)


def check_deployment(connection: Connection, deployment: Deployment) -> None:
    """Check that the node serves the deployment's chain, and that the contracts have our code and belong together.

    The contracts belong together if the forwarder has the deployment's origin, the other contracts trust that
    forwarder, and all of them use the same party registry. ``check_creation`` checks how the contracts were created.

    Raises ChainUnavailable CHAIN_UNREACHABLE, CHAIN_ID_CHANGED, CHAIN_GENESIS_CHANGED or LEDGER_DIFFERS, and
    Misconfigured CONTRACT_MISSING, CONTRACT_CODE_MISMATCH or CONTRACT_IMMUTABLE_MISMATCH.
    """
    _check_chain(connection, deployment)
    codes = {name: _checked_code(connection, name, address) for name, address in deployment.addresses.items()}
    _check_ledger(connection, deployment, deployment.ledger)
    for name, code in codes.items():
        _check_immutables(name, code, deployment)


def deployment_of(connection: Connection, chain: ChainId) -> Deployment:
    """Return the deployment that a bundle or facts (chain data) name, after checking the deployment on the chain.

    Neither a deployment file nor a service is needed.

    The deployment's events are read from the first block on. Raises what ``check_deployment`` raises, except
    CHAIN_GENESIS_CHANGED: a bundle does not name the first block of the chain, and the origin already identifies the
    ledger.
    """
    genesis = connection.block(0)
    found = Deployment(
        network="bundle",
        chain_id=chain.chain_id,
        genesis_hash=genesis.hash if genesis else "",
        origin=chain.origin,
        delay=chain.delay,
        deploy_block=0,
        addresses={
            FORWARDER: chain.forwarder,
            PARTY_REGISTRY: chain.party_registry,
            ASSET_REGISTRY: chain.asset_registry,
            CERTIFICATE_LOG: chain.certificate_log,
        },
        code_digests={name: artifact_of(name).code_digest(artifact_of(name).runtime) for name in CONTRACTS},
        creations={},
    )
    check_deployment(connection, found)
    # ``check_deployment`` does not check the threshold that the bundle names. The bundle's ledger digest covers the
    # threshold, so the digest is compared too.
    _check_ledger(connection, found, chain.ledger)
    return found


def origin_of(connection: Connection, forwarder: str) -> str:
    """Return the ledger's origin (64 hex digits) that a forwarder contract stores."""
    return str(_ask(connection, FORWARDER, forwarder, "origin"))


def _check_ledger(connection: Connection, deployment: Deployment, expected: str) -> None:
    """Compute the ledger digest from the contracts' waiting period, trusted forwarder and origin. Raise unless it is
    ``expected``.
    """
    trusted = [_ask(connection, name, deployment.addresses[name], "trustedForwarder") for name in _TRUSTING]
    forwarder = next((each for each in trusted if each != deployment.forwarder), deployment.forwarder)
    origin, addresses = origin_of(connection, deployment.forwarder), {**deployment.addresses, FORWARDER: forwarder}
    delay = _ask(connection, PARTY_REGISTRY, deployment.party_registry, "delay")
    found = replace(deployment, addresses=addresses, origin=origin, delay=delay).ledger
    if found != expected:
        raise ChainUnavailable(
            "LEDGER_DIFFERS",
            "The contracts at these addresses belong to another ledger.",
            where=connection.where,
            hint="Configure the address of a node of the right chain. Nothing was written.",
            expected=expected,
            found=found,
        )


def _ask(connection: Connection, name: str, address: str, function: str) -> Any:
    face = interface_of(name)
    data = connection.call(address, face.encode_call(function, []))
    with connection.reading(f"{name}.{function}"):
        return face.decode_result(function, data)[0]


def _checked_code(connection: Connection, name: str, address: str) -> bytes:
    code = connection.code(address)
    if not code:
        raise Misconfigured(
            "CONTRACT_MISSING",
            f"There is no contract at the address of {name}.",
            where=address,
            hint="Check that the node belongs to the right network. For a new chain, run scripts/deploy.py.",
            contract=name,
        )
    artifact = artifact_of(name)
    if artifact.code_digest(code) != artifact.code_digest(artifact.runtime):
        raise Misconfigured(
            "CONTRACT_CODE_MISMATCH",
            f"The code at the address of {name} differs from {name} of this program version.",
            where=address,
            hint="Use the program version that deployed the contract, or deploy again under another network name.",
            contract=name,
        )
    return code


def _check_immutables(name: str, code: bytes, deployment: Deployment) -> None:
    wrong = wrong_immutable(name, artifact_of(name).immutables, code, deployment.chain)
    if wrong is not None:
        raise Misconfigured(
            "CONTRACT_IMMUTABLE_MISMATCH",
            f"The value of {wrong} in {name} differs from the value in the deployment.",
            where=deployment.addresses[name],
            hint="Do not use this deployment: parties that are not registered here may control the contract.",
            contract=name,
            immutable=wrong,
        )


def _check_chain(connection: Connection, deployment: Deployment) -> None:
    chain_id = connection.chain_id()
    if chain_id != deployment.chain_id:
        raise ChainUnavailable(
            "CHAIN_ID_CHANGED",
            f"The node serves chain {chain_id}; the contracts are on chain {deployment.chain_id}.",
            where=connection.where,
            hint="Configure the address of a node of the right chain. Nothing was written.",
            expected=deployment.chain_id,
            found=chain_id,
        )
    genesis = connection.block(0)
    if genesis is None or genesis.hash != deployment.genesis_hash:
        raise ChainUnavailable(
            "CHAIN_GENESIS_CHANGED",
            "The chain has the right id but another first block: it was reset, or it is another chain.",
            where=connection.where,
            hint="Restore the chain's data, or move the deployment file away and deploy again.",
            expected=deployment.genesis_hash,
            found=genesis.hash if genesis else None,
        )
