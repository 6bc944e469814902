"""One officer, supervisor or admin acts alone. The worst that it can do is to stop a party from acting, and everybody
can see that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.chain.sending import calls
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import OPEN_FOR
from ledger.errors import Conflict
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.newcomers import NewParty
from ledger.proof.acts import prove_key
from tests.support.actors.officers import Powers, founded
from tests.threats.refusals import a_firm, consent_fails, refused


@pytest.fixture(scope="module")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powers]:
    with founded(tmp_path_factory.mktemp("officers")) as made:
        yield made


def test_one_authority_or_supervisor_cannot_suspend_an_issuer(powers: Powers) -> None:
    """A suspended issuer fails check 3, so all its certificates would fail at once. Therefore one authority or
    supervisor alone may suspend only an ordinary firm.
    """
    firm, _, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    issuer = powers.no(powers.ledger.installation.operator)
    suspend = calls.set_status(issuer, "suspended", "investigation")
    for guardian in (powers.officers.supervisor, powers.officers.first):
        refused(lambda guardian=guardian: powers.act(guardian, suspend), "PARTY_NOT_DECIDED")
    assert powers.judged(number, owner).valid


def test_an_admin_removes_an_ordinary_role_and_an_authority_restores_it(powers: Powers) -> None:
    """Without the role, the firm cannot do some acts for a while. Its certificates stay valid, and it can still
    withdraw and veto.
    """
    firm, party, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    admin = powers.pilot.party(PartyKind.OPERATOR, Role.ADMIN)
    powers.pass_delay()
    powers.ledger.proposals.tick()
    no = powers.no(party)
    had = powers.ledger.reader.party(no).roles
    powers.act(admin, calls.set_roles(no, 0))
    assert powers.ledger.reader.party(no).roles == ()
    assert powers.judged(number, owner).valid
    refused(lambda: powers.act(admin, calls.set_status(no, "suspended", "sanction")), "PARTY_LACKS_ROLE")
    powers.act(powers.officers.third, calls.set_roles(no, Role.mask(Role(role) for role in had)))
    assert powers.ledger.reader.party(no).roles == had
    (consent, *_) = powers.ledger.usage.authorizations.page(party, None, 1)
    powers.act(admin, calls.set_roles(no, 0))
    powers.send(owner.kid, calls.withdraw(consent.digest))
    assert consent_fails(powers.judged(number, owner)) == "AUTHORIZATION_WITHDRAWN"


def test_an_admin_that_onboards_a_party_counts_as_the_proposer(powers: Powers) -> None:
    """If the admin did not count as the proposer, the service could propose in the authority's name, and the admin's
    institution could confirm. One institution would then have decided alone.
    """
    ledger = powers.ledger
    admin = powers.pilot.party(PartyKind.OPERATOR, Role.ADMIN)
    powers.pass_delay()
    ledger.proposals.tick()
    (account,) = ledger.custody.create()
    key = ledger.custody.public_key(account)
    newcomer = NewParty(PartyKind.ENTERPRISE, "Newcomer", synthetic_uscc("440800", 9999), "440800", key)
    (row,) = ledger.parties.onboarding.onboard(ledger.actor(admin), [newcomer])
    proposal = ledger.proposals.get(ledger.reader.account(account).proposal)
    assert row.no and proposal.by == admin and proposal.confirmed_by not in (None, admin)
    keyless = NewParty(PartyKind.ENTERPRISE, "Keyless", synthetic_uscc("440800", 9998), "440800", "")
    (waiting,) = ledger.parties.onboarding.onboard(ledger.authority, [keyless])
    code = ledger.parties.enrolments.issue(ledger.actor(admin), waiting.id).code
    signer = ledger.custody.signer(*ledger.custody.create())
    ledger.parties.enrolments.redeem(code, signer.public_key, prove_key(ledger.reader.chain, signer))
    proposal = ledger.proposals.get(ledger.reader.account(signer.kid).proposal)
    assert proposal.by == admin and proposal.confirmed_by not in (None, admin)


def test_an_authority_that_keeps_its_own_key_signs_its_proposals(powers: Powers) -> None:
    """The service keeps the key of a second authority. The service uses this key to confirm the first authority's
    proposal only if the second authority asks for it.
    """
    ledger, key = powers.ledger, new_key()
    signer, newcomer = signer_of_key(key), signer_of_key(new_key())
    proof, code = prove_key(ledger.reader.chain, signer), synthetic_uscc("440800", 9997)
    roles = frozenset({Role.ADMIN})
    (admin,) = ledger.parties.onboarding.onboard(
        ledger.authority, [NewParty(PartyKind.OPERATOR, "Away", code, "440800", signer.public_key, roles, proof)]
    )
    powers.pass_delay()
    ledger.proposals.tick()
    proof, code = prove_key(ledger.reader.chain, newcomer), synthetic_uscc("440800", 9996)
    firm = NewParty(PartyKind.ENTERPRISE, "Firm", code, "440800", newcomer.public_key, proof=proof)
    with pytest.raises(Conflict, match="SIGNATURE_REQUIRED") as asked:
        ledger.parties.onboarding.onboard(ledger.actor(admin.id), [firm])
    signed = sign_request(ForwardRequest(asked.value.details["typed_data"]), bytes.fromhex(key))
    (row,) = ledger.parties.onboarding.onboard(replace(ledger.actor(admin.id), signed=signed), [firm])
    proposal = ledger.proposals.get(ledger.parties.onboarding.pending(row.id) or 0)
    assert (proposal.by, proposal.confirmed_by, row.no) == (admin.id, None, None)
    keyless = NewParty(PartyKind.ENTERPRISE, "Keyless", synthetic_uscc("440800", 9995), "440800", "")
    (waiting,) = ledger.parties.onboarding.onboard(ledger.authority, [keyless])
    refused(
        lambda: ledger.parties.enrolments.issue(ledger.actor(admin.id), waiting.id),
        "OFFICE_KEY_NOT_HERE",
    )
    assert ledger.proposals.confirm(ledger.actor(powers.officers.second), proposal.no).state == "carried_out"
    assert ledger.parties.register.get(row.id).no


def test_repeated_proposals_are_listed_and_vetoed_one_by_one(powers: Powers) -> None:
    """A thief or two officers repeat a proposal. Each proposal needs one signed veto; any account can send it."""
    _, party, owner = a_firm(powers)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    own = [powers.propose(owner.kid, call) for _ in range(5)]
    numbers = [*own, *(powers.decided(call) for _ in range(5))]
    powers.ledger.follower.sync()
    assert [row.no for row in powers.ledger.proposals.pending(party)] == numbers
    for number in numbers:
        powers.send(powers.account(powers.cast.bank), powers.veto_by(owner, number))
    powers.ledger.follower.sync()
    assert powers.ledger.proposals.pending(party) == []
    powers.pass_delay()
    for number in numbers:
        refused(lambda number=number: powers.carry_out(number, call), "PARTY_NOT_PENDING")


def test_an_officer_cannot_cancel_what_two_other_officers_decided_about_this_officer(powers: Powers) -> None:
    """While a decision of two other officers about an officer waits, this officer can cancel no proposal. So the two
    other officers can replace this officer.
    """
    officers, bank = powers.officers, powers.no(powers.cast.bank)
    rogue = powers.no(officers.third)
    had = powers.ledger.reader.party(rogue).roles
    strip = calls.set_roles(rogue, 0)
    taking = powers.decided(strip)
    appoint = calls.set_roles(bank, Role.mask({Role.CONSUMER, Role.AUTHORITY}))
    appointing = powers.decided(appoint)
    refused(lambda: powers.act(officers.third, calls.cancel(taking)), "PARTY_SELF_GRANT")
    refused(lambda: powers.act(officers.third, calls.cancel(appointing)), "PARTY_ACCUSED")
    powers.pass_delay()
    powers.carry_out(appointing, appoint)
    powers.carry_out(taking, strip)
    assert powers.ledger.reader.officers() == 3
    refused(lambda: powers.propose(powers.account(officers.third), appoint), "PARTY_LACKS_ROLE")
    # The other tests need the third officer. So this test gives the officer's roles back, and lets decisions about the
    # officer expire.
    restored = calls.set_roles(rogue, Role.mask(Role(role) for role in had))
    dismissed = calls.set_roles(bank, Role.mask({Role.CONSUMER}))
    numbers = {powers.decided(call): call for call in (restored, dismissed)}
    powers.pass_delay()
    for number, call in numbers.items():
        powers.carry_out(number, call)
    powers.pilot.skip(OPEN_FOR + 1)
