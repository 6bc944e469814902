"""Put the operator's ledger together, capability by capability."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.installation.participant import SEEN, Participant, members, participant
from ledger.installation.recovery.loss import Loss, accept_loss
from ledger.installation.use_cases.catalogue import CatalogueUseCases
from ledger.installation.use_cases.certificates import CertificateUseCases
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases
from ledger.installation.use_cases.registration import RegistrationUseCases
from ledger.installation.use_cases.usage import UsageUseCases
from ledger.log.idempotency import Idempotency
from ledger.parties.keys.party_keys import anchor_first
from ledger.parties.offices import Offices
from ledger.parties.roles import Actor
from ledger.privacy.erasure import Erasure
from ledger.privacy.key_rotation import KeyRotation
from ledger.provenance.certificate_views import CertificateViews, OwnCertificates
from ledger.provenance.log_entries import LogEntries
from ledger.rulebooks.scenario_drafts import ScenarioDrafts


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
        """The installation's authority, as the acting party."""
        return self.actor(self.installation.authority_party)

    def actor(self, identifier: str) -> Actor:
        """Return a party with its roles, as the acting party."""
        return self.parties.register.actor(identifier)

    def accept_loss(self) -> Loss:
        """Do ``loss.accept_loss``, and rename ``seen.json`` to ``seen.json.lost``: it describes the lost blocks."""
        seen = self.settings.home / SEEN
        if seen.exists():
            seen.rename(seen.with_name(f"{SEEN}.lost"))
        lost = accept_loss(self.database, self.reader, self.installation.issuer, self.follower)
        self.coherence.check()
        return lost


def wire(base: Foundation) -> Ledger:
    """Put the capabilities together, each over those before it; reads no file and no node."""
    database, reader, follower, clock = base.database, base.reader, base.follower, base.clock
    common = participant(
        base.settings,
        database,
        base.client,
        follower,
        base.custody,
        base.coherence,
        base.scenarios,
        base.acting,
        base.lists,
        clock,
        party=base.installation.operator,
        account_of=base.account_of,
        key_of=base.key_of,
        within_reach=Offices(database, reader, base.custody).within_reach,
        before_retiring=lambda: anchor_first(base.anchoring),
        anchoring=base.anchoring,
    )
    parties = PartyUseCases(base, common)
    certificates = CertificateUseCases(base, common)
    catalogue = CatalogueUseCases(base, parties)
    usage = UsageUseCases(base, parties, certificates)
    own = OwnCertificates(usage.holdings, parties.principals, certificates.bundles, common.readings)
    views = CertificateViews(common.verification, common.presentations, common.provenances, own)
    return Ledger(
        **(members(base) | members(common) | {"certificate_views": views}),
        parties=parties,
        certificates=certificates,
        catalogue=catalogue,
        usage=usage,
        registration=RegistrationUseCases(base, common, parties, certificates, catalogue),
        scenario_drafts=ScenarioDrafts(database, clock),
        own_certificates=own,
        log_entries=LogEntries(database, parties.principals),
        key_rotation=KeyRotation(database, base.sealer, base.archiving),
        erasure=Erasure(database, base.sealer, follower, common.roles, base.archiving, reader.chain.ledger, clock),
        idempotency=Idempotency(database, base.lookup_key, clock),
    )
