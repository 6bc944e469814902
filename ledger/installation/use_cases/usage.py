"""The use cases of usage certificates: requests, authorizations, provisions, issuance, withdrawals, holdings."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.installation.use_cases.certificates import CertificateUseCases
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases
from ledger.usage.authorizations import Authorizations
from ledger.usage.direct_withdrawals import DirectWithdrawals
from ledger.usage.expiry import Expiry
from ledger.usage.holdings.holder_bundles import HolderBundles
from ledger.usage.holdings.overview import Holdings
from ledger.usage.issuing.corrections import Corrections
from ledger.usage.issuing.issuance import Issuance
from ledger.usage.issuing.stops import Stops
from ledger.usage.party_acts import ConsumerActs, OwnStatements, ProviderActs, SubjectActs
from ledger.usage.provisions import Provisions
from ledger.usage.requests import Requests
from ledger.usage.revocations import Revocations
from ledger.usage.status_acts import StatusActs
from ledger.usage.withdrawals import Withdrawals


@dataclass(frozen=True)
class UsageUseCases:
    """The use cases of usage."""

    requests: Requests
    authorizations: Authorizations
    withdrawals: Withdrawals
    direct_withdrawals: DirectWithdrawals
    provisions: Provisions
    consumer_acts: ConsumerActs
    subject_acts: SubjectActs
    provider_acts: ProviderActs
    own_statements: OwnStatements
    expiry: Expiry
    issuance: Issuance
    corrections: Corrections
    revocations: Revocations
    status_acts: StatusActs
    holdings: Holdings
    holder_bundles: HolderBundles


def usage_use_cases(base: Foundation, parties: PartyUseCases, certificates: CertificateUseCases) -> UsageUseCases:
    """Build the use cases of usage."""
    database, sealer, reader, follower, clock = base.database, base.sealer, base.reader, base.follower, base.clock
    register, scenarios, intake, positions = parties.register, base.scenarios, base.intake, base.positions
    status = certificates.status
    withdrawals = Withdrawals(database, base.client, reader, register, intake, positions, status, clock)
    requests = Requests(database, sealer, register, scenarios, intake, base.settings.signs_with.digest, clock)
    authorizations = Authorizations(database, sealer, register, scenarios, intake, clock)
    provisions = Provisions(database, sealer, scenarios, reader.chain, intake, withdrawals.relay, clock)
    issuance = Issuance(database, sealer, Stops(database, reader), scenarios, base.installation.operator, clock)
    revocations = Revocations(database, base.client, follower, base.anchoring)
    holdings = Holdings(database, follower, parties.principals, clock)
    return UsageUseCases(
        requests=requests,
        authorizations=authorizations,
        withdrawals=withdrawals,
        direct_withdrawals=DirectWithdrawals(database, follower, positions, status, clock),
        provisions=provisions,
        consumer_acts=ConsumerActs(requests, parties.mandates),
        subject_acts=SubjectActs(requests, authorizations, withdrawals),
        provider_acts=ProviderActs(authorizations, provisions, withdrawals),
        own_statements=OwnStatements(requests, authorizations, parties.principals),
        expiry=Expiry(database, clock),
        issuance=issuance,
        corrections=Corrections(database, reader, issuance, positions, status),
        revocations=revocations,
        status_acts=StatusActs(status, certificates.holds, revocations, holdings),
        holdings=holdings,
        holder_bundles=HolderBundles(holdings, certificates.bundles),
    )
