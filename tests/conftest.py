"""Fixtures that more than one layer needs: one local chain for the whole session, as good as new in each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.sender import Receipt
from ledger.domain.parties import Role
from ledger.proof.acts import prove_key
from ledger.proof.jws import LocalSigner
from scripts.cover import Covered, table
from tests.watching import watched

# Prints what the fault suite counted; named here, as the process that prints collects no tests when there are workers.
pytest_plugins = ["tests.faults.counting"]
# A proposal takes effect at once, unless a test says otherwise.
os.environ["PINGZHENG_DELAY"] = "0"
# Wide enough that no table is folded; read once, when a console is made.
os.environ["COLUMNS"] = "200"
# On a busy machine slow examples are no finding; what takes long is seen in the durations.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Log lines as the library writes them: a command before may have set their level, and a service that another test
    left open in the background may write some. They go to where no test reads an answer from."""
    structlog.configure(
        wrapper_class=structlog.BoundLogger, logger_factory=lambda *_: structlog.PrintLogger(sys.__stderr__)
    )


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
COVERED = "covered"  # a property of the tests that measure: a row of the table
SCENARIO = "S51"
ACCREDITED_UNTIL = 4_000_000_000
NOTICE = 10 * 86_400
DELAY = 3_600


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under ``-n``: one worker takes what stands together, and what takes long begins first."""
    from tests.sharing import Sharing

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order in which ``pytest_xdist_make_scheduler`` hands them out."""
    if hasattr(config, "workerinput"):
        from tests.sharing import in_order

        in_order(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of what was measured, before the closing line; from the reports, which reach it from any worker."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [told for report in reports for told in getattr(report, "user_properties", ())]
    files = {Covered(*row) for name, row in properties if name == COVERED}
    if files:
        terminalreporter.section("coverage")
        terminalreporter.write_line(table(sorted(files, key=lambda file: file.path)))


@dataclass(frozen=True, slots=True)
class TestParty:
    """A party on the test chain: ``no`` follows the order of ``ROLES_OF``."""

    __test__ = False

    no: int
    id: str
    key: str
    account: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with our contracts and the parties of ``ROLES_OF``. ``client`` sends as the issuer; ``acting`` as any
    other."""

    node: LocalNode
    deployment: Deployment
    client: ChainClient
    reader: ChainReader
    parties: dict[str, TestParty]

    def acting(self, name: str) -> ChainClient:
        return self.client.with_account(self.parties[name].key)

    def propose(self, call: Call, by: str = "founder") -> int:
        """The number of a new proposal; a list of parties is proposed by its digest."""
        registers = call.function == "register"
        proposed = calls.propose_registration(self.client.act_of(call)) if registers else calls.propose(call)
        return proposal_of(self.acting(by).send(proposed))

    def decide(self, call: Call, by: str = "founder", confirmer: str | None = "second") -> Receipt:
        """Propose, confirm and carry out; without a confirmer a party decides on its own key."""
        number = self.propose(call, by)
        if confirmer is not None:
            receipt = self.acting(confirmer).send(calls.confirm(number, call))
            if receipt.named("ProposalEnded"):
                return receipt
        if self.deployment.delay:
            self.node.advance(self.deployment.delay)
        return self.client.send(calls.carry_out(number, call))

    def proof(self, private_key: str, number: int = 0) -> str:
        """The proof of possession of a secp256k1 key, for the party of that number; 0 for first keys."""
        key = bytes.fromhex(private_key)
        return prove_key(self.deployment.chain, LocalSigner(key, account_of(key)), number)

    def rotate(self, name: str, private_key: str) -> Receipt:
        """A party replaces its key."""
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
    """A running local node, shared by all tests: restore what you change with the ``chain`` fixture."""
    funded = [party.account for party in PARTIES.values()]
    with LocalNode(tmp_path_factory.mktemp("node"), funded=funded, persistent=False) as running:
        yield running


@pytest.fixture(scope="session")
def deployment(node: LocalNode) -> Deployment:
    """Our contracts on the session's node, with all parties registered and the issuer accredited."""
    return deployed_on(node)


@pytest.fixture(scope="session")
def waiting_deployment(node: LocalNode) -> Deployment:
    """The same once more, with proposals that wait."""
    return deployed_on(node, delay=DELAY)


def deployed_on(node: LocalNode, delay: int = 0) -> Deployment:
    """Our contracts with the parties of ``PARTIES``, which the node has funded."""
    return deploy(node.url, PARTIES["founder"].key, FOUNDING, delay=delay, network="test", notice=NOTICE)


@pytest.fixture
def chain(node: LocalNode, deployment: Deployment) -> Iterator[Chain]:
    """The deployed contracts with their parties; whatever the test does is undone after it."""
    yield from _on(node, deployment)


@pytest.fixture
def waiting_chain(node: LocalNode, waiting_deployment: Deployment) -> Iterator[Chain]:
    """As ``chain``, with proposals that wait for ``DELAY`` seconds. Not for the same test as ``chain``."""
    yield from _on(node, waiting_deployment)


def _on(node: LocalNode, deployed: Deployment) -> Iterator[Chain]:
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployed, PARTIES["issuer"].key)
    yield Chain(node, deployed, client, ChainReader(client), dict(PARTIES))
    node.revert(token)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of ``pingzheng demo``, with its own temporary folder in it."""
    folder = tmp_path_factory.mktemp("demo")
    from tests.test_demo import run

    (folder / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch, watched(folder / "tmp") as seen:
        patch.setenv("PINGZHENG_LOG", "DEBUG")
        patch.setenv("TMPDIR", str(folder / "tmp"))
        result = run(folder, "demo", "--home", str(folder / "var"), "--out", str(folder / "demo-out"))
    assert result.returncode == 0, result.stdout + result.stderr
    # What it said, and what others could see of it meanwhile, is searched for personal text.
    (folder / "demo.arguments").write_bytes(b"\n".join(sorted(seen.arguments)))
    (folder / "demo.temporary").write_bytes(b"\n".join(sorted(seen.temporary)))
    (folder / "demo.stdout").write_text(result.stdout, "utf-8")
    (folder / "demo.stderr").write_text(result.stderr, "utf-8")
    return folder
