"""The parts that both the operator's installation and a joined party's installation have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from ledger.certificates.verification.presentations import Presentations
from ledger.certificates.verification.uses import Uses
from ledger.certificates.verification.verification import Verification
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.client import ChainClient
from ledger.domain.days import Clock
from ledger.index.follower import Follower
from ledger.installation.settings import Settings
from ledger.log.anchoring import Anchoring
from ledger.log.coherence import Coherence
from ledger.parties.access.attempts import Attempts
from ledger.parties.access.callers import Callers
from ledger.parties.access.machine_keys import MachineKeys
from ledger.parties.access.sessions import Sessions
from ledger.parties.custody import Custody
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.proposals.pauses import Pauses
from ledger.parties.proposals.proposals import Proposals
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor, Roles
from ledger.proof.sign_in import Place
from ledger.provenance.certificate_views import CertificateViews
from ledger.provenance.histories import Provenances
from ledger.provenance.inspection import Inspection
from ledger.provenance.readings import Readings
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import expecting
from ledger.store.database import Database

SEEN: Final = "seen.json"


class Participant:
    """An installation that was opened.

    ``party`` is the id of the installation's own party. ``client`` sends transactions from that party's account.
    ``attempts`` counts wrong tokens, keys and codes. ``readings`` records who used a subject's data. ``roles`` are read
    from the index.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: ChainClient,
        follower: Follower,
        custody: Custody,
        coherence: Coherence,
        scenarios: ScenarioBook,
        relayed: RelayedActs,
        lists: RegistrationLists,
        clock: Clock,
        *,
        party: str,
        account_of: Callable[[str], str],
        key_of: Callable[[str], str | None],
        within_reach: Callable[[Iterable[str]], list[str]],
        before_retiring: Callable[[], None] = lambda: None,
        anchoring: Anchoring | None = None,
        own_account: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        """Build the parts of an installation; reads no file and calls no node.

        ``key_of`` returns the public key of an account that may sign in here. A joined installation has ``own_account``
        and no ``anchoring``; the other arguments are those of ``Proposals``.
        """
        reader, oldest = ChainReader(client), settings.oldest_head
        seen, expected = Remembered(reader, settings.home / SEEN), partial(expecting, scenarios)
        uses = Uses(client, reader, custody, party, account_of)
        place, lock = Place.of(settings.service_origin, reader.chain), settings.home / "proposing.lock"
        self.settings, self.clock, self.database, self.party = settings, clock, database, party
        self.client, self.reader, self.follower = client, reader, follower
        self.machine_keys = MachineKeys(database, clock)
        self.callers = Callers(database, self.machine_keys.used, clock)
        self.sessions = Sessions(database, place, key_of, settings.session_seconds, clock)
        self.attempts = Attempts()
        self.readings = Readings(database, clock)
        self.roles = Roles(database)
        self.presentations = Presentations(database, reader, follower, clock, anchoring is not None)
        self.verification = Verification(seen, expected, clock, database, reader, uses, self.presentations)
        self.provenances = provenances = Provenances(database, reader, follower)
        self.certificate_views = CertificateViews(self.verification, self.presentations, self.provenances)
        self.inspection = Inspection(
            database, reader, follower, provenances, coherence, clock, own_account, anchoring, oldest
        )
        self.proposals = Proposals(
            database,
            reader,
            follower,
            lists,
            clock,
            client,
            relayed,
            account_of,
            within_reach,
            before_retiring,
            lock,
        )
        self.pauses = Pauses(reader, relayed, self.proposals, account_of)

    def actor(self, identifier: str) -> Actor:
        """Return the party with this id as an actor (a party with its roles)."""
        self.follower.sync()
        return self.roles.actor(identifier)

    def flush(self) -> None:
        """Write to the database the records that are still in memory: which data was read, and which API keys were
        used.

        While a finding forbids writing to the database, these records stay in memory.
        """
        if self.database.standing is not None:
            return
        self.readings.flush()
        self.machine_keys.flush()
