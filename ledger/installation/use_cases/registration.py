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
from ledger.registration.use_case import Parts


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
        self.act_documents = ActDocuments(base.database, base.sealer, base.follower, base.lookup_key, base.clock)
        descriptions = Descriptions(base.database, base.follower)
        self.certificates = RegistrationCertificates(
            base.database,
            base.reader,
            certificates.status,
            base.scenarios,
            descriptions,
            base.installation.operator,
            base.reader.chain.ledger,
            base.clock,
            base.settings.home / "certifying.lock",
        )
        parts = Parts(
            base.database,
            base.reader,
            base.follower,
            base.acting,
            self.act_documents,
            descriptions,
            self.certificates,
            base.rules,
            base.clock,
        )
        self.registrations = Registrations(parts, catalogue.data, parties.mandates)
        self.applications = Applications(parts)
        self.review = Review(parts)
        self.objections = Objections(parts)
        self.rights = Rights(parts)
        self.liens = Liens(parts)
        self.lineage = Lineage(parts)
        self.assessments = Assessments(parts)
        self.transfers = Transfers(parts, common.proposals)
