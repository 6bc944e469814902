"""The use cases of parties: registering, keys, roles, mandates."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class PartyUseCases:
    """The use cases of parties."""

    register: Parties
    onboarding: Onboarding
    directory: Directory
    enrolments: Enrolments
    keys: PartyKeys
    role_changes: RoleChanges
    mandates: Mandates
    principals: Principals


def party_use_cases(base: Foundation, common: Participant) -> PartyUseCases:
    """Build the use cases of parties."""
    database, sealer, reader, follower, clock = base.database, base.sealer, base.reader, base.follower, base.clock
    roles, proposals, authority = common.roles, common.proposals, base.installation.authority_party
    onboarding = Onboarding(
        database, sealer, base.custody, reader, proposals, base.lists, follower, authority, base.lookup_key, clock
    )
    party_keys = PartyKeys(database, base.client, reader, follower, base.acting, base.custody, proposals)
    proposals.when_changed(party_keys.settle_changed)
    proposals.when_changed(onboarding.complete)
    return PartyUseCases(
        register=Parties(database, sealer, follower, roles, base.lookup_key),
        onboarding=onboarding,
        directory=Directory(database, sealer),
        enrolments=Enrolments(database, onboarding, reader.chain, clock),
        keys=party_keys,
        role_changes=RoleChanges(database, reader, follower, base.acting, proposals),
        mandates=Mandates(database, roles, clock),
        principals=Principals(database, clock),
    )
