"""Fixtures: one local chain for all tests, with our contracts and a party for each role. The chain is restored after
each test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import ASSET_REGISTRY, Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.sender import Receipt
from ledger.domain.assets.names import OBJECTION_STATES
from ledger.domain.parties import Role
from ledger.proof.acts import prove_key
from ledger.proof.jws import LocalSigner

ROLES_OF = {
    "founder": ("authority", "admin"),
    "issuer": ("issuer",),
    "registrar": ("registrar",),
    "provider": ("provider",),
    "bank": ("consumer",),
    "other_bank": ("consumer",),
    "enterprise": ("subject",),
    "assessor": ("assessor",),
    "supervisor": ("supervisor",),
    "other_issuer": ("issuer",),
    "second": ("authority",),
    "third": ("authority",),
    "other_supervisor": ("supervisor",),
}

SCENARIO = "S51"

ACCREDITED_UNTIL = 4_000_000_000

NOTICE = 10 * 86_400

DELAY = 3_600


@dataclass(frozen=True, slots=True)
class TestParty:
    """A party on the test chain. The parties are numbered (``no``) in the order of ``ROLES_OF``."""

    __test__ = False

    no: int
    id: str
    key: str
    account: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with our contracts and the parties of ``ROLES_OF``.

    ``client`` sends in the issuer's name; ``acting`` returns clients of the other parties.
    """

    node: LocalNode
    deployment: Deployment
    client: ChainClient
    reader: ChainReader
    parties: dict[str, TestParty]

    def acting(self, name: str) -> ChainClient:
        return self.client.with_account(self.parties[name].key)

    def propose(self, call: Call, by: str = "founder") -> int:
        """Propose a call and return the proposal's number. If the call registers a list of parties, the proposal
        contains only the list's digest.
        """
        registers = call.function == "register"
        proposed = calls.propose_registration(self.client.act_of(call)) if registers else calls.propose(call)
        return proposal_of(self.acting(by).send(proposed))

    def decide(self, call: Call, by: str = "founder", confirmer: str | None = "second") -> Receipt:
        """Propose, confirm and carry out a call. For a call that one party decides alone, ``confirmer`` is None."""
        number = self.propose(call, by)
        if confirmer is not None:
            receipt = self.acting(confirmer).send(calls.confirm(number, call))
            if receipt.named("ProposalEnded"):
                return receipt
        if self.deployment.delay:
            self.node.advance(self.deployment.delay)
        return self.client.send(calls.carry_out(number, call))

    def objection(self, asset: str, number: int, block: int | str = "latest") -> tuple[int, str, bool, int] | None:
        """Return what the contract stores about an objection: the party, the state, whether it is against an
        application, and the time. Return None if there is no such objection.
        """
        (raw,) = self.client.read(ASSET_REGISTRY, "objectionOf", [asset, number], block=block)
        if not raw["state"]:
            return None
        return raw["objector"], OBJECTION_STATES[raw["state"]], raw["application"] != 0, raw["filedAt"]

    def proof(self, private_key: str, number: int = 0) -> str:
        """Return the proof of possession of a secp256k1 key for the party with the given number (0: a new party)."""
        key = bytes.fromhex(private_key)
        return prove_key(self.deployment.chain, LocalSigner(key, account_of(key)), number)

    def rotate(self, name: str, private_key: str) -> Receipt:
        """Replace a party's key; the party itself proposes and carries out the change."""
        party = self.parties[name]
        fresh = account_of(bytes.fromhex(private_key))
        call = calls.change_key(party.no, fresh, party.account, self.proof(private_key, party.no))
        return self.decide(call, name, None)


def test_key(name: str) -> str:
    return sha256(f"test key of {name}".encode()).hexdigest()


test_key.__test__ = False  # type: ignore[attr-defined]


def test_party(number: int, name: str) -> TestParty:
    key = test_key(name)
    return TestParty(number, sha256(name.encode()).hexdigest(), key, account_of(bytes.fromhex(key)))


test_party.__test__ = False  # type: ignore[attr-defined]

PARTIES = {name: test_party(number, name) for number, name in enumerate(ROLES_OF, start=1)}

FOUNDING = [
    Founding(
        party.id,
        (party.account,),
        Role.mask(Role(role) for role in ROLES_OF[name]),
        ((SCENARIO, 0, ACCREDITED_UNTIL),) if name == "issuer" else (),
    )
    for name, party in PARTIES.items()
]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    """A running local node, shared by all tests. Use the fixture ``chain``, which undoes a test's changes."""
    funded = [party.account for party in PARTIES.values()]
    with LocalNode(tmp_path_factory.mktemp("node"), funded=funded, persistent=False) as running:
        yield running


@pytest.fixture(scope="session")
def deployment(node: LocalNode) -> Deployment:
    """Our contracts on the node that all tests share, with all parties registered and an accredited issuer."""
    return deployed_on(node)


@pytest.fixture(scope="session")
def waiting_deployment(node: LocalNode) -> Deployment:
    """A second deployment of our contracts, whose proposals have a waiting period."""
    return deployed_on(node, delay=DELAY)


def deployed_on(node: LocalNode, delay: int = 0) -> Deployment:
    """Deploy our contracts with the parties of ``PARTIES``; the node has already given money to their accounts."""
    return deploy(node.url, PARTIES["founder"].key, FOUNDING, delay=delay, network="test", notice=NOTICE)


@pytest.fixture
def chain(node: LocalNode, deployment: Deployment) -> Iterator[Chain]:
    """The deployed contracts with their parties; the test's changes are undone afterwards."""
    yield from _on(node, deployment)


@pytest.fixture
def waiting_chain(node: LocalNode, waiting_deployment: Deployment) -> Iterator[Chain]:
    """Like ``chain``, but proposals wait for ``DELAY`` seconds. A test must not use both fixtures."""
    yield from _on(node, waiting_deployment)


def _on(node: LocalNode, deployed: Deployment) -> Iterator[Chain]:
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployed, PARTIES["issuer"].key)
    yield Chain(node, deployed, client, ChainReader(client), dict(PARTIES))
    node.revert(token)
