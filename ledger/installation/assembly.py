"""Build the operator's ledger object, one capability after the other."""

from __future__ import annotations

from ledger.installation.participant import SEEN, Participant
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


class Ledger(Participant, Foundation):
    """The operator's ledger, after it was opened. Each member holds the use cases of one capability."""

    def __init__(self, base: Foundation) -> None:
        """Build the capabilities. Each capability uses only capabilities that were built before. No file is read, and
        no node is called.
        """
        vars(self).update(vars(base))
        super().__init__(
            base.settings,
            base.database,
            base.client,
            base.follower,
            base.custody,
            base.coherence,
            base.scenarios,
            base.acting,
            base.lists,
            base.clock,
            party=base.installation.operator,
            account_of=base.account_of,
            key_of=base.key_of,
            within_reach=Offices(base.database, base.reader, base.custody).within_reach,
            before_retiring=lambda: anchor_first(base.anchoring),
            anchoring=base.anchoring,
        )
        database, chain, clock = self.database, self.reader.chain, self.clock
        self.parties = PartyUseCases(self, self)
        self.certificates = CertificateUseCases(self, self)
        self.catalogue = CatalogueUseCases(self, self.parties)
        self.usage = UsageUseCases(self, self.parties, self.certificates)
        self.registration = RegistrationUseCases(self, self, self.parties, self.certificates, self.catalogue)
        self.scenario_drafts = ScenarioDrafts(database, clock)
        self.own_certificates = OwnCertificates(
            self.usage.holdings, self.parties.principals, self.certificates.bundles, self.readings
        )
        self.certificate_views = CertificateViews(
            self.verification, self.presentations, self.provenances, self.own_certificates
        )
        self.log_entries = LogEntries(database, self.parties.principals)
        self.key_rotation = KeyRotation(database, self.sealer, self.archiving)
        self.erasure = Erasure(database, self.sealer, self.follower, self.roles, self.archiving, chain.ledger, clock)
        self.idempotency = Idempotency(database, self.lookup_key, clock)

    @property
    def authority(self) -> Actor:
        """Return the installation's authority party as an actor (a party with its roles)."""
        return self.actor(self.installation.authority_party)

    def actor(self, identifier: str) -> Actor:
        """Return the party with this id as an actor (a party with its roles)."""
        return self.parties.register.actor(identifier)

    def accept_loss(self) -> Loss:
        """Accept that the local chain lost its last blocks: see ``loss.accept_loss``.

        ``seen.json`` describes lost blocks, so it is renamed to ``seen.json.lost``.
        """
        seen = self.settings.home / SEEN
        if seen.exists():
            seen.rename(seen.with_name(f"{SEEN}.lost"))
        lost = accept_loss(self.database, self.reader, self.installation.issuer, self.follower)
        self.coherence.check()
        return lost
