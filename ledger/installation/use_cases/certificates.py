"""What an open ledger does with certificates of every class: status, bundles, verification, holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from ledger.certificates.bundles import Bundles
from ledger.certificates.disclosures import Disclosures
from ledger.certificates.holds import Holds
from ledger.certificates.operations import Operations
from ledger.certificates.presentations import Presentations
from ledger.certificates.status import CertificateStatus
from ledger.certificates.uses import Uses
from ledger.certificates.verification import Verification
from ledger.chain.reading.remembering import Remembered
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases
from ledger.rulebooks.templates import expecting

SEEN: Final = "seen.json"


@dataclass(frozen=True)
class CertificateUseCases:
    """The use cases of certificates."""

    bundles: Bundles
    status: CertificateStatus
    holds: Holds
    presentations: Presentations
    verification: Verification
    disclosures: Disclosures
    operations: Operations


def certificate_use_cases(base: Foundation, parties: PartyUseCases) -> CertificateUseCases:
    """Over the use cases of parties."""
    database, reader, clock = base.database, base.reader, base.clock
    presentations = Presentations(database, reader, base.follower, clock, keeps_log=True)
    seen, expected = Remembered(reader, base.settings.home / SEEN), partial(expecting, base.scenarios)
    uses = Uses(base.client, reader, base.custody, base.installation.operator, base.account_of)
    return CertificateUseCases(
        bundles=Bundles(database, base.sealer, reader, base.custody.signer, base.settings.signs_with),
        status=CertificateStatus(database, base.client, base.positions),
        holds=Holds(database, reader, base.acting, parties.proposals),
        presentations=presentations,
        verification=Verification(database, reader, seen, expected, uses, presentations, clock),
        disclosures=Disclosures(database, base.sealer, clock),
        operations=Operations(database, clock),
    )
