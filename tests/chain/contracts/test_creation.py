"""Tests the check of a deployment's contracts: it covers each immutable, each constructor argument, and the creating
transactions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.chain.accounts import account_of
from ledger.chain.contracts.creation import check_creation
from ledger.chain.contracts.deployment import (
    ASSET_REGISTRY,
    CERTIFICATE_LOG,
    CONTRACTS,
    FORWARDER,
    PARTY_REGISTRY,
    artifact_of,
    check_deployment,
    deployment_of,
)
from ledger.chain.contracts.immutables import wrong_immutable
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.errors import ChainUnavailable, Misconfigured, PingzhengError
from tests.support.chain.deployed import (
    DELAY,
    FOUNDING,
    NOTICE,
    PARTIES,
    Chain,
)
from tests.support.chain.impostors import FOUNDER, HIDDEN, Deployer, born_with_a_key, moved, secret_registry
from tests.support.chain.scripted_ledger import ROOT


@pytest.mark.parametrize("contract", [ASSET_REGISTRY, CERTIFICATE_LOG])
def test_attack_a_contract_that_uses_a_secret_registry_is_refused(chain: Chain, contract: str) -> None:
    """Code, forwarder and origin are right, but the contract does not use the registry that the deployment file names.
    In the registry that it uses, other people could act as the ledger's parties.
    """
    connection = Connection(chain.node.url)
    deployed = secret_registry(chain.node.url, chain.deployment, contract)
    for check in (
        lambda: check_deployment(connection, deployed),
        lambda: deployment_of(connection, deployed.chain),
        lambda: ChainClient(connection, deployed).check(),
    ):
        with pytest.raises(Misconfigured) as caught:
            check()
        assert (caught.value.code, caught.value.where) == ("CONTRACT_IMMUTABLE_MISMATCH", deployed.addresses[contract])
        assert caught.value.details == {"contract": contract, "immutable": "party registry"} and caught.value.hint
    with pytest.raises(Misconfigured) as refused:
        check_creation(connection, deployed)
    assert (refused.value.code, refused.value.details["contract"]) == ("CONTRACT_CREATION_MISMATCH", contract)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_immutable_value_is_checked_at_each_place_in_the_bytecode(chain: Chain, contract: str) -> None:
    code, groups = (
        Connection(chain.node.url).code(chain.deployment.addresses[contract]),
        artifact_of(contract).immutables,
    )
    expected = chain.deployment.chain
    assert groups and wrong_immutable(contract, groups, code, expected) is None
    found = []
    for places in groups:
        for start, length in places:
            other = code[:start] + bytes([code[start] ^ 1]) + code[start + 1 :]
            assert len(other) == len(code) and length == 32
            found.append(wrong_immutable(contract, groups, other, expected))
    assert None not in found
    assert len(set(found)) == len(groups)


def test_attack_an_address_is_not_accepted_as_the_minimum_length_of_the_public_notice(chain: Chain) -> None:
    """Each ledger chooses its own minimum length of the public notice, so the check can only refuse a value that is too
    large for a time.
    """
    registry, groups = chain.deployment.addresses[ASSET_REGISTRY], artifact_of(ASSET_REGISTRY).immutables
    code = Connection(chain.node.url).code(registry)
    (notice,) = (each for each in groups if code[each[0][0] : sum(each[0])] == NOTICE.to_bytes(32, "big"))
    for chosen, problem in ((0, None), (2**40 - 1, None), (2**40, "least notice"), (int(registry, 16), "least notice")):
        changed = bytearray(code)
        for start, length in notice:
            changed[start : start + length] = chosen.to_bytes(32, "big")
        assert wrong_immutable(ASSET_REGISTRY, groups, bytes(changed), chain.deployment.chain) == problem


def test_attack_a_registry_created_with_a_hidden_key_is_refused(chain: Chain) -> None:
    """The runtime code and its immutables are right. The registry was created with a second, hidden key for the
    founder, and no function of the contract shows this key.
    """
    connection = Connection(chain.node.url)
    deployed = born_with_a_key(chain.node.url, chain.deployment)
    check_deployment(connection, deployed)
    chain.node.fund(account_of(bytes.fromhex(HIDDEN)))
    ChainClient(connection, deployed, HIDDEN).send(calls.set_roles(PARTIES["bank"].no, 1))
    with pytest.raises(Misconfigured) as caught:
        check_creation(connection, deployed)
    assert (caught.value.code, caught.value.where) == ("CONTRACT_CREATION_MISMATCH", deployed.party_registry)
    assert caught.value.details["contract"] == PARTY_REGISTRY and caught.value.hint


def elsewhere(chain: Chain) -> str:
    """Return the hash of the transaction that created the party registry of another ledger."""
    return deploy(chain.node.url, FOUNDER.key, FOUNDING, delay=0).creations[PARTY_REGISTRY]


CREATIONS: dict[str, tuple[type[PingzhengError], str, str, Callable[[Chain], str]]] = {
    "nobody's": (ChainUnavailable, "CONTRACT_CREATION_UNKNOWN", FORWARDER, lambda chain: "ee" * 32),
    "another contract's": (
        Misconfigured,
        "CONTRACT_CREATION_MISMATCH",
        CERTIFICATE_LOG,
        lambda chain: chain.deployment.creations[ASSET_REGISTRY],
    ),
    "another ledger's": (Misconfigured, "CONTRACT_CREATION_MISMATCH", PARTY_REGISTRY, elsewhere),
    "a call": (
        Misconfigured,
        "CONTRACT_CREATION_MISMATCH",
        FORWARDER,
        lambda chain: chain.client.send(calls.anchor(0, 1, ROOT)).tx_hash,
    ),
}


@pytest.mark.parametrize(("kind", "code", "contract", "creation"), CREATIONS.values(), ids=CREATIONS)
def test_a_contract_with_a_wrong_creation_transaction_is_refused(
    chain: Chain, kind: type[PingzhengError], code: str, contract: str, creation: Callable[[Chain], str]
) -> None:
    connection, right = Connection(chain.node.url), chain.deployment.creations
    check_creation(connection, chain.deployment)
    wrong = replace(chain.deployment, creations={**right, contract: creation(chain)})
    with pytest.raises(kind) as caught:
        check_creation(connection, wrong)
    assert (caught.value.code, caught.value.details["contract"]) == (code, contract) and caught.value.hint


REGISTRIES: dict[str, tuple[str, Callable[[Deployer, str], bytes]]] = {
    "a word more than the arguments": (
        PARTY_REGISTRY,
        lambda by, forwarder: by.code(PARTY_REGISTRY, *by.founded(forwarder)) + bytes(32),
    ),
    "another delay": (
        PARTY_REGISTRY,
        lambda by, forwarder: by.code(PARTY_REGISTRY, forwarder, DELAY, by.founded(forwarder)[2]),
    ),
    # The registry's creation is accepted, because a ledger can have any founding parties. The next contract is refused,
    # because it uses another registry.
    "other parties": (
        ASSET_REGISTRY,
        lambda by, forwarder: by.code(PARTY_REGISTRY, forwarder, 0, by.founded(forwarder)[2][::-1]),
    ),
}


@pytest.mark.parametrize(("contract", "code"), REGISTRIES.values(), ids=REGISTRIES)
def test_changed_constructor_arguments_of_the_registry_are_refused(
    chain: Chain, contract: str, code: Callable[[Deployer, str], bytes]
) -> None:
    by = Deployer.at(chain.node.url, chain.deployment.chain_id)
    address, creation = by.create_by(code(by, chain.deployment.forwarder))
    made = replace(
        moved(chain.deployment, PartyRegistry=address),
        creations={**chain.deployment.creations, PARTY_REGISTRY: creation},
    )
    with pytest.raises(Misconfigured) as caught:
        check_creation(Connection(chain.node.url), made)
    assert (caught.value.code, caught.value.details["contract"]) == ("CONTRACT_CREATION_MISMATCH", contract)
