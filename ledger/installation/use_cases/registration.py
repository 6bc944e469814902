"""The use cases of rights registration: applications, review, objections, rights, liens, transfers."""

from __future__ import annotations

from ledger.installation.participant import Participant
from ledger.installation.use_cases.catalogue import CatalogueUseCases
from ledger.installation.use_cases.certificates import CertificateUseCases
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases
from ledger.registration.act_documents import ActDocuments
from ledger.registration.applications import Applications
from ledger.registration.assessments import Assessments
from ledger.registration.certificates import RegistrationCertificates
from ledger.registration.descriptions import Descriptions
from ledger.registration.liens import Liens
from ledger.registration.lineage import Lineage
from ledger.registration.objections import Objections
from ledger.registration.registrations import Registrations
from ledger.registration.review import Review
from ledger.registration.rights import Rights
from ledger.registration.transfers import Transfers


class RegistrationUseCases:
    """Holds one object for each use case of registration."""

    def __init__(
        self,
        base: Foundation,
        common: Participant,
        parties: PartyUseCases,
        certificates: CertificateUseCases,
        catalogue: CatalogueUseCases,
    ) -> None:
        database, reader, follower, acting, clock = base.database, base.reader, base.follower, base.acting, base.clock
        rules, descriptions = base.rules, Descriptions(database, follower)
        self.act_documents = ActDocuments(database, base.sealer, follower, base.lookup_key, clock)
        self.certificates = RegistrationCertificates(
            database,
            base.sealer,
            reader,
            certificates.status,
            base.scenarios,
            descriptions,
            base.installation.operator,
            reader.chain.ledger,
            clock,
            lock=base.settings.home / "certifying.lock",
        )
        self.registrations = Registrations(
            database, reader, acting, descriptions, catalogue.data, parties.mandates, rules, clock
        )
        self.applications = Applications(database, reader, acting, self.act_documents, descriptions, rules, clock)
        self.review = Review(database, reader, follower, acting, self.act_documents, self.certificates, rules, clock)
        self.objections = Objections(database, reader, follower, acting, self.act_documents, rules)
        self.rights = Rights(database, reader, acting, self.act_documents, self.certificates, clock)
        self.liens = Liens(database, reader, acting, self.act_documents, rules)
        self.lineage = Lineage(acting)
        self.assessments = Assessments(database, reader, follower, acting, self.act_documents, clock)
        self.transfers = Transfers(
            database, reader, follower, acting, common.proposals, self.certificates, self.act_documents, rules, clock
        )
