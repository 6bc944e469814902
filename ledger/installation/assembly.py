"""Puts a ledger together, capability by capability, each over those before it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ledger.domain.days import Clock
from ledger.domain.definitions.ruleset import Ruleset
from ledger.installation.participant import Participant
from ledger.installation.recovery.loss import Loss, accept_loss
from ledger.installation.settings import Settings
from ledger.installation.setup import Installation
from ledger.installation.use_cases.catalogue import CatalogueUseCases, catalogue_use_cases
from ledger.installation.use_cases.certificates import SEEN, CertificateUseCases, certificate_use_cases
from ledger.installation.use_cases.foundation import Foundation, foundation
from ledger.installation.use_cases.parties import PartyUseCases, party_use_cases
from ledger.installation.use_cases.registration import RegistrationUseCases, registration_use_cases
from ledger.installation.use_cases.usage import UsageUseCases, usage_use_cases
from ledger.log.coherence import Coherence
from ledger.log.idempotency import Idempotency
from ledger.parties.custody import Custody
from ledger.parties.roles import Actor
from ledger.privacy.erasure import Erasure
from ledger.privacy.key_rotation import KeyRotation
from ledger.provenance.certificate_views import CertificateViews, OwnCertificates
from ledger.provenance.histories import Provenances
from ledger.provenance.inspection import Inspection
from ledger.provenance.log_entries import LogEntries
from ledger.rulebooks.scenario_drafts import ScenarioDrafts
from ledger.store.database import Database
from ledger.store.sealing import Sealer


@dataclass(frozen=True)
class Ledger(Participant, Foundation):
    """The operator's open ledger: its use cases, one member for each capability."""

    parties: PartyUseCases
    certificates: CertificateUseCases
    catalogue: CatalogueUseCases
    usage: UsageUseCases
    registration: RegistrationUseCases
    scenario_drafts: ScenarioDrafts
    own_certificates: OwnCertificates
    log_entries: LogEntries
    key_rotation: KeyRotation
    erasure: Erasure
    idempotency: Idempotency

    @property
    def authority(self) -> Actor:
        """The installation's authority as one that acts."""
        return self.actor(self.installation.authority_party)

    def actor(self, identifier: str) -> Actor:
        """A party with its roles, as one that acts."""
        return self.parties.register.actor(identifier)

    def accept_loss(self) -> Loss:
        """As ``loss.accept_loss``; what was seen of the lost end of the chain is kept beside the memory of it."""
        seen = self.settings.home / SEEN
        if seen.exists():
            seen.rename(seen.with_name(f"{SEEN}.lost"))
        lost = accept_loss(self.database, self.reader, self.installation.issuer, self.follower)
        self.coherence.check()
        return lost


def wire(
    settings: Settings,
    installation: Installation,
    coherence: Coherence,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
    rules: Ruleset,
    clock: Clock,
) -> Ledger:
    """Put the parts together; no network, no I/O but for reading the scenarios."""
    base = foundation(settings, installation, coherence, custody, database, sealer, lookup_key, rules, clock)
    parties = party_use_cases(base)
    certificates = certificate_use_cases(base, parties)
    catalogue = catalogue_use_cases(base, parties)
    usage = usage_use_cases(base, parties, certificates)
    registration = registration_use_cases(base, parties, certificates, catalogue)
    reader, follower, archiving, roles = base.reader, base.follower, base.archiving, parties.access.roles
    provenances = Provenances(database, reader, follower)
    own = OwnCertificates(usage.holdings, parties.principals, certificates.bundles, parties.access.readings)
    return Ledger(
        **{part.name: getattr(base, part.name) for part in fields(base)},
        party=installation.operator,
        parties=parties,
        certificates=certificates,
        catalogue=catalogue,
        usage=usage,
        registration=registration,
        access=parties.access,
        proposals=parties.proposals,
        pauses=parties.pauses,
        verification=certificates.verification,
        presentations=certificates.presentations,
        scenario_drafts=ScenarioDrafts(database, clock),
        own_certificates=own,
        certificate_views=CertificateViews(certificates.verification, certificates.presentations, provenances, own),
        provenances=provenances,
        inspection=Inspection(
            database,
            reader,
            follower,
            provenances,
            coherence,
            clock,
            anchoring=base.anchoring,
            oldest=settings.oldest_head,
        ),
        log_entries=LogEntries(database, parties.principals),
        key_rotation=KeyRotation(database, sealer, archiving),
        erasure=Erasure(database, sealer, follower, roles, archiving, reader.chain.ledger, clock),
        idempotency=Idempotency(database, lookup_key, clock),
    )
