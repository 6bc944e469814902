"""Fixtures that more than one layer needs: one local chain for the whole session, as good as new in each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from ledger.chain.accounts import account_of
from ledger.chain.calls import PartyRegistration
from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.deploy import deploy
from ledger.chain.deployment import Deployment
from ledger.chain.names import ROLES
from ledger.chain.node import LocalNode
from ledger.chain.reader import ChainReader
from scripts.cover import Covered, table

# Wide enough that no table is folded; read once, when a console is made.
os.environ["COLUMNS"] = "200"
# On a busy machine slow examples are no finding; what takes long is seen in the durations.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

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
}
COVERED = "covered"  # a property of the tests that measure: a row of the table
SCENARIO = "S51"
ACCREDITED_UNTIL = 4_000_000_000
NOTICE = 10 * 86_400


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
    """A chain with our contracts and ten parties. ``client`` sends as the issuer; ``acting`` as any other."""

    node: LocalNode
    deployment: Deployment
    client: ChainClient
    reader: ChainReader
    parties: dict[str, TestParty]

    def acting(self, name: str) -> ChainClient:
        return self.client.with_account(self.parties[name].key)


def test_key(name: str) -> str:
    return sha256(f"test key of {name}".encode()).hexdigest()


test_key.__test__ = False  # type: ignore[attr-defined]


def test_party(number: int, name: str) -> TestParty:
    key = test_key(name)
    return TestParty(number, sha256(name.encode()).hexdigest(), key, account_of(bytes.fromhex(key)))


test_party.__test__ = False  # type: ignore[attr-defined]
PARTIES = {name: test_party(number, name) for number, name in enumerate(ROLES_OF, start=1)}


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


def deployed_on(node: LocalNode) -> Deployment:
    """Our contracts with the parties of ``PARTIES``, which the node has funded."""
    founder, *others = PARTIES.items()
    deployed = deploy(node.url, founder[1].key, founder[1].id, founder[1].account, network="test", notice=NOTICE)
    authority = ChainClient.at(node.url, deployed, founder[1].key)
    authority.register_parties(
        [
            PartyRegistration(party.id, party.account, sum(1 << ROLES.index(role) for role in ROLES_OF[name]))
            for name, party in others
        ]
    )
    authority.accredit(PARTIES["issuer"].no, SCENARIO, 0, ACCREDITED_UNTIL)
    return deployed


@pytest.fixture
def chain(node: LocalNode, deployment: Deployment) -> Iterator[Chain]:
    """The deployed contracts with ten parties; whatever the test does is undone after it."""
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployment, PARTIES["issuer"].key)
    yield Chain(node, deployment, client, ChainReader(client), dict(PARTIES))
    node.revert(token)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of ``pingzheng demo``."""
    folder = tmp_path_factory.mktemp("demo")
    from tests.test_demo import run

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PINGZHENG_LOG", "DEBUG")
        result = run(folder, "demo", "--home", str(folder / "var"), "--out", str(folder / "demo-out"))
    assert result.returncode == 0, result.stdout + result.stderr
    # What it said is searched for personal text.
    (folder / "demo.stdout").write_text(result.stdout, "utf-8")
    (folder / "demo.stderr").write_text(result.stderr, "utf-8")
    return folder
