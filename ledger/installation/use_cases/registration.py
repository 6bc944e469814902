"""The use cases of rights registration: applications, review, objections, rights, liens, transfers."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class RegistrationUseCases:
    """The use cases of registration."""

    registrations: Registrations
    applications: Applications
    certificates: RegistrationCertificates
    review: Review
    objections: Objections
    rights: Rights
    liens: Liens
    lineage: Lineage
    assessments: Assessments
    act_documents: ActDocuments
    transfers: Transfers


def registration_use_cases(
    base: Foundation,
    common: Participant,
    parties: PartyUseCases,
    certificates: CertificateUseCases,
    catalogue: CatalogueUseCases,
) -> RegistrationUseCases:
    """Build the use cases of registration."""
    database, reader, follower, acting, clock = base.database, base.reader, base.follower, base.acting, base.clock
    rules, descriptions = base.rules, Descriptions(database, follower)
    documents = ActDocuments(database, base.sealer, follower, base.lookup_key, clock)
    certified = RegistrationCertificates(
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
    return RegistrationUseCases(
        registrations=Registrations(
            database, reader, acting, descriptions, catalogue.data, parties.mandates, rules, clock
        ),
        applications=Applications(database, reader, acting, documents, descriptions, rules, clock),
        certificates=certified,
        review=Review(database, reader, follower, acting, documents, certified, rules, clock),
        objections=Objections(database, reader, follower, acting, documents, rules),
        rights=Rights(database, reader, acting, documents, certified, clock),
        liens=Liens(database, reader, acting, documents, rules),
        lineage=Lineage(acting),
        assessments=Assessments(database, reader, follower, acting, documents, clock),
        act_documents=documents,
        transfers=Transfers(database, reader, follower, acting, common.proposals, certified, documents, rules, clock),
    )
