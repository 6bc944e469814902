"""What every installation on the chain can do, the operator's or a joined party's: verify, use, and look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.certificates.presentations import Presentations
from ledger.certificates.verification import Verification
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.client import ChainClient
from ledger.domain.days import Clock
from ledger.index.follower import Follower
from ledger.installation.settings import Settings
from ledger.parties.access.attempts import Attempts
from ledger.parties.access.callers import Callers
from ledger.parties.access.machine_keys import MachineKeys
from ledger.parties.access.sessions import Sessions
from ledger.parties.proposals.pauses import Pauses
from ledger.parties.proposals.proposals import Proposals
from ledger.parties.roles import Roles
from ledger.proof.sign_in import Place
from ledger.provenance.certificate_views import CertificateViews
from ledger.provenance.histories import Provenances
from ledger.provenance.inspection import Inspection
from ledger.provenance.readings import Readings
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class Access:
    """Who comes in: signing in, keys for machines, wrong tries, and who read what."""

    callers: Callers
    sessions: Sessions
    machine_keys: MachineKeys
    attempts: Attempts
    readings: Readings
    roles: Roles


def access(
    settings: Settings,
    database: Database,
    reader: ChainReader,
    clock: Clock,
    *,
    key_of: Callable[[str], str | None],
) -> Access:
    """``key_of`` gives the public key of an account, of those that may sign in here; no network, no I/O."""
    machine_keys = MachineKeys(database, clock)
    place = Place.of(settings.service_origin, reader.chain)
    return Access(
        callers=Callers(database, machine_keys.used, clock),
        sessions=Sessions(database, place, key_of, settings.session_seconds, clock),
        machine_keys=machine_keys,
        attempts=Attempts(),
        readings=Readings(database, clock),
        roles=Roles(database),
    )


@dataclass(frozen=True, slots=True)
class Participant:
    """An open installation. ``party`` is its own party's id; ``client`` sends from that party's account."""

    settings: Settings
    clock: Clock
    database: Database
    client: ChainClient
    reader: ChainReader
    follower: Follower
    party: str
    access: Access
    verification: Verification
    presentations: Presentations
    certificate_views: CertificateViews
    provenances: Provenances
    inspection: Inspection
    proposals: Proposals
    pauses: Pauses

    @property
    def callers(self) -> Callers:
        """Who calls by which token."""
        return self.access.callers

    @property
    def sessions(self) -> Sessions:
        """Signing in and out."""
        return self.access.sessions

    @property
    def machine_keys(self) -> MachineKeys:
        """Keys for machines."""
        return self.access.machine_keys

    @property
    def attempts(self) -> Attempts:
        """Wrong tokens, keys and codes."""
        return self.access.attempts

    @property
    def readings(self) -> Readings:
        """Who used a subject's data."""
        return self.access.readings

    @property
    def roles(self) -> Roles:
        """Roles by the chain as followed."""
        return self.access.roles

    def flush(self) -> None:
        """Write what readers left to be written; in the background, and when the installation is closed.

        While a finding stands against writing, it waits.
        """
        if self.database.standing is not None:
            return
        self.readings.flush()
        self.machine_keys.flush()
