"""The use cases of certificates of every class: status, bundles, holds, disclosures."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.certificates.bundles import Bundles
from ledger.certificates.disclosures import Disclosures
from ledger.certificates.holds import Holds
from ledger.certificates.operations import Operations
from ledger.certificates.status import CertificateStatus
from ledger.installation.participant import Participant
from ledger.installation.use_cases.foundation import Foundation


@dataclass(frozen=True)
class CertificateUseCases:
    """The use cases of certificates."""

    bundles: Bundles
    status: CertificateStatus
    holds: Holds
    disclosures: Disclosures
    operations: Operations


def certificate_use_cases(base: Foundation, common: Participant) -> CertificateUseCases:
    """Build the use cases of certificates."""
    database, reader, clock = base.database, base.reader, base.clock
    return CertificateUseCases(
        bundles=Bundles(database, base.sealer, reader, base.custody.signer, base.settings.signs_with),
        status=CertificateStatus(database, base.client, base.positions),
        holds=Holds(database, reader, base.acting, common.proposals),
        disclosures=Disclosures(database, base.sealer, clock),
        operations=Operations(database, clock),
    )
