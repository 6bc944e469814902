"""A pause stops some acts and lets others continue. It ends by itself after some time, or earlier if two officers
decide so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain.sending import calls
from ledger.domain.days import DAY
from ledger.domain.powers import MAX_PAUSE, PAUSE_REST
from ledger.errors import Conflict, Forbidden
from ledger.installation.wiring import Ledger
from tests.support.ledgers.waiting_ledger import DELAY, fresh_key, new_party, newcomer, no, officers, proposed, skip


@pytest.fixture(autouse=True)
def rested(waiting: Ledger) -> Iterator[None]:
    """Move the clock until every officer may pause again, because an officer must wait after a pause. End the pause
    after the test.
    """
    skip(waiting, MAX_PAUSE + PAUSE_REST + DAY)
    yield
    if waiting.reader.paused_until():
        waiting.pauses.end(waiting.actor(officers(waiting)[0]))


def test_one_officer_pauses_for_seven_days_and_two_officers_end_the_pause_earlier(waiting: Ledger) -> None:
    first, second, _ = officers(waiting)
    assert waiting.pauses.until() == 0
    until = waiting.pauses.pause(waiting.actor(first))
    assert 0 <= waiting.clock() + MAX_PAUSE - until < 60
    assert waiting.pauses.until() == until
    row = waiting.pauses.end(waiting.actor(first))
    assert (row.kind, row.arguments, row.state, row.confirmed_by) == ("end_pause", {}, "carried_out", second)
    assert waiting.pauses.until() == 0
    with pytest.raises(Conflict, match="PARTY_NOT_PAUSED"):
        waiting.pauses.end(waiting.actor(first))


def test_only_an_authority_or_supervisor_may_pause_and_only_once_in_37_days(waiting: Ledger) -> None:
    first, second, _ = officers(waiting)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        waiting.pauses.pause(waiting.actor(waiting.installation.operator))
    waiting.pauses.pause(waiting.actor(first))
    with pytest.raises(Conflict, match="PARTY_PAUSED"):
        waiting.pauses.pause(waiting.actor(second))
    skip(waiting, MAX_PAUSE + 1)
    with pytest.raises(Conflict, match="PARTY_PAUSE_REST"):
        waiting.pauses.pause(waiting.actor(first))
    waiting.pauses.pause(waiting.actor(second))


def test_during_a_pause_no_proposal_becomes_ready_and_no_ready_proposal_binds_a_key(waiting: Ledger) -> None:
    first, *_ = officers(waiting)
    party = newcomer(waiting)
    ready = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    skip(waiting, DELAY - 600)
    other = newcomer(waiting)
    late = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(other), other, fresh_key(waiting)))
    skip(waiting, 601)
    until = waiting.pauses.pause(waiting.actor(first))
    assert waiting.proposals.tick() == []
    with pytest.raises(Conflict, match="PARTY_PAUSED"):
        waiting.proposals.carry_out(ready.no)
    paused = waiting.proposals.get(late.no)
    assert paused.ready_at >= until + DELAY - 602 > late.ready_at
    skip(waiting, MAX_PAUSE + 1)
    assert [row.no for row in waiting.proposals.tick()] == [ready.no]
    assert abs(waiting.proposals.get(late.no).ready_at - paused.ready_at) <= 2
    skip(waiting, DELAY - 600)
    assert [row.no for row in waiting.proposals.tick()] == [late.no]


def test_a_registration_during_a_pause_is_proposed_and_continued_later(waiting: Ledger) -> None:
    party = new_party(waiting)
    waiting.pauses.pause(waiting.actor(officers(waiting)[0]))
    with pytest.raises(Conflict, match="PARTY_PAUSED"):
        waiting.parties.onboarding.onboard(waiting.authority, [party])
    row = waiting.parties.register.find(party.identifier)
    number = waiting.parties.onboarding.pending(row.id)
    assert number is not None
    waiting.pauses.end(waiting.actor(officers(waiting)[0]))
    (registered,) = waiting.parties.onboarding.onboard(waiting.authority, [party])
    assert registered.no is not None
    assert waiting.proposals.get(number).state == "carried_out"


def test_reports_and_vetoes_and_cancellations_work_during_a_pause(waiting: Ledger) -> None:
    first, _, third = officers(waiting)
    party, other = newcomer(waiting), newcomer(waiting)
    binding = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(party), party, fresh_key(waiting)))
    act = waiting.proposals.propose(first, calls.accredit(no(waiting, other), "S51", 0, 4 * 10**9))
    waiting.pauses.pause(waiting.actor(first))
    assert waiting.proposals.veto(waiting.actor(party), binding.no).state == "vetoed"
    assert waiting.proposals.cancel(waiting.actor(third), act.no).state == "cancelled"
    own = waiting.parties.register.get(other).account
    waiting.parties.keys.report(waiting.actor(other), other, own)
    record = waiting.reader.account(own)
    assert record is not None and not record.speaks
