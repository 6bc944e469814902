"""The use cases of usage certificates: requests, authorizations, provisions, issuance, withdrawals, holdings."""

from __future__ import annotations

from ledger.installation.use_cases.certificates import CertificateUseCases
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases
from ledger.usage.authorizations import Authorizations
from ledger.usage.batches.batches import Batches
from ledger.usage.batches.kinds import kinds_of
from ledger.usage.batches.runner import BatchRunner
from ledger.usage.batches.withdrawing import ManyWithdrawals
from ledger.usage.direct_withdrawals import DirectWithdrawals
from ledger.usage.expiry import Expiry
from ledger.usage.holdings.holder_bundles import HolderBundles
from ledger.usage.holdings.overview import Holdings
from ledger.usage.issuing.corrections import Corrections
from ledger.usage.issuing.issuance import Issuance
from ledger.usage.party_acts import ConsumerActs, OwnStatements, ProviderActs, SubjectActs
from ledger.usage.provisions import Provisions
from ledger.usage.requests import Requests
from ledger.usage.revocations import Revocations
from ledger.usage.status_acts import StatusActs
from ledger.usage.withdrawals import Withdrawals


class UsageUseCases:
    """Holds one object for each use case of usage certificates."""

    def __init__(self, base: Foundation, parties: PartyUseCases, certificates: CertificateUseCases) -> None:
        database, sealer, reader, follower, clock = base.database, base.sealer, base.reader, base.follower, base.clock
        register, scenarios, intake, positions = parties.register, base.scenarios, base.intake, base.positions
        status = certificates.status
        self.withdrawals = Withdrawals(database, base.client, reader, register, intake, positions, status, clock)
        self.requests = Requests(database, sealer, scenarios, intake, base.settings.signs_with.digest, clock)
        self.authorizations = Authorizations(database, sealer, register, scenarios, intake, clock)
        self.provisions = Provisions(database, sealer, scenarios, reader.chain, intake, self.withdrawals.relay, clock)
        self.issuance = Issuance(database, sealer, follower, scenarios, base.installation.operator, clock)
        self.revocations = Revocations(database, base.client, follower, base.anchoring)
        self.holdings = Holdings(database, follower, parties.principals, clock)
        self.direct_withdrawals = DirectWithdrawals(database, follower, positions, status, clock)
        self.consumer_acts = ConsumerActs(self.requests, parties.mandates)
        self.subject_acts = SubjectActs(self.requests, self.authorizations, self.withdrawals)
        self.provider_acts = ProviderActs(self.authorizations, self.provisions, self.withdrawals)
        self.own_statements = OwnStatements(self.requests, self.authorizations, parties.principals)
        self.expiry = Expiry(database, clock)
        self.corrections = Corrections(database, sealer, reader, self.issuance, positions, status)
        self.status_acts = StatusActs(status, certificates.holds, self.revocations, self.holdings)
        self.holder_bundles = HolderBundles(self.holdings, certificates.bundles)
        acts = self.consumer_acts, self.subject_acts, self.provider_acts
        kinds = kinds_of(*acts, self.issuance, ManyWithdrawals(database, self.withdrawals))
        self.batches = Batches(database, sealer, kinds, clock)
        lock = base.settings.home / "batches.lock"
        self.batch_runner = BatchRunner(database, self.batches, register.actor, clock, lock)
