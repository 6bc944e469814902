"""Proposals wait, and can be confirmed, vetoed and cancelled; reports of lost keys take effect at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.chain.accounts import new_p256_key, new_private_key
from ledger.chain.sending import calls
from ledger.domain.parties import Role
from ledger.domain.powers import OPEN_FOR
from ledger.errors import Conflict, Forbidden, NotFound, PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.custody import signer_of_key
from ledger.parties.proposals.proposals import Proposal
from ledger.proof.acts import report_message, sign_act, veto_message
from ledger.proof.jws import sign_entry
from ledger.proof.suites.suite import ES256
from tests.support.actors.signatures import is_word_of
from tests.support.ledgers.waiting_ledger import DELAY, fresh_key, newcomer, no, officers, proposed, skip

FAR = 4 * 10**9

# Waiting periods of proposals


def test_a_rotation_waits_and_is_then_carried_out_in_the_background(waiting: Ledger) -> None:
    party = newcomer(waiting)
    old, key = waiting.parties.register.get(party).account, fresh_key(waiting)
    row = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, key))
    assert (row.kind, row.role, row.state, row.by, row.concerned) == ("change_key", "", "pending", party, party)
    assert row.arguments["old"] == old
    assert row.ready_at - row.at == DELAY
    assert row.expires_at - row.ready_at == OPEN_FOR
    assert f"pingzheng keys veto {row.no}" in row.how_to_stop
    assert waiting.proposals.pending(party) == [row]
    assert waiting.proposals.tick() == []
    assert waiting.parties.register.get(party).account == old
    skip(waiting, DELAY + 1)
    assert row.no in [done.no for done in waiting.proposals.tick()]
    assert waiting.parties.register.get(party).public_key == key
    assert waiting.proposals.pending(party) == []
    assert waiting.proposals.get(row.no).state == "carried_out"
    events = [change["event"] for change in waiting.parties.keys.changes(waiting.parties.register.actor(party), party)]
    assert events == ["AccountBound", "Proposed", "ProposalEnded", "AccountRetired", "AccountBound"]


def test_a_waiting_proposal_cannot_be_carried_out(waiting: Ledger) -> None:
    party = newcomer(waiting)
    row = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    with pytest.raises(Conflict, match="PARTY_NOT_READY"):
        waiting.proposals.carry_out(row.no)
    skip(waiting, DELAY + 1)
    assert waiting.proposals.carry_out(row.no).state == "carried_out"
    assert waiting.proposals.carry_out(row.no).state == "carried_out"


@pytest.mark.parametrize(
    "act",
    [
        lambda waiting, party: waiting.parties.role_changes.set_status(waiting.authority, party, "closed", "fraud"),
        lambda waiting, party: waiting.parties.role_changes.set_roles(waiting.authority, party, [Role.REGISTRAR]),
        lambda waiting, party: waiting.parties.role_changes.accredit(
            waiting.authority, party, ["S51"], waiting.clock(), waiting.clock() + 10**7
        )[0],
        lambda waiting, party: waiting.parties.keys.recover(waiting.authority, party, fresh_key(waiting)),
        lambda waiting, party: waiting.parties.keys.bind(waiting.authority, party, fresh_key(waiting)),
        lambda waiting, party: waiting.parties.keys.date_compromise(
            waiting.authority, party, waiting.parties.register.get(party).account, waiting.clock() - 9
        ),
    ],
    ids=["close", "office", "accredit", "recover", "bind", "date"],
)
def test_an_act_that_needs_two_authorities_waits_for_the_waiting_period(
    waiting: Ledger, act: Callable[[Ledger, str], Proposal]
) -> None:
    first, second, _ = officers(waiting)
    party = newcomer(waiting)
    skip(waiting, 10)
    row = act(waiting, party)
    assert (row.role, row.state, row.by, row.confirmed_by) == ("authority", "pending", first, second)
    assert row.concerned == party
    assert row in waiting.proposals.pending(party)
    skip(waiting, DELAY + 1)
    assert row.no in [done.no for done in waiting.proposals.tick()]


def test_one_officer_suspends_and_restores_a_party_and_gives_it_ordinary_roles_at_once(waiting: Ledger) -> None:
    party, (first, *_) = newcomer(waiting), officers(waiting)
    before = waiting.reader.proposal_count()
    assert (
        waiting.parties.role_changes.set_status(
            waiting.parties.register.actor(first), party, "suspended", "investigation"
        )
        is None
    )
    assert (
        waiting.parties.role_changes.set_status(waiting.parties.register.actor(first), party, "active", "lifted")
        is None
    )
    assert (
        waiting.parties.role_changes.set_roles(
            waiting.parties.register.actor(first), party, [Role.SUBJECT, Role.CONSUMER]
        )
        is None
    )
    assert waiting.reader.proposal_count() == before
    assert waiting.parties.register.actor(party).roles == {Role.SUBJECT, Role.CONSUMER}


# Confirmation, cancellation and veto of proposals


def test_a_second_officer_who_proposes_the_same_act_confirms_the_first_proposal(waiting: Ledger) -> None:
    _, second, third = officers(waiting)
    party = newcomer(waiting)
    call = calls.accredit(no(waiting, party), "S51", 0, FAR)
    row = waiting.proposals.propose(second, call)
    assert row.confirmed_by is None
    before = waiting.reader.proposal_count()
    assert waiting.proposals.decide(third, call).confirmed_by == third
    assert waiting.proposals.decide(second, call).no == row.no
    assert waiting.reader.proposal_count() == before


def test_a_party_and_two_authorities_can_propose_the_same_change_of_a_key(waiting: Ledger) -> None:
    party, key = newcomer(waiting), fresh_key(waiting)
    theirs = proposed(waiting.parties.keys.recover(waiting.authority, party, key))
    own = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, key))
    assert own.arguments == theirs.arguments
    assert (theirs.role, own.role) == ("authority", "")
    assert (
        proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, key)).no
        == own.no
        != theirs.no
    )
    assert waiting.proposals.pending(party) == [theirs, own]


def test_a_proposal_is_confirmed_once_and_not_by_its_proposer(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    party = newcomer(waiting)
    row = waiting.proposals.propose(first, calls.accredit(no(waiting, party), "S51", 0, FAR))
    with pytest.raises(PingzhengError, match="PARTY_OWN_PROPOSAL"):
        waiting.proposals.confirm(waiting.actor(first), row.no)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        waiting.proposals.confirm(waiting.actor(waiting.installation.operator), row.no)
    confirmed = waiting.proposals.confirm(waiting.actor(second), row.no)
    assert waiting.proposals.confirm(waiting.actor(second), row.no) == confirmed
    with pytest.raises(Conflict, match="PARTY_ALREADY_CONFIRMED"):
        waiting.proposals.confirm(waiting.actor(third), row.no)


def test_a_third_officer_cancels_a_proposal_that_two_officers_decided(waiting: Ledger) -> None:
    first, _, third = officers(waiting)
    party = newcomer(waiting)
    row = proposed(
        waiting.parties.role_changes.set_status(waiting.parties.register.actor(first), party, "closed", "fraud")
    )
    assert f"pingzheng keys cancel {row.no}" in row.how_to_stop
    assert waiting.proposals.cancel(waiting.actor(third), row.no).state == "cancelled"
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    assert waiting.reader.party(no(waiting, party)).status == "active"
    with pytest.raises(Conflict, match="PARTY_NOT_PENDING"):
        waiting.proposals.carry_out(row.no)


@pytest.mark.parametrize("reported", [False, True])
def test_the_key_to_be_replaced_can_veto_a_recovery_even_if_it_is_reported(waiting: Ledger, reported: bool) -> None:
    first, *_ = officers(waiting)
    party = newcomer(waiting)
    account = waiting.parties.register.get(party).account
    if reported:
        waiting.parties.keys.report(waiting.actor(first), party, account)
    row = proposed(
        waiting.parties.keys.recover(waiting.parties.register.actor(first), party, fresh_key(waiting), lost=account)
    )
    ended = waiting.proposals.veto(waiting.actor(party), row.no, account=account)
    assert (ended.state, ended.how_to_stop) == (
        "vetoed",
        "提案已结束，无需阻止。 The proposal has ended; there is nothing to stop.",
    )
    skip(waiting, DELAY + 1)
    assert row.no not in [done.no for done in waiting.proposals.tick()]
    assert [key.retired_at for key in waiting.parties.keys.history(party)] == [None, None]


@pytest.mark.parametrize("key", [new_private_key().hex(), ES256.prefix + new_p256_key().hex()], ids=["k1", "p256"])
def test_an_owner_whose_key_the_service_does_not_keep_can_veto_a_thiefs_rotation(waiting: Ledger, key: str) -> None:
    party, owner = newcomer(waiting, key), signer_of_key(key)
    row = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    act = sign_act(veto_message(waiting.reader.chain, owner.kid, row.no), owner)
    assert waiting.proposals.veto(waiting.actor(party), row.no, act=act, account=owner.kid).state == "vetoed"


def test_a_key_bound_after_the_proposal_cannot_veto(waiting: Ledger) -> None:
    party = newcomer(waiting)
    first = proposed(waiting.parties.keys.bind(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    skip(waiting, DELAY // 2)
    second = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    skip(waiting, DELAY // 2 + 1)
    assert [row.no for row in waiting.proposals.tick()] == [first.no]
    bound = first.arguments["fresh"]
    with pytest.raises(PingzhengError, match="PARTY_NO_VETO"):
        waiting.proposals.veto(waiting.actor(party), second.no, account=bound)


def test_a_party_cannot_veto_its_own_closing(waiting: Ledger) -> None:
    party = newcomer(waiting)
    row = proposed(waiting.parties.role_changes.set_status(waiting.authority, party, "closed", "fraud"))
    with pytest.raises(PingzhengError, match="PARTY_NOT_VETOABLE"):
        waiting.proposals.veto(waiting.actor(party), row.no)


def test_an_act_whose_proposal_expired_can_be_proposed_again(waiting: Ledger) -> None:
    first, second, _ = officers(waiting)
    call = calls.accredit(no(waiting, newcomer(waiting)), "S51", 0, FAR)
    row = waiting.proposals.propose(first, call)
    skip(waiting, DELAY + OPEN_FOR + 2)
    assert waiting.proposals.get(row.no).state == "expired"
    assert row.no not in [each.no for each in waiting.proposals.pending()]
    with pytest.raises(Conflict, match="PARTY_PROPOSAL_EXPIRED"):
        waiting.proposals.confirm(waiting.actor(second), row.no)
    again = waiting.proposals.decide(first, call)
    assert again.no > row.no
    assert again.confirmed_by == second


def test_a_proposal_that_is_refused_does_not_prevent_the_next_proposal_from_being_carried_out(waiting: Ledger) -> None:
    """One of two proposals is refused, because its proposer lost the role before the proposal was carried out. The
    second proposal is carried out anyway.
    """
    first, second, _ = officers(waiting)
    fourth, party = newcomer(waiting), newcomer(waiting)
    waiting.parties.role_changes.set_roles(waiting.parties.register.actor(first), fourth, [Role.AUTHORITY])
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    gone = proposed(
        waiting.parties.role_changes.set_roles(waiting.parties.register.actor(first), fourth, [Role.SUBJECT])
    )
    skip(waiting, 60)
    row = waiting.proposals.propose(fourth, calls.accredit(no(waiting, party), "S51", 0, FAR))
    waiting.proposals.confirm(waiting.actor(second), row.no)
    other = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    skip(waiting, DELAY - 30)
    assert gone.no in {done.no for done in waiting.proposals.tick()}
    skip(waiting, 60)
    assert [done.no for done in waiting.proposals.tick()] == [other.no]
    assert waiting.proposals.get(row.no).state == "pending"
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        waiting.proposals.carry_out(row.no)


def test_an_unknown_proposal_or_party_is_reported(waiting: Ledger) -> None:
    with pytest.raises(NotFound, match="PROPOSAL_UNKNOWN"):
        waiting.proposals.get(10**6)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        waiting.proposals.pending("e" * 64)


# Reports of lost keys


def test_a_party_reports_one_of_its_keys_with_another_of_its_keys(waiting: Ledger) -> None:
    key = new_private_key().hex()
    party, owner = newcomer(waiting, key), signer_of_key(key)
    stolen = waiting.parties.register.get(party).account
    act = sign_act(report_message(waiting.reader.chain, owner.kid, stolen), owner)
    assert waiting.parties.keys.report(waiting.actor(party), party, stolen, act=act, signer=owner.kid) is None
    assert waiting.parties.keys.report(waiting.actor(party), party, stolen) is None
    row = waiting.parties.register.get(party)
    assert row.account == owner.kid
    assert [key.reported_at is not None for key in waiting.parties.keys.history(party)].count(True) == 1
    with pytest.raises(Forbidden, match="PARTY_ACCOUNT_REPORTED"):
        waiting.registration.transfers._acting.act(
            stolen, calls.propose(calls.change_key(row.no or 0, "0x" + "77" * 20))
        )


def test_one_officer_can_report_a_partys_key_but_only_two_can_report_an_officers_key(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    party = newcomer(waiting)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        waiting.parties.keys.report(
            waiting.actor(waiting.installation.operator), party, waiting.parties.register.get(party).account
        )
    assert waiting.parties.keys.report(waiting.actor(first), party, waiting.parties.register.get(party).account) is None
    further = proposed(waiting.parties.keys.bind(waiting.parties.register.actor(third), third, fresh_key(waiting)))
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    row = proposed(waiting.parties.keys.report(waiting.actor(first), third, further.arguments["fresh"]))
    assert (row.kind, row.state, row.confirmed_by) == ("report", "pending", second)
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    reported = {key.account for key in waiting.parties.keys.history(third) if key.reported_at is not None}
    assert reported == {further.arguments["fresh"]}


def test_a_report_that_would_leave_fewer_than_three_officers_is_refused(waiting: Ledger) -> None:
    third = officers(waiting)[2]
    with pytest.raises(PingzhengError, match="PARTY_TOO_FEW_OFFICERS"):
        waiting.parties.keys.report(waiting.actor(third), third, waiting.parties.register.get(third).account)


def test_a_signature_with_a_reported_key_is_not_valid_for_the_party(waiting: Ledger) -> None:
    party = newcomer(waiting)
    account = waiting.parties.register.get(party).account
    entry = sign_entry({"type": "x"}, waiting.custody.signer(account))
    assert is_word_of(waiting, party, entry)
    waiting.parties.keys.report(waiting.actor(party), party, account)
    assert not is_word_of(waiting, party, entry)
