"""Attacks by officers and admins on parties and on other officers: no officer alone can make a permanent change."""

from __future__ import annotations

import hashlib

from ledger.certificates.lookups import certificate
from ledger.chain.sending import calls
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import OPEN_FOR
from ledger.proof.jws import Signer
from tests.support.actors.officers import Powers
from tests.threats.refusals import a_firm, refused

# Attack: a firm gets a second party id.


def test_one_admin_alone_cannot_register_a_second_id_of_a_party(powers: Powers) -> None:
    """The admin cannot confirm its own proposal; a second institution must confirm exactly the proposed list."""
    admin = powers.pilot.party(PartyKind.OPERATOR, Role.ADMIN)
    powers.pass_delay()
    powers.ledger.proposals.tick()
    second = hashlib.sha256(b"a second id").hexdigest()
    call = powers.registration(second, powers.key())
    account = powers.account(admin)
    refused(lambda: powers.send(account, call), "PARTY_NOT_DECIDED")
    (event,) = powers.send(account, calls.propose_registration(powers.ledger.client.act_of(call))).named("Proposed")
    number = event.args["no"]
    refused(lambda: powers.send(account, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_CONFIRMED")
    other = powers.registration(second, powers.key())
    refused(lambda: powers.act(powers.officers.first, calls.confirm(number, other)), "PARTY_ACT_DIFFERS")
    assert powers.ledger.reader.party_no(second) == 0
    powers.ledger.follower.sync()
    assert number in [row.no for row in powers.ledger.proposals.pending()]
    refused(lambda: powers.act(powers.officers.third, calls.cancel(number)), "PARTY_NOT_CANCELLABLE")
    powers.pilot.skip(OPEN_FOR + 1)
    refused(lambda: powers.act(powers.officers.first, calls.confirm(number, call)), "PARTY_PROPOSAL_EXPIRED")


def test_a_registration_list_with_another_partys_key_is_refused(powers: Powers) -> None:
    """Binding a key needs a proof that the party possesses the key. So nobody can block another party's key by
    registering the key first.
    """
    victim, thief = powers.key(), powers.key()
    second = hashlib.sha256(b"a party with another's key").hexdigest()
    proof = powers.registration(second, thief).args[0][0][1][0][1]
    call = calls.register_parties([calls.PartyRegistration(second, ((victim.kid, proof),), 1)])
    (event,) = powers.act(powers.officers.first, calls.propose_registration(powers.ledger.client.act_of(call))).named(
        "Proposed"
    )
    confirm = calls.confirm(event.args["no"], call)
    refused(lambda: powers.act(powers.officers.second, confirm), "PARTY_PROOF_INVALID")


# Attacks by officers on other officers and on parties.


def test_two_officers_cannot_remove_a_third_officer(powers: Powers) -> None:
    """The contract refuses any act after which fewer than three officers would remain. The third officer itself cannot
    cancel a proposal about itself; another officer can.
    """
    officers, reader = powers.officers, powers.ledger.reader
    no = powers.no(officers.third)
    strip, close = calls.set_roles(no, 0), calls.set_status(no, "closed", "sanction")
    report = calls.report(no, powers.account(officers.third))
    refused(lambda: powers.act(officers.first, strip), "PARTY_OFFICE_BY_PROPOSAL")
    refused(lambda: powers.act(officers.first, close), "PARTY_NOT_DECIDED")
    refused(lambda: powers.act(officers.first, report), "PARTY_NOT_DECIDED")
    numbers = {powers.decided(call): call for call in (strip, close, report)}
    cancelled = powers.decided(calls.set_status(no, "suspended", "court"))
    refused(lambda: powers.act(officers.third, calls.cancel(cancelled)), "PARTY_SELF_GRANT")
    powers.act(officers.second, calls.cancel(cancelled))
    powers.pass_delay()
    for number, call in numbers.items():
        refused(lambda number=number, call=call: powers.carry_out(number, call), "PARTY_TOO_FEW_OFFICERS")
    assert (reader.officers(), powers.state(cancelled)) == (3, "cancelled")
    assert reader.party(no).status == "active"
    powers.pilot.skip(OPEN_FOR + 1)


def test_no_officer_gives_itself_roles_or_accreditations(powers: Powers) -> None:
    officer = powers.officers.first
    account, no = powers.account(officer), powers.no(officer)
    for call in (calls.set_roles(no, 0b11111111111), calls.accredit(no, "S51", 1, 4_000_000_000)):
        refused(lambda call=call: powers.propose(account, call), "PARTY_SELF_GRANT")
    refused(lambda: powers.send(account, calls.accredit(powers.no(powers.cast.bank), "S51", 1, 2)), "PARTY_NOT_DECIDED")


def test_one_officer_cannot_close_a_party_or_set_the_time_of_a_compromise(powers: Powers) -> None:
    """Issued certificates stay valid, even those of the firm that the officer tried to close."""
    firm, party, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    no, operator = powers.no(party), powers.no(powers.ledger.installation.operator)
    key = powers.account(powers.ledger.installation.operator)
    tries = [
        calls.set_status(no, "closed", "sanction"),
        calls.set_status(operator, "closed", "sanction"),
        calls.date_compromise(operator, key, 1),
    ]
    officer = powers.account(powers.officers.first)
    for call in tries:
        refused(lambda call=call: powers.send(officer, call), "PARTY_NOT_DECIDED")
        proposal = powers.propose(officer, call)
        powers.act(powers.officers.second, calls.cancel(proposal))
        refused(lambda proposal=proposal, call=call: powers.carry_out(proposal, call), "PARTY_NOT_PENDING")
    assert powers.judged(number, owner).valid


def test_two_accounts_of_one_party_do_not_count_as_two_officers(powers: Powers) -> None:
    first = powers.officers.first
    second_account = powers.further_key(first)
    call = calls.set_status(powers.no(a_firm(powers)[1]), "closed", "sanction")
    number = powers.propose(powers.account(first), call)
    refused(lambda: powers.send(second_account.kid, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    powers.act(powers.officers.third, calls.cancel(number))


def test_an_officer_cannot_confirm_a_proposal_about_itself(powers: Powers) -> None:
    call = calls.set_roles(powers.no(powers.officers.second), Role.mask({Role.AUTHORITY, Role.ADMIN}))
    number = powers.propose(powers.account(powers.officers.first), call)
    refused(lambda: powers.act(powers.officers.second, calls.confirm(number, call)), "PARTY_SELF_GRANT")
    powers.act(powers.officers.third, calls.cancel(number))


# Attacks on holds.


def held_by_a_supervisor(powers: Powers) -> tuple[str, Signer, list[str]]:
    firm, _, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    powers.ledger.certificates.holds.hold(number, "court", powers.officers.supervisor)
    with powers.ledger.database.read() as session:
        digest = certificate(session, number).digest
    return number, owner, [digest]


def test_a_hold_cannot_be_lifted_by_one_officer_or_by_officers_of_another_role(powers: Powers) -> None:
    number, owner, held = held_by_a_supervisor(powers)
    officers, lift = powers.officers, calls.lift("supervisor", held)
    refused(lambda: powers.act(officers.supervisor, lift), "LOG_NOT_DECIDED")
    refused(lambda: powers.propose(powers.account(officers.first), lift), "PARTY_LACKS_ROLE")
    proposal = powers.propose(powers.account(officers.supervisor), lift)
    refused(lambda: powers.act(officers.supervisor, calls.confirm(proposal, lift)), "PARTY_OWN_PROPOSAL")
    refused(lambda: powers.act(officers.first, calls.confirm(proposal, lift)), "PARTY_LACKS_ROLE")
    own = calls.lift("authority", held)
    proposal = powers.propose(powers.account(officers.first), own)
    refused(lambda: powers.act(officers.second, calls.confirm(proposal, own)), "LOG_NOT_HELD")
    refused(lambda: powers.act(officers.third, calls.cancel(proposal)), "PARTY_NOT_CANCELLABLE")
    refused(lambda: powers.ledger.certificates.status.resume(number, "lifted"), "LOG_NOT_SUSPENDED")
    assert powers.judged(number, owner).result == "suspended"


def test_two_officers_of_one_role_lift_a_hold_of_this_role(powers: Powers) -> None:
    number, owner, _ = held_by_a_supervisor(powers)
    row = powers.ledger.certificates.holds.lift(number, "lifted", powers.officers.supervisor)
    assert (row.state, row.by, row.confirmed_by) == (
        "carried_out",
        powers.officers.supervisor,
        powers.officers.other_supervisor,
    )
    assert powers.judged(number, owner).valid


def test_no_authority_or_supervisor_can_revoke_a_certificate(powers: Powers) -> None:
    """An authority or supervisor has issued no certificates, and only a certificate's issuer can change a status in its
    log.
    """
    firm, _, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    place = powers.ledger.certificates.status.position(number)
    for office in (powers.cast.registrar, powers.officers.first, powers.officers.supervisor):
        for call in (calls.revoke(place.batch, place.index, "fraud"), calls.suspend(place.batch, place.index, "fraud")):
            refused(lambda office=office, call=call: powers.act(office, call), "PARTY_LACKS_ROLE")
    assert powers.judged(number, owner).valid
