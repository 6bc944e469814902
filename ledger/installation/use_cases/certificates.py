"""The use cases of certificates of every class: status, bundles, holds, disclosures."""

from __future__ import annotations

from ledger.certificates.bundles import Bundles
from ledger.certificates.disclosures import Disclosures
from ledger.certificates.hidden_claims import HiddenClaims
from ledger.certificates.holds import Holds
from ledger.certificates.operations import Operations
from ledger.certificates.status import CertificateStatus
from ledger.installation.participant import Participant
from ledger.installation.use_cases.foundation import Foundation
from ledger.usage.lookups import texts_of


class CertificateUseCases:
    """Holds one object for each use case of certificates."""

    def __init__(self, base: Foundation, common: Participant) -> None:
        database, reader, clock = base.database, base.reader, base.clock
        self.hidden_claims = HiddenClaims(base.sealer, texts_of)
        self.bundles = Bundles(database, self.hidden_claims, reader, base.custody.signer, base.settings.signs_with)
        self.status = CertificateStatus(database, base.client, base.positions)
        self.holds = Holds(database, reader, base.acting, common.proposals)
        self.disclosures = Disclosures(database, self.hidden_claims, clock)
        self.operations = Operations(database, clock)
