"""The parts that the operator's use cases share: database, chain, log, keys, scenarios and ruleset."""

from __future__ import annotations

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.relay import Relay
from ledger.domain.days import Clock
from ledger.domain.definitions.ruleset import Ruleset
from ledger.index.follower import Follower
from ledger.installation.recovery.archiving import Archiving
from ledger.installation.settings import Settings
from ledger.installation.setup import Installation
from ledger.log.anchoring import FAILURE, Anchoring, BatchRule, FailureNote
from ledger.log.coherence import Coherence
from ledger.log.positions import Positions
from ledger.parties.custody import Custody
from ledger.parties.lookups import party
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.statements import Intake
from ledger.parties.tables import PartyKey
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store.database import Database
from ledger.store.sealing import Sealer


class Foundation:
    """The parts that use cases share. ``lookup_key`` is the secret key of the keyed digests of parties' identifiers."""

    def __init__(
        self,
        settings: Settings,
        installation: Installation,
        coherence: Coherence,
        custody: Custody,
        database: Database,
        sealer: Sealer,
        lookup_key: bytes,
        rules: Ruleset,
        clock: Clock,
    ) -> None:
        """Build the shared parts. The scenario files are read; no node is called."""
        client = installation.client
        # While database and chain do not fit together, the database refuses writes, and no transactions may be sent.
        client.before_sending = database.require_writable
        rule, note = BatchRule(settings.batch_size, settings.batch_age), FailureNote(settings.home / FAILURE)
        self.settings, self.clock, self.installation, self.coherence = settings, clock, installation, coherence
        self.database, self.sealer, self.custody, self.client = database, sealer, custody, client
        self.rules, self.lookup_key = rules, lookup_key
        self.reader = ChainReader(client)
        self.follower = Follower(database.engine, self.reader, goes_back=settings.rpc_url is not None)
        self.archiving = Archiving(settings, database, self.reader.chain.ledger, clock)
        self.anchoring = Anchoring(
            database, client, self.reader, coherence, installation.issuer, rule, clock, note, self.archiving
        )
        self.positions = Positions(database, self.anchoring)
        self.acting = RelayedActs(Relay(client), custody, database, clock)
        self.lists = RegistrationLists(database, client, clock, sealer)
        self.intake = Intake(self.reader.chain.ledger, clock)
        self.scenarios = ScenarioBook.load(settings.scenarios)

    def account_of(self, identifier: str) -> str:
        """Return the account from which a party sends transactions."""
        with self.database.read() as session:
            return party(session, identifier).account

    def key_of(self, account: str) -> str | None:
        """Return the public key of an account, or None if the account is unknown."""
        with self.database.read() as session:
            key = session.get(PartyKey, account)
        return None if key is None else key.public_key
