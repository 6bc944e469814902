"""Fixtures: the application on one ledger, with a session for a party of every role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.index.follower import Follower
from ledger.installation.participant import Participant
from ledger.log.coherence import Coherence
from ledger.provenance.histories import Provenances
from ledger.provenance.inspection import Inspection
from ledger.store.database import Database
from tests.support.api.parts import Api, opened
from tests.support.api.stage import Stage

# No node listens at this address. The address contains a secret, which no response of the API may contain.
NOWHERE = "http://reader:secret@127.0.0.1:9/key"


# The application is closed after the last test of the package. Otherwise a process that a later test forks would
# inherit the locks of the application's background threads.
@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Yield the real application. It closes a batch after one second, and anchors batches in the background."""
    with opened(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture(scope="package")
def stage(api: Api) -> Stage:
    """A stage: a party of every role, and the records that the parties' calls need."""
    return Stage(api)


@contextmanager
def looking_at(api: Api, url: str, deployment: Deployment, database: Database | None = None) -> Iterator[TestClient]:
    """Return the application; its readiness checks use the given node (``url``), contracts and database instead of the
    ledger's own.
    """
    ledger = api.pilot.ledger
    # This is a separate database object for the same file. If it stops writing because of a fault, other tests can
    # still write.
    database = database or Database(ledger.database.engine)
    reader = ChainReader(ChainClient(Connection(url), deployment))
    follower = Follower(database.engine, reader)
    provenances = Provenances(database, reader, follower)
    coherence = Coherence(database, reader, None, ledger.clock, local=False)
    inspection = Inspection(database, reader, follower, provenances, coherence, ledger.clock)

    @contextmanager
    def opened() -> Iterator[Participant]:
        changed = copy(ledger)
        changed.inspection = inspection
        yield changed

    with TestClient(create_app(opened), raise_server_exceptions=False) as client:
        yield client
