"""Two institutions reassign the asset of a holder that can no longer act. For a holder that can still act, see
tests/chain/sending/test_powers_attacks.py.
"""

from __future__ import annotations

import pytest

from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.parties.proposals.proposals import Proposal
from tests.support.actors.pilots import Pilot, resource

GROUNDS = "Its keys are lost, and it was onboarded again."


class Silent:
    """A provider with a confirmed asset that then loses its only key."""

    def __init__(self, pilot: Pilot, code: str) -> None:
        self.pilot, self.ledger = pilot, pilot.ledger
        self.authority = pilot.ledger.installation.authority_party
        self.holder = pilot.party(PartyKind.UTILITY, Role.PROVIDER)
        (self.asset,) = pilot.handed_in(resource(code), by=self.holder)
        pilot.take_through([self.asset])
        self.number = str(self.ledger.registration.registrations.get(self.asset)["certificate_no"])
        self.heir = pilot.party(PartyKind.UTILITY, Role.PROVIDER)

    def loses_its_key(self) -> None:
        account = self.ledger.parties.register.get(self.holder).account
        assert self.ledger.parties.keys.report(self.ledger.actor(self.authority), self.holder, account) is None

    def reassigned(self, by: str | None = None) -> Proposal:
        return self.ledger.registration.transfers.reassign(
            self.ledger.actor(by or self.authority), self.asset, self.heir, GROUNDS
        )


def test_the_new_holder_gets_a_certificate_that_supersedes_the_old_certificate(pilot: Pilot) -> None:
    it = Silent(pilot, "silent/1")
    it.loses_its_key()
    row = it.reassigned()
    assert (row.state, row.kind, row.by) == ("carried_out", "reassign", it.authority)
    assert row.confirmed_by not in (None, it.authority)
    assert pilot.record(it.asset).holder == it.heir
    newest = pilot.ledger.registration.registrations.get(it.asset)
    assert pilot.verified(str(newest["certificate_no"])).valid
    assert pilot.ledger.verification.status(it.number)["state"] == "superseded"
    (event,) = [each for each in pilot.history(it.asset) if each["name"] == "Reassigned"]
    assert (event["names"]["from"], event["names"]["to"]) == (it.holder, it.heir)
    document = pilot.ledger.registration.act_documents.read(event["args"]["grounds"])
    assert (document["kind"], document["by"]) == ("reassignment", it.authority)
    assert GROUNDS in document["text"]


def test_the_asset_of_a_closed_holder_can_be_reassigned_and_stays_frozen(pilot: Pilot) -> None:
    it = Silent(pilot, "silent/2")
    pilot.ledger.registration.transfers.freeze(pilot.actor(pilot.cast.supervisor), it.asset, "court")
    row = pilot.ledger.parties.role_changes.set_status(
        pilot.ledger.actor(it.authority), it.holder, "closed", "sanction"
    )
    assert row is not None and row.state == "carried_out"
    it.reassigned()
    assert (pilot.record(it.asset).holder, pilot.record(it.asset).frozen) == (it.heir, True)


def test_the_grounds_are_stored_while_the_reassignment_is_only_proposed(pilot: Pilot) -> None:
    """The new holder has been suspended before the second institution confirms, so the reassignment is refused. But the
    proposal stays and can be carried out later, so the text of its grounds must be kept.
    """
    it, ledger = Silent(pilot, "silent/3"), pilot.ledger
    it.loses_its_key()
    before = pilot.act_documents_of(it.asset)
    ledger.parties.role_changes.set_status(ledger.authority, it.heir, "suspended", "investigation")
    with pytest.raises(InvalidInput, match="ASSET_BAD_RECIPIENT"):
        it.reassigned()
    (kept,) = set(pilot.act_documents_of(it.asset)) - set(before)
    assert GROUNDS in pilot.ledger.registration.act_documents.read(kept)["text"]
    ledger.parties.role_changes.set_status(ledger.authority, it.heir, "active", "lifted")
    assert it.reassigned().state == "carried_out"
    assert pilot.history(it.asset)[-1]["args"]["grounds"] == kept


def test_a_reassignment_that_is_refused_at_once_stores_nothing(pilot: Pilot) -> None:
    it, transfers = Silent(pilot, "silent/4"), pilot.ledger.registration.transfers
    before = pilot.act_documents_of(it.asset)
    with pytest.raises(Conflict, match="ASSET_HOLDER_SPEAKS"):
        it.reassigned()
    it.loses_its_key()
    for other in (pilot.cast.registrar, pilot.cast.supervisor, it.heir):
        with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
            it.reassigned(other)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        transfers.reassign(pilot.actor(it.authority), it.asset, "ab" * 32, GROUNDS)
    with pytest.raises(InvalidInput, match="REASON_LENGTH"):
        transfers.reassign(pilot.actor(it.authority), it.asset, it.heir, " ")
    with pytest.raises(Conflict, match="ASSET_NOT_ON_CHAIN"):
        transfers.reassign(pilot.actor(it.authority), "cd" * 32, it.heir, GROUNDS)
    assert pilot.act_documents_of(it.asset) == before
    assert [row for row in pilot.ledger.proposals.pending() if row.kind == "reassign"] == []
