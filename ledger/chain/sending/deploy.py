"""Deploys the contracts to a chain."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ledger.chain.contracts.creation import check_creation
from ledger.chain.contracts.deployment import (
    CONTRACTS,
    FORWARDER,
    PARTY_REGISTRY,
    Deployment,
    artifact_of,
    check_deployment,
    interface_of,
    origin_of,
)
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.rpc.answers import quantity
from ledger.chain.rpc.connection import Connection, bare
from ledger.chain.sending.calls import Founding
from ledger.chain.sending.sender import Sender

SALT_BYTES: Final = 32


def deploy(
    url: str,
    private_key: str,
    founding: Sequence[Founding],
    *,
    delay: int,
    network: str = "local",
    notice: int = 0,
    salt: bytes | None = None,
) -> Deployment:
    """Deploy new contracts and register the founding parties, which get the numbers 1, 2, … in the given order.

    At least three founding parties must be authorities. ``delay`` is the waiting period of proposals, ``notice`` the
    shortest public notice (both in seconds); neither can be changed later. ``salt`` (32 bytes, random by default)
    becomes part of the ledger's origin. Some chains do not give contracts the hash of the previous block; on such a
    chain, only the salt makes the origins of two deployments differ.

    Raises ChainUnavailable or ChainRejected. To deploy only once, use ``ensure_deployed``.
    """
    connection = Connection(url)
    chain_id = connection.chain_id()
    genesis = connection.require_block(connection.block(0), 0)
    sender = Sender(
        connection,
        bytes.fromhex(private_key.removeprefix("0x")),
        chain_id=chain_id,
        reverts=RevertReader(interface_of(name) for name in CONTRACTS),
    )
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    addresses: dict[str, str] = {}
    creations: dict[str, str] = {}
    first_block = 0
    for name in CONTRACTS:
        arguments = _constructor_arguments(name, addresses, salt, founding, delay, notice)
        receipt = _create(sender, name, arguments)
        addresses[name] = str(receipt["contractAddress"]).lower()
        creations[name] = bare(receipt["transactionHash"])
        first_block = first_block or quantity(receipt["blockNumber"])
    deployment = Deployment(
        network=network,
        chain_id=chain_id,
        genesis_hash=genesis.hash,
        origin=origin_of(connection, addresses[FORWARDER]),
        delay=delay,
        deploy_block=first_block,
        addresses=addresses,
        code_digests={name: artifact_of(name).code_digest(artifact_of(name).runtime) for name in CONTRACTS},
        creations=creations,
    )
    check_deployment(connection, deployment)
    check_creation(connection, deployment)
    return deployment


def ensure_deployed(
    path: Path,
    url: str,
    private_key: str,
    founding: Sequence[Founding],
    *,
    delay: int,
    network: str,
    notice: int = 0,
) -> tuple[Deployment, bool]:
    """Return the deployment that the file ``path`` contains. If there is no such file, deploy the contracts and write
    the file.

    The second value is True for a new deployment. A saved deployment is checked and never overwritten. Raises what
    ``check_deployment`` and ``check_creation`` raise.
    """
    if path.exists():
        deployment, connection = Deployment.load(path), Connection(url)
        check_deployment(connection, deployment)
        check_creation(connection, deployment)
        return deployment, False
    deployment = deploy(url, private_key, founding, delay=delay, network=network, notice=notice)
    deployment.save(path)
    return deployment, True


def _constructor_arguments(
    name: str, addresses: dict[str, str], salt: bytes, founding: Sequence[Founding], delay: int, notice: int
) -> list[Any]:
    match name:
        case "Forwarder":
            return [salt]
        case "PartyRegistry":
            return [addresses[FORWARDER], delay, [each.row() for each in founding]]
        case "AssetRegistry":
            return [addresses[FORWARDER], addresses[PARTY_REGISTRY], notice]
        case _:
            return [addresses[FORWARDER], addresses[PARTY_REGISTRY]]


def _create(sender: Sender, name: str, arguments: list[Any]) -> dict[str, Any]:
    return sender.send(None, artifact_of(name).bytecode + interface_of(name).encode_constructor(arguments))
