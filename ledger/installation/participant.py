"""The parts that every installation on the chain has, the operator's and a joined party's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
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


@dataclass(frozen=True, slots=True)
class Participant:
    """An open installation.

    ``party`` is the id of its own party. ``client`` sends from that party's account. ``attempts`` counts wrong tokens,
    keys and codes. ``readings`` records who used a subject's data. ``roles`` are read from the index.
    """

    settings: Settings
    clock: Clock
    database: Database
    client: ChainClient
    reader: ChainReader
    follower: Follower
    party: str
    callers: Callers
    sessions: Sessions
    machine_keys: MachineKeys
    attempts: Attempts
    readings: Readings
    roles: Roles
    verification: Verification
    presentations: Presentations
    certificate_views: CertificateViews
    provenances: Provenances
    inspection: Inspection
    proposals: Proposals
    pauses: Pauses

    def actor(self, identifier: str) -> Actor:
        """Return a party with its roles, as the acting party."""
        self.follower.sync()
        return self.roles.actor(identifier)

    def flush(self) -> None:
        """Write the readings and uses of machine keys that are still in memory.

        They stay in memory while a finding keeps the database from being written.
        """
        if self.database.standing is not None:
            return
        self.readings.flush()
        self.machine_keys.flush()


def participant(
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
) -> Participant:
    """Put together the parts of an installation; reads no file and no node.

    ``key_of`` returns the public key of an account that may sign in here. A joined installation has ``own_account``
    and no ``anchoring``; the other arguments are as for ``Proposals``.
    """
    reader = ChainReader(client)
    presentations = Presentations(database, reader, follower, clock, keeps_log=anchoring is not None)
    seen, expected = Remembered(reader, settings.home / SEEN), partial(expecting, scenarios)
    uses = Uses(client, reader, custody, party, account_of)
    verification = Verification(database, reader, seen, expected, uses, presentations, clock)
    provenances = Provenances(database, reader, follower)
    machine_keys = MachineKeys(database, clock)
    oldest = settings.oldest_head
    proposals = Proposals(
        database,
        client,
        reader,
        follower,
        relayed,
        lists,
        clock,
        account_of=account_of,
        within_reach=within_reach,
        before_retiring=before_retiring,
        lock=settings.home / "proposing.lock",
    )
    return Participant(
        settings=settings,
        clock=clock,
        database=database,
        client=client,
        reader=reader,
        follower=follower,
        party=party,
        callers=Callers(database, machine_keys.used, clock),
        sessions=Sessions(
            database, Place.of(settings.service_origin, reader.chain), key_of, settings.session_seconds, clock
        ),
        machine_keys=machine_keys,
        attempts=Attempts(),
        readings=Readings(database, clock),
        roles=Roles(database),
        verification=verification,
        presentations=presentations,
        certificate_views=CertificateViews(verification, presentations, provenances),
        provenances=provenances,
        inspection=Inspection(
            database, reader, follower, provenances, coherence, clock, own_account, anchoring=anchoring, oldest=oldest
        ),
        proposals=proposals,
        pauses=Pauses(reader, relayed, proposals, account_of),
    )


def members(part: Any) -> dict[str, Any]:
    """The members of a dataclass by their names."""
    return {field.name: getattr(part, field.name) for field in fields(part)}
