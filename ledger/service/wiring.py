"""Builds a ledger from its settings: the one place that knows which part needs which."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ledger.chain.client import ChainClient
from ledger.chain.reader import ChainReader
from ledger.chain.relay import Relay
from ledger.index.follower import Follower
from ledger.service.acting import Acting
from ledger.service.anchoring import Anchoring, BatchRule
from ledger.service.authorizations import Authorizations
from ledger.service.bundles import Bundles
from ledger.service.holdings import Holdings
from ledger.service.idempotency import Idempotency
from ledger.service.inspection import Inspection
from ledger.service.installation import Installation, install
from ledger.service.issuance import Issuance
from ledger.service.keys import Custody, FileKeyProvider, SecretFile
from ledger.service.local_chain import open_chain
from ledger.service.operations import Operations
from ledger.service.parties import Parties
from ledger.service.positions import Positions
from ledger.service.provenance import Provenances
from ledger.service.provisions import Provisions
from ledger.service.registrations import Registrations
from ledger.service.scenarios import ScenarioBook
from ledger.service.settings import Settings
from ledger.service.status import CertificateStatus
from ledger.service.transfers import Transfers
from ledger.service.verification import Verification
from ledger.store.database import Database, open_engine
from ledger.store.migrations import upgrade
from ledger.store.sealing import Sealer


def system_clock() -> int:
    """Now, in seconds UTC."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger: its use cases, ready to call."""

    settings: Settings
    installation: Installation
    clock: Callable[[], int]
    database: Database
    sealer: Sealer
    custody: Custody
    client: ChainClient
    reader: ChainReader
    follower: Follower
    scenarios: ScenarioBook
    anchoring: Anchoring
    positions: Positions
    parties: Parties
    authorizations: Authorizations
    provisions: Provisions
    issuance: Issuance
    bundles: Bundles
    verification: Verification
    status: CertificateStatus
    registrations: Registrations
    transfers: Transfers
    provenances: Provenances
    inspection: Inspection
    holdings: Holdings
    operations: Operations
    idempotency: Idempotency


@contextmanager
def open_ledger(settings: Settings, clock: Callable[[], int] = system_clock) -> Iterator[Ledger]:
    """Open the ledger in ``settings.home``, setting it up on first use and starting its local chain if it has one.

    Raises ``ChainUnavailable`` or ``Misconfigured`` when the chain is not there or is not the one it was set up on.
    """
    with ExitStack() as stack:
        settings.home.mkdir(parents=True, exist_ok=True)
        engine = open_engine(settings.database)
        stack.callback(engine.dispose)
        upgrade(engine)
        chain = stack.enter_context(open_chain(settings))
        custody = Custody(settings.keys_folder / "accounts.json")
        database = Database(engine)
        sealer = Sealer(FileKeyProvider(settings.keys_folder))
        lookup_key = SecretFile(settings.keys_folder / "lookup.key").read()
        installation = install(settings.home, chain, custody, database, sealer, lookup_key, clock)
        yield wire(settings, installation, custody, database, sealer, lookup_key, clock)


def wire(
    settings: Settings,
    installation: Installation,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
    clock: Callable[[], int],
) -> Ledger:
    """Put the parts together; no network, no I/O."""
    client = installation.client
    reader = ChainReader(client)
    acting = Acting(Relay(client), custody, clock)
    rule = BatchRule(settings.batch_size, settings.batch_age)
    anchoring = Anchoring(database, client, reader, rule, clock)
    positions = Positions(database, anchoring)
    scenarios = ScenarioBook.load(settings.scenarios)
    status = CertificateStatus(database, client, positions)
    parties = Parties(database, sealer, installation.authority, reader, lookup_key, clock)
    registrations = Registrations(database, sealer, reader, acting, scenarios, installation.operator, clock)
    follower = Follower(database.engine, reader)
    provenances = Provenances(database, reader, follower)
    operator = custody.signer(installation.operator_account)
    return Ledger(
        settings=settings,
        installation=installation,
        clock=clock,
        database=database,
        sealer=sealer,
        custody=custody,
        client=client,
        reader=reader,
        follower=follower,
        scenarios=scenarios,
        anchoring=anchoring,
        positions=positions,
        parties=parties,
        authorizations=Authorizations(database, parties, scenarios, status, positions, clock),
        provisions=Provisions(database, sealer, parties, scenarios, clock),
        issuance=Issuance(database, sealer, scenarios, installation.operator, clock),
        bundles=Bundles(database, sealer, reader, operator),
        verification=Verification(database, client, reader, clock),
        status=status,
        registrations=registrations,
        transfers=Transfers(database, reader, acting, registrations, status, settings.offer_days, clock),
        provenances=provenances,
        inspection=Inspection(database, reader, follower, provenances, clock),
        holdings=Holdings(database),
        operations=Operations(database, clock),
        idempotency=Idempotency(database, clock),
    )
