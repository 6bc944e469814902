"""What an open ledger does for parties: registering, keys, roles, proposals, mandates."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.installation.participant import Access, access
from ledger.installation.use_cases.foundation import Foundation
from ledger.parties.directory import Directory
from ledger.parties.keys.enrolments import Enrolments
from ledger.parties.keys.party_keys import PartyKeys, anchor_first
from ledger.parties.mandates import Mandates
from ledger.parties.offices import Offices
from ledger.parties.onboarding import Onboarding
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.principals import Principals
from ledger.parties.proposals.pauses import Pauses
from ledger.parties.proposals.proposals import Proposals
from ledger.parties.register import Parties
from ledger.parties.role_changes import RoleChanges


@dataclass(frozen=True)
class PartyUseCases:
    """The use cases of parties."""

    access: Access
    proposals: Proposals
    pauses: Pauses
    register: Parties
    onboarding: Onboarding
    directory: Directory
    enrolments: Enrolments
    keys: PartyKeys
    role_changes: RoleChanges
    mandates: Mandates
    principals: Principals


def party_use_cases(base: Foundation) -> PartyUseCases:
    """Over the foundation alone."""
    database, sealer, reader, follower, clock = base.database, base.sealer, base.reader, base.follower, base.clock
    entrance = access(base.settings, database, reader, clock, key_of=base.key_of)
    lists = RegistrationLists(database, base.client, clock, sealer)
    proposals = Proposals(
        database,
        base.client,
        reader,
        follower,
        base.acting,
        lists,
        clock,
        account_of=base.account_of,
        within_reach=Offices(database, reader, base.custody).within_reach,
        before_retiring=lambda: anchor_first(base.anchoring),
        lock=base.settings.home / "proposing.lock",
    )
    authority = base.installation.authority_party
    onboarding = Onboarding(
        database, sealer, base.custody, reader, proposals, lists, follower, authority, base.lookup_key, clock
    )
    party_keys = PartyKeys(database, base.client, reader, follower, base.acting, base.custody, proposals)
    proposals.when_changed(party_keys.settle_changed)
    proposals.when_changed(onboarding.complete)
    return PartyUseCases(
        access=entrance,
        proposals=proposals,
        pauses=Pauses(reader, base.acting, proposals, base.account_of),
        register=Parties(database, sealer, follower, entrance.roles, base.lookup_key),
        onboarding=onboarding,
        directory=Directory(database, sealer),
        enrolments=Enrolments(database, onboarding, reader.chain, clock),
        keys=party_keys,
        role_changes=RoleChanges(database, reader, follower, base.acting, proposals),
        mandates=Mandates(database, entrance.roles, clock),
        principals=Principals(database, clock),
    )
