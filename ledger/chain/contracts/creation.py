"""Checks that the contracts were created by our own creation code.

It is not enough to compare the runtime code, because the runtime code proves nothing about storage. Other creation code
could, for example, write a key into the storage of a registry and then return our runtime code; no event would ever
name that key. So the data of the transactions that created the contracts are compared with the packaged creation code
and the constructors' arguments.
"""

from __future__ import annotations

from typing import Any

from ledger.chain.contracts.deployment import (
    ASSET_REGISTRY,
    CONTRACTS,
    FORWARDER,
    PARTY_REGISTRY,
    Deployment,
    artifact_of,
    interface_of,
)
from ledger.chain.rpc.answers import octets, receipt_of, transaction_of
from ledger.chain.rpc.connection import Connection
from ledger.errors import ChainUnavailable, Misconfigured


def check_creation(connection: Connection, deployment: Deployment) -> None:
    """Check that the transactions named in the deployment file created the contracts with our creation code.

    One check, when a deployment is used for the first time, is enough, because these transactions never change. Raises
    ``ChainUnavailable`` ``CONTRACT_CREATION_UNKNOWN`` if the node no longer has these old transactions, and
    ``Misconfigured`` ``CONTRACT_CREATION_MISMATCH`` if a contract was created in another way.
    """
    methods = ("eth_getTransactionByHash", "eth_getTransactionReceipt")
    asked = [(method, ["0x" + deployment.creations[name]]) for name in CONTRACTS for method in methods]
    answers = connection.ask_many(asked)
    for name, raw, raw_receipt in zip(CONTRACTS, answers[::2], answers[1::2], strict=True):
        with connection.reading("eth_getTransactionByHash"):
            transaction = transaction_of(raw, deployment.creations[name])
            receipt = receipt_of(raw_receipt, deployment.creations[name])
        if transaction is None or receipt is None:
            raise ChainUnavailable(
                "CONTRACT_CREATION_UNKNOWN",
                f"The node does not know the transaction that created {name}.",
                where=deployment.addresses[name],
                hint="Ask a node that keeps all transactions: only they prove how the contract was created.",
                contract=name,
                tx_hash=deployment.creations[name],
            )
        if not _created(name, deployment, transaction, receipt):
            raise Misconfigured(
                "CONTRACT_CREATION_MISMATCH",
                f"The transaction that the deployment file names did not create this version's {name}.",
                where=deployment.addresses[name],
                hint="Do not use this deployment. Ask its operator how the contract was created.",
                contract=name,
                tx_hash=deployment.creations[name],
            )


def _created(name: str, deployment: Deployment, transaction: dict[str, Any], receipt: dict[str, Any]) -> bool:
    """Return whether this transaction created the contract at its address with our creation code and right arguments,
    and created it directly, not through another contract.
    """
    code, sent = artifact_of(name).bytecode, octets(transaction["input"])
    return (
        transaction.get("to") is None
        and str(receipt.get("contractAddress")).lower() == deployment.addresses[name]
        and sent.startswith(code)
        and _right_arguments(name, deployment, sent[len(code) :])
    )


def _right_arguments(name: str, deployment: Deployment, data: bytes) -> bool:
    """Return whether the constructor's arguments are well formed, and whether those arguments that are known in advance
    have the right values.
    """
    try:
        given = interface_of(name).decode_constructor(data)
    except ValueError:
        return False
    return all(known in (None, found) for known, found in zip(_known_arguments(name, deployment), given, strict=True))


def _known_arguments(name: str, deployment: Deployment) -> list[str | int | None]:
    """Return the constructor's arguments. None stands for salt, founding parties and notice, which may have any
    value.
    """
    forwarder, registry = deployment.forwarder, deployment.party_registry
    if name == FORWARDER:
        return [None]
    if name == PARTY_REGISTRY:
        return [forwarder, deployment.delay, None]
    return [forwarder, registry, *([None] if name == ASSET_REGISTRY else [])]
