"""After crashes and races, the service continues registrations and proposals, and the database agrees with the chain
again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from ledger.chain.accounts import new_private_key
from ledger.chain.sending import calls
from ledger.domain.parties import PartyKind, Role
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.proof.acts import report_message, sign_act
from ledger.proof.suites.suite import ES256, SM2SM3
from tests.support.ledgers.waiting_ledger import (
    DELAY,
    at_once,
    fresh_key,
    new_party,
    newcomer,
    no,
    officers,
    proposals_after,
    proposed,
    skip,
)

FAR = 4 * 10**9

# Registration of new parties


def test_first_keys_of_all_suites_are_registered_together(waiting: Ledger) -> None:
    further = [new_key(ES256), new_key(SM2SM3)]
    party = newcomer(waiting, *further)
    accounts = {key.account: waiting.reader.account(key.account) for key in waiting.parties.keys.history(party)}
    proven = {account: record.proven for account, record in accounts.items() if record is not None}
    assert proven == {
        waiting.parties.register.get(party).account: True,
        signer_of_key(further[0]).kid: True,
        signer_of_key(further[1]).kid: False,
    }


def test_a_new_party_is_registered_at_once_but_gets_official_roles_after_the_waiting_period(waiting: Ledger) -> None:
    registrar = newcomer(waiting, kind=PartyKind.REGISTRAR)
    assert waiting.parties.register.actor(registrar).roles == frozenset()
    (row,) = waiting.proposals.pending(registrar)
    assert (row.kind, row.arguments["roles"], row.state) == ("set_roles", ["registrar"], "pending")
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    assert waiting.parties.register.actor(registrar).roles == {Role.REGISTRAR}


# Crashes and races


class Died(BaseException):
    """Raised to simulate that the process ends."""


def dying(method: str, monkeypatch: pytest.MonkeyPatch, *, before: bool) -> None:
    """Simulate a crash before or after the next call of a method of ``Proposals``."""
    original = getattr(Proposals, method)

    def last(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Proposals, method, original)
        if not before:
            original(*args, **kwargs)
        raise Died

    monkeypatch.setattr(Proposals, method, last)


@pytest.mark.parametrize(("method", "before"), [("propose", True), ("propose", False), ("_confirm", False)])
def test_a_registration_interrupted_by_a_crash_is_continued(
    waiting: Ledger, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    party = new_party(waiting, kind=PartyKind.REGISTRAR)
    start = waiting.reader.proposal_count()
    dying(method, monkeypatch, before=before)
    with pytest.raises(Died):
        waiting.parties.onboarding.onboard(waiting.authority, [party])
    row = waiting.parties.register.find(party.identifier)
    assert (waiting.parties.onboarding.pending(row.id) is not None) == (method == "propose" and not before)
    (again,) = waiting.parties.onboarding.onboard(waiting.authority, [party])
    assert (again.id, again.no) == (row.id, waiting.reader.party_no(row.id))
    kinds = [each.kind for each in proposals_after(waiting, start)]
    assert kinds == ["register", "set_roles"]
    assert [each.id for each in waiting.parties.onboarding.onboard(waiting.authority, [party])] == [row.id]
    assert waiting.reader.proposal_count() == start + 2


@pytest.mark.parametrize(("method", "before"), [("propose", False), ("_confirm", True), ("_confirm", False)])
def test_a_recovery_interrupted_by_a_crash_is_continued(
    waiting: Ledger, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    first, second, _ = officers(waiting)
    party, key = newcomer(waiting), fresh_key(waiting)
    start = waiting.reader.proposal_count()
    dying(method, monkeypatch, before=before)
    with pytest.raises(Died):
        waiting.parties.keys.recover(waiting.parties.register.actor(first), party, key)
    row = proposed(waiting.parties.keys.recover(waiting.parties.register.actor(first), party, key))
    assert (row.no, row.confirmed_by, waiting.reader.proposal_count()) == (start + 1, second, start + 1)


def test_one_of_two_concurrent_confirmations_succeeds(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    call = calls.accredit(no(waiting, newcomer(waiting)), "S51", 0, FAR)
    row = waiting.proposals.propose(first, call)
    ends = at_once(*(partial(waiting.proposals.confirm, waiting.actor(by), row.no) for by in (second, third)))
    refused = [end for end in ends if isinstance(end, PingzhengError)]
    assert [refusal.code for refusal in refused] == ["PARTY_ALREADY_CONFIRMED"]
    assert waiting.proposals.get(row.no).confirmed_by in (second, third)


def test_two_officers_who_propose_the_same_act_at_the_same_time_make_one_proposal(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    call = calls.accredit(no(waiting, newcomer(waiting)), "S51", 0, FAR)
    before = waiting.reader.proposal_count()
    ends = at_once(*(partial(waiting.proposals.decide, by, call) for by in (first, second, third)))
    assert waiting.reader.proposal_count() == before + 1
    rows = [end for end in ends if isinstance(end, Proposal)]
    assert {row.no for row in rows} == {before + 1}
    assert waiting.proposals.get(before + 1).confirmed_by is not None


@pytest.mark.parametrize("attempt", range(3))
def test_records_stay_consistent_if_a_proposal_is_vetoed_while_it_is_carried_out(waiting: Ledger, attempt: int) -> None:
    party = newcomer(waiting)
    old = waiting.parties.register.get(party).account
    row = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    skip(waiting, DELAY + 1)
    stop = partial(waiting.proposals.veto, waiting.actor(party), row.no, account=old)
    go_on = partial(waiting.proposals.carry_out, row.no)
    at_once(*((stop, go_on, waiting.proposals.tick) if attempt else (go_on, waiting.proposals.tick, stop)))
    state = waiting.proposals.get(row.no).state
    waiting.parties.keys.settle(party)
    assert state in ("vetoed", "carried_out")
    assert (waiting.parties.register.get(party).account == old) == (state == "vetoed")


def test_the_database_records_a_report_of_a_key_that_was_sent_directly_to_the_chain(waiting: Ledger) -> None:
    """The party reports its key through its own node, without the service."""
    key = new_private_key().hex()
    party, owner = newcomer(waiting, key), signer_of_key(key)
    stolen = waiting.parties.register.get(party).account
    act = sign_act(report_message(waiting.reader.chain, owner.kid, stolen), owner)
    waiting.client.send(calls.report_for(owner.kid, no(waiting, party), stolen, act))
    assert waiting.parties.register.get(party).account == stolen
    waiting.proposals.tick()
    assert waiting.parties.register.get(party).account == owner.kid


def test_a_firm_without_an_active_key_is_onboarded_with_a_new_id(waiting: Ledger) -> None:
    first, *_ = officers(waiting)
    party = new_party(waiting)
    (old,) = waiting.parties.onboarding.onboard(waiting.authority, [party])
    waiting.parties.keys.report(waiting.actor(first), old.id, old.account)
    (new,) = waiting.parties.onboarding.onboard(waiting.authority, [replace(party, public_key=fresh_key(waiting))])
    assert new.id != old.id
    assert waiting.parties.register.find(party.identifier).id == new.id
    assert waiting.parties.register.get(old.id).no == old.no
