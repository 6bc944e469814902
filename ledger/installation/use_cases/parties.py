"""The use cases of parties: registering, keys, roles, mandates."""

from __future__ import annotations

from ledger.installation.participant import Participant
from ledger.installation.use_cases.foundation import Foundation
from ledger.parties.directory import Directory
from ledger.parties.keys.enrolments import Enrolments
from ledger.parties.keys.party_keys import PartyKeys
from ledger.parties.mandates import Mandates
from ledger.parties.onboarding import Onboarding
from ledger.parties.principals import Principals
from ledger.parties.register import Parties
from ledger.parties.role_changes import RoleChanges


class PartyUseCases:
    """Holds one object for each use case of parties."""

    def __init__(self, base: Foundation, common: Participant) -> None:
        database, sealer, reader, follower, clock = base.database, base.sealer, base.reader, base.follower, base.clock
        roles, proposals, authority = common.roles, common.proposals, base.installation.authority_party
        self.onboarding = Onboarding(
            database, sealer, base.custody, reader, proposals, base.lists, follower, authority, base.lookup_key, clock
        )
        self.keys = PartyKeys(database, base.client, reader, follower, base.acting, base.custody, proposals)
        proposals.when_changed(self.keys.settle_changed)
        proposals.when_changed(self.onboarding.complete)
        self.register = Parties(database, sealer, follower, roles, base.lookup_key)
        self.directory = Directory(database, sealer)
        self.enrolments = Enrolments(database, self.onboarding, reader.chain, clock)
        self.role_changes = RoleChanges(database, reader, follower, base.acting, proposals)
        self.mandates = Mandates(database, roles, clock)
        self.principals = Principals(database, clock)
