"""Tests the deployment file, and the check that a node serves the chain that the file names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.contracts.deployment import (
    CONTRACTS,
    MAX_DEPLOYMENT_BYTES,
    PARTY_REGISTRY,
    Deployment,
    artifact_of,
    check_deployment,
    deployment_of,
)
from ledger.chain.contracts.immutables import wrong_immutable
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy, ensure_deployed
from ledger.errors import ChainUnavailable, Conflict, Forbidden, InvalidInput, Misconfigured, PingzhengError
from tests.support.chain.deployed import (
    ACCREDITED_UNTIL,
    DELAY,
    FOUNDING,
    PARTIES,
    SCENARIO,
    Chain,
    deployed_on,
    test_key,
)
from tests.support.chain.impostors import moved
from tests.support.chain.scripted_ledger import ROOT

FOUNDER = PARTIES["founder"]
NOWHERE = "0x" + "11" * 20


def ensure(path: Path, url: str) -> tuple[Deployment, bool]:
    return ensure_deployed(path, url, FOUNDER.key, FOUNDING, delay=0, network="test")


WRONG: dict[str, tuple[type[PingzhengError], str, Callable[[Deployment], Deployment]]] = {
    "chain id": (ChainUnavailable, "CHAIN_ID_CHANGED", lambda d: replace(d, chain_id=1)),
    "genesis": (ChainUnavailable, "CHAIN_GENESIS_CHANGED", lambda d: replace(d, genesis_hash="00" * 32)),
    "no code": (Misconfigured, "CONTRACT_MISSING", lambda d: moved(d, CertificateLog=NOWHERE)),
    "an account": (Misconfigured, "CONTRACT_MISSING", lambda d: moved(d, PartyRegistry=FOUNDER.account)),
    "wrong code": (Misconfigured, "CONTRACT_CODE_MISMATCH", lambda d: moved(d, CertificateLog=d.asset_registry)),
    "wrong forwarder": (Misconfigured, "CONTRACT_CODE_MISMATCH", lambda d: moved(d, Forwarder=d.party_registry)),
    "another origin": (ChainUnavailable, "LEDGER_DIFFERS", lambda d: replace(d, origin="ee" * 32)),
    "another delay": (ChainUnavailable, "LEDGER_DIFFERS", lambda d: replace(d, delay=1)),
}


@pytest.mark.parametrize(("kind", "code", "change"), WRONG.values(), ids=WRONG)
def test_a_deployment_that_does_not_fit_the_chain_is_refused(
    chain: Chain, kind: type[PingzhengError], code: str, change: Callable[[Deployment], Deployment]
) -> None:
    with pytest.raises(kind) as caught:
        ChainClient(Connection(chain.node.url), change(chain.deployment)).check()
    assert caught.value.code == code
    assert caught.value.hint


def test_contracts_that_trust_a_wrong_forwarder_are_refused(chain: Chain) -> None:
    """The file names a forwarder that has the right code and origin, but is not the ledger's forwarder. The file is
    refused, because the ledger's contracts do not trust this forwarder.
    """
    other = deploy(chain.node.url, FOUNDER.key, FOUNDING, delay=0)
    mixed = replace(moved(chain.deployment, Forwarder=other.forwarder), origin=other.origin)
    with pytest.raises(ChainUnavailable) as caught:
        check_deployment(Connection(chain.node.url), mixed)
    assert caught.value.code == "LEDGER_DIFFERS"
    assert caught.value.details["expected"] == mixed.ledger != caught.value.details["found"]


@pytest.mark.parametrize("delay", [0, DELAY], ids=["at once", "late"])
def test_a_new_deployment_has_the_founding_parties_and_the_waiting_period(chain: Chain, delay: int) -> None:
    made = deployed_on(chain.node, delay)
    reader = ChainReader(ChainClient.at(chain.node.url, made))
    assert (made.delay, made.chain.delay, made.chain.threshold) == (delay, delay, 2)
    assert [reader.party(party.no).id for party in PARTIES.values()] == [party.id for party in PARTIES.values()]
    assert reader.party(PARTIES["founder"].no).roles == ("authority", "admin")
    assert reader.accreditation(PARTIES["issuer"].no, SCENARIO) == (0, ACCREDITED_UNTIL)
    assert (reader.officers(), reader.proposal_count()) == (3, 0)
    account = reader.account(PARTIES["bank"].account)
    assert account is not None and account.speaks and account.proposal == 0


def test_attack_a_deployment_file_with_a_false_waiting_period_is_refused(chain: Chain) -> None:
    """A bundle could name the same false waiting period as the deployment file. So the check reads the real period from
    the contract's answer and from its code.
    """
    lying = replace(chain.deployment, delay=DELAY)
    with pytest.raises(ChainUnavailable) as caught:
        deployment_of(Connection(chain.node.url), lying.chain)
    assert caught.value.code == "LEDGER_DIFFERS"
    code = Connection(chain.node.url).code(lying.party_registry)
    assert wrong_immutable(PARTY_REGISTRY, artifact_of(PARTY_REGISTRY).immutables, code, lying.chain) == "delay"


def test_a_ledger_needs_three_founding_officers(chain: Chain) -> None:
    founding = [each for each in FOUNDING if each.id != PARTIES["third"].id]
    with pytest.raises(Conflict) as caught:
        deploy(chain.node.url, FOUNDER.key, founding, delay=0)
    assert (caught.value.code, caught.value.details) == ("PARTY_TOO_FEW_OFFICERS", {"officers": 2})


def test_two_deployments_on_one_chain_are_two_ledgers(chain: Chain) -> None:
    other = deploy(chain.node.url, FOUNDER.key, FOUNDING, delay=0)
    assert other.origin != chain.deployment.origin
    assert other.ledger != chain.deployment.ledger


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalNode]:
    with LocalNode(tmp_path, program=JOURNAL, chain_id=4412, funded=[FOUNDER.account], persistent=False) as node:
        yield node


def test_deployments_that_differ_only_in_their_salt_are_different_ledgers(fresh: LocalNode) -> None:
    """Both deployments have the same block, time, deployer and addresses; only their salts differ."""

    def deployed(salt: bytes) -> Deployment:
        token = fresh.snapshot()
        made = deploy(fresh.url, FOUNDER.key, FOUNDING, delay=0, salt=salt)
        fresh.revert(token)
        return made

    # The next block's time is far ahead of the clock. All later blocks then get this same time, as long as the clock is
    # behind it. So the blocks of the deployments do not differ in their time.
    fresh.rpc("pingzheng_setAhead", 1_000_000)
    fresh.mine()
    fresh.rpc("pingzheng_setAhead", 0)
    one, same, other = deployed(b"\1" * 32), deployed(b"\1" * 32), deployed(b"\2" * 32)
    assert one == same
    assert one.addresses == other.addresses
    assert one.creations != other.creations
    assert one.origin != other.origin and one.ledger != other.ledger


def test_a_salt_of_a_wrong_length_is_refused(fresh: LocalNode) -> None:
    with pytest.raises(InvalidInput) as caught:
        deploy(fresh.url, FOUNDER.key, FOUNDING, delay=0, salt=b"short")
    assert caught.value.code == "CALL_ARGUMENTS_INVALID"


def test_the_check_of_a_deployment_accepts_the_right_deployment(chain: Chain) -> None:
    assert chain.client.check() is chain.client


def test_the_check_of_a_deployment_reports_a_node_that_does_not_answer(chain: Chain) -> None:
    with pytest.raises(ChainUnavailable) as caught:
        check_deployment(Connection("http://127.0.0.1:1", timeout=1), chain.deployment)
    assert caught.value.code == "CHAIN_UNREACHABLE"


def test_a_chain_with_the_expected_id_but_a_wrong_first_block_is_refused(chain: Chain, tmp_path: Path) -> None:
    """The two nodes have the same contracts at the same addresses, but their first blocks differ."""
    chain.deployment.save(tmp_path / "test.json")
    saved = (tmp_path / "test.json").read_bytes()
    with LocalNode(tmp_path / "node", funded=[FOUNDER.account], persistent=False) as other:
        deployed = deploy(other.url, FOUNDER.key, FOUNDING, delay=0)
        with pytest.raises(ChainUnavailable) as caught:
            ensure(tmp_path / "test.json", other.url)
    assert deployed.chain_id == chain.deployment.chain_id
    assert caught.value.code == "CHAIN_GENESIS_CHANGED"
    assert caught.value.details["expected"] == chain.deployment.genesis_hash
    assert (tmp_path / "test.json").read_bytes() == saved


def test_a_chain_with_a_wrong_id_is_refused(chain: Chain, tmp_path: Path) -> None:
    with LocalNode(tmp_path, chain_id=4407, persistent=False) as other, pytest.raises(ChainUnavailable) as caught:
        check_deployment(Connection(other.url), chain.deployment)
    assert caught.value.code == "CHAIN_ID_CHANGED"
    assert (caught.value.details["expected"], caught.value.details["found"]) == (1337, 4407)


def test_deploying_again_changes_nothing(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "deployments" / "test.json"
    made, first = ensure(path, chain.node.url)
    block = chain.reader.block_number()
    again, second = ensure(path, chain.node.url)
    assert (first, second) == (True, False)
    assert again == made == Deployment.load(path)
    assert chain.reader.block_number() == block
    assert made.addresses != chain.deployment.addresses
    assert list(made.addresses) == list(CONTRACTS)
    assert made.callable_addresses() == set(made.addresses.values()) - {made.forwarder}


def test_code_digests_match_the_deployed_code(chain: Chain) -> None:
    """Immutables are set to zero before the code is hashed, so that the digest is the same on every chain. Any other
    change of the code changes the digest.
    """
    connection = Connection(chain.node.url)
    for name, address in chain.deployment.addresses.items():
        code, artifact = connection.code(address), artifact_of(name)
        assert chain.deployment.code_digests[name] == artifact.code_digest(code)
        assert artifact.code_digest(code[:-1] + bytes([code[-1] ^ 1])) != artifact.code_digest(code)
    assert artifact_of("CertificateLog").immutables


def test_a_missing_deployment_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        Deployment.load(tmp_path / "test.json")
    assert caught.value.code == "DEPLOYMENT_MISSING"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: "",
        lambda raw: "[]",
        lambda raw: "[" * 60_000,
        lambda raw: json.dumps(raw)[:-5],
        lambda raw: json.dumps({**raw, "addresses": {}}),
        lambda raw: json.dumps({**raw, "addresses": {**raw["addresses"], "Forwarder": "0xAB"}}),
        lambda raw: json.dumps({**raw, "addresses": {**raw["addresses"], "Forwarder": 5}}),
        lambda raw: json.dumps({**raw, "chain_id": None}),
        lambda raw: json.dumps({name: value for name, value in raw.items() if name != "origin"}),
        lambda raw: json.dumps({**raw, "origin": "EE" * 32}),
        lambda raw: json.dumps({name: value for name, value in raw.items() if name != "delay"}),
        lambda raw: json.dumps({**raw, "delay": -1}),
        lambda raw: json.dumps({**raw, "delay": 2**40}),
        lambda raw: json.dumps({**raw, "code_digests": None}),
        lambda raw: json.dumps({name: value for name, value in raw.items() if name != "creations"}),
        lambda raw: json.dumps({**raw, "creations": {**raw["creations"], "Forwarder": "EE" * 32}}),
        lambda raw: json.dumps({**raw, "creations": {}}),
        lambda raw: json.dumps({**raw, "network": "x" * MAX_DEPLOYMENT_BYTES}),
    ],
)
def test_a_damaged_deployment_file_is_reported_and_kept(
    chain: Chain, tmp_path: Path, damage: Callable[[dict[str, Any]], str]
) -> None:
    path = tmp_path / "test.json"
    path.write_text(damage(asdict(chain.deployment)))
    before = path.read_bytes()
    with pytest.raises(Misconfigured) as caught:
        ensure(path, chain.node.url)
    assert caught.value.code == "DEPLOYMENT_INVALID"
    assert path.read_bytes() == before


def test_a_saved_deployment_is_read_back_unchanged(chain: Chain, tmp_path: Path) -> None:
    chain.deployment.save(tmp_path / "new" / "test.json")
    assert Deployment.load(tmp_path / "new" / "test.json") == chain.deployment
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["test.json"]


def test_an_account_of_a_party_without_the_role_of_an_issuer_cannot_anchor(chain: Chain) -> None:
    with pytest.raises(Forbidden) as caught:
        chain.acting("enterprise").send(calls.anchor(0, 1, ROOT))
    assert caught.value.code == "PARTY_LACKS_ROLE"


def test_an_account_that_belongs_to_no_party_cannot_anchor(chain: Chain) -> None:
    stranger = chain.client.with_account(test_key("stranger"))
    chain.node.fund(stranger.account)
    with pytest.raises(Forbidden) as caught:
        stranger.send(calls.anchor(0, 1, ROOT))
    assert caught.value.code == "PARTY_UNKNOWN_ACCOUNT"


def test_a_suspended_party_cannot_anchor(chain: Chain) -> None:
    chain.decide(calls.set_status(chain.parties["issuer"].no, "suspended", "sanction"))
    with pytest.raises(Forbidden) as caught:
        chain.client.send(calls.anchor(0, 1, ROOT))
    assert (caught.value.code, caught.value.details["status"]) == ("PARTY_NOT_ACTIVE", 2)
