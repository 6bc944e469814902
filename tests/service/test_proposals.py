"""Proposals: what waits, who confirms, who stops it, and what a crash or a race leaves of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from ledger.chain import calls
from ledger.chain.accounts import new_p256_key, new_private_key
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import OPEN_FOR
from ledger.errors import Conflict, Forbidden, NotFound, PingzhengError
from ledger.proof.acts import report_message, sign_act, veto_message
from ledger.proof.jws import sign_entry
from ledger.proof.suite import ES256, SM2SM3
from ledger.service.keys import new_key, signer_of_key
from ledger.service.local_chain import LocalClock
from ledger.service.parties import NewParty
from ledger.service.possession import possession_of
from ledger.service.proposals import ProposalRow, Proposals
from ledger.service.settings import Settings
from ledger.service.wiring import Ledger, open_ledger

DELAY = 3_600
_SERIALS = iter(range(8_000, 9_000))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger whose proposals wait for an hour."""
    with open_ledger(Settings(home=tmp_path_factory.mktemp("waiting"), delay=DELAY)) as opened:
        yield opened


def officers(ledger: Ledger) -> tuple[str, str, str]:
    first, second, third = ledger.installation.officers
    return first, second, third


def newcomer(ledger: Ledger, *further: str, kind: PartyKind = PartyKind.ENTERPRISE, **members: Any) -> str:
    """A party that acts by a key kept here; ``further`` are private keys as text, kept elsewhere."""
    key = ledger.custody.public_key(*ledger.custody.create())
    keys = [signer_of_key(each) for each in further]
    others = tuple((signer.public_key, possession_of(ledger.reader.chain, signer)) for signer in keys)
    uscc = synthetic_uscc("440800", next(_SERIALS))
    party = NewParty(kind, "Waiting", uscc, "440800", key, further_keys=others, **members)
    (row,) = ledger.parties.onboard([party])
    assert row.no is not None
    return row.id


def fresh_key(ledger: Ledger) -> str:
    return ledger.custody.public_key(*ledger.custody.create())


def skip(ledger: Ledger, seconds: int) -> None:
    LocalClock(ledger.settings).skip(ledger.reader.connection, seconds)


def proposed(row: ProposalRow | None) -> ProposalRow:
    assert row is not None
    return row


def count(ledger: Ledger) -> int:
    return ledger.reader.proposal_count()


# What waits, and for how long


def test_a_rotation_waits_for_the_delay_and_is_then_carried_out_in_the_background(ledger: Ledger) -> None:
    party = newcomer(ledger)
    old, key = ledger.parties.get(party).account, fresh_key(ledger)
    row = proposed(ledger.party_keys.rotate(party, key))
    assert (row.kind, row.role, row.state, row.by, row.concerned) == ("change_key", "", "pending", party, party)
    assert row.arguments["old"] == old
    assert row.ready_at - row.at == DELAY
    assert row.expires_at - row.ready_at == OPEN_FOR
    assert f"pingzheng keys veto {row.no}" in row.how_to_stop
    assert ledger.proposals.pending(party) == [row]
    assert ledger.proposals.tick() == []
    assert ledger.parties.get(party).account == old
    skip(ledger, DELAY + 1)
    assert row.no in [done.no for done in ledger.proposals.tick()]
    assert ledger.parties.get(party).public_key == key
    assert ledger.proposals.pending(party) == []
    assert ledger.proposals.get(row.no).state == "carried_out"
    told = [change["event"] for change in ledger.party_keys.changes(party)]
    assert told == ["AccountBound", "Proposed", "ProposalEnded", "AccountRetired", "AccountBound"]


def test_nobody_carries_out_what_still_waits(ledger: Ledger) -> None:
    party = newcomer(ledger)
    row = proposed(ledger.party_keys.rotate(party, fresh_key(ledger)))
    with pytest.raises(Conflict, match="PARTY_NOT_READY"):
        ledger.proposals.carry_out(row.no)
    skip(ledger, DELAY + 1)
    assert ledger.proposals.carry_out(row.no).state == "carried_out"
    assert ledger.proposals.carry_out(row.no).state == "carried_out"


@pytest.mark.parametrize(
    "act",
    [
        lambda ledger, party: ledger.standing.set_status(officers(ledger)[0], party, "closed", "fraud"),
        lambda ledger, party: ledger.standing.set_roles(officers(ledger)[0], party, [Role.REGISTRAR]),
        lambda ledger, party: ledger.parties.accredit(party, ["S51"], ledger.clock(), ledger.clock() + 10**7)[0],
        lambda ledger, party: ledger.party_keys.recover(officers(ledger)[0], party, fresh_key(ledger)),
        lambda ledger, party: ledger.party_keys.bind(officers(ledger)[0], party, fresh_key(ledger)),
        lambda ledger, party: ledger.party_keys.date_compromise(
            officers(ledger)[0], party, ledger.parties.get(party).account, ledger.clock() - 9
        ),
    ],
    ids=["close", "office", "accredit", "recover", "bind", "date"],
)
def test_two_officers_and_the_delay_decide(ledger: Ledger, act: Callable[[Ledger, str], ProposalRow]) -> None:
    first, second, _ = officers(ledger)
    party = newcomer(ledger)
    skip(ledger, 10)
    row = act(ledger, party)
    assert (row.role, row.state, row.by, row.confirmed_by) == ("authority", "pending", first, second)
    assert row.concerned == party
    assert row in ledger.proposals.pending(party)
    skip(ledger, DELAY + 1)
    assert row.no in [done.no for done in ledger.proposals.tick()]


def test_one_officer_does_at_once_what_takes_nothing_from_anybody_for_good(ledger: Ledger) -> None:
    party, (first, *_) = newcomer(ledger), officers(ledger)
    before = count(ledger)
    assert ledger.standing.set_status(first, party, "suspended", "investigation") is None
    assert ledger.standing.set_status(first, party, "active", "lifted") is None
    assert ledger.standing.set_roles(first, party, [Role.SUBJECT, Role.CONSUMER]) is None
    assert count(ledger) == before
    assert ledger.parties.actor(party).roles == {Role.SUBJECT, Role.CONSUMER}


# Who confirms, who stops it


def test_the_same_act_of_a_second_officer_confirms_the_first_ones(ledger: Ledger) -> None:
    _, second, third = officers(ledger)
    party = newcomer(ledger)
    call = calls.accredit(ledger.parties.get(party).no or 0, "S51", 0, 4 * 10**9)
    row = ledger.proposals.propose(second, call)
    assert row.confirmed_by is None
    before = count(ledger)
    assert ledger.proposals.decide(third, call).confirmed_by == third
    assert ledger.proposals.decide(second, call).no == row.no
    assert count(ledger) == before


def test_nobody_confirms_an_own_proposal_or_twice(ledger: Ledger) -> None:
    first, second, third = officers(ledger)
    party = newcomer(ledger)
    row = ledger.proposals.propose(first, calls.accredit(ledger.parties.get(party).no or 0, "S51", 0, 4 * 10**9))
    with pytest.raises(PingzhengError, match="PARTY_OWN_PROPOSAL"):
        ledger.proposals.confirm(row.no, first)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        ledger.proposals.confirm(row.no, ledger.installation.operator)
    confirmed = ledger.proposals.confirm(row.no, second)
    assert ledger.proposals.confirm(row.no, second) == confirmed
    with pytest.raises(Conflict, match="PARTY_ALREADY_CONFIRMED"):
        ledger.proposals.confirm(row.no, third)


def test_a_third_officer_cancels_what_two_decided(ledger: Ledger) -> None:
    first, _, third = officers(ledger)
    party = newcomer(ledger)
    row = proposed(ledger.standing.set_status(first, party, "closed", "fraud"))
    assert f"pingzheng keys cancel {row.no}" in row.how_to_stop
    assert ledger.proposals.cancel(row.no, third).state == "cancelled"
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    assert ledger.reader.party(ledger.parties.get(party).no or 0).status == "active"
    with pytest.raises(Conflict, match="PARTY_NOT_PENDING"):
        ledger.proposals.carry_out(row.no)


@pytest.mark.parametrize("reported", [False, True])
def test_a_party_stops_a_recovery_with_the_key_that_it_was_to_lose_even_a_reported_one(
    ledger: Ledger, reported: bool
) -> None:
    first, *_ = officers(ledger)
    party = newcomer(ledger)
    account = ledger.parties.get(party).account
    if reported:
        ledger.party_keys.report(party, account, first)
    row = proposed(ledger.party_keys.recover(first, party, fresh_key(ledger), lost=account))
    ended = ledger.proposals.veto(row.no, party, account=account)
    assert (ended.state, ended.how_to_stop) == ("vetoed", "已结束，无需阻止。 It has ended: there is nothing to stop.")
    skip(ledger, DELAY + 1)
    assert row.no not in [done.no for done in ledger.proposals.tick()]
    assert [key.retired_at for key in ledger.party_keys.history(party)] == [None, None]


@pytest.mark.parametrize("key", [new_private_key().hex(), ES256.prefix + new_p256_key().hex()], ids=["k1", "p256"])
def test_an_owner_stops_a_thief_who_rotates_by_a_key_kept_elsewhere(ledger: Ledger, key: str) -> None:
    party, owner = newcomer(ledger, key), signer_of_key(key)
    row = proposed(ledger.party_keys.rotate(party, fresh_key(ledger)))
    act = sign_act(veto_message(ledger.reader.chain, owner.kid, row.no), owner)
    assert ledger.proposals.veto(row.no, party, act=act, account=owner.kid).state == "vetoed"


def test_a_key_that_was_bound_later_stops_nothing(ledger: Ledger) -> None:
    party = newcomer(ledger)
    first = proposed(ledger.party_keys.bind(party, party, fresh_key(ledger)))
    skip(ledger, DELAY // 2)
    second = proposed(ledger.party_keys.rotate(party, fresh_key(ledger)))
    skip(ledger, DELAY // 2 + 1)
    assert [row.no for row in ledger.proposals.tick()] == [first.no]
    bound = first.arguments["fresh"]
    with pytest.raises(PingzhengError, match="PARTY_NO_VETO"):
        ledger.proposals.veto(second.no, party, account=bound)


def test_what_no_key_of_the_party_can_stop_is_not_vetoed(ledger: Ledger) -> None:
    party = newcomer(ledger)
    row = proposed(ledger.standing.set_status(officers(ledger)[0], party, "closed", "fraud"))
    with pytest.raises(PingzhengError, match="PARTY_NOT_VETOABLE"):
        ledger.proposals.veto(row.no, party)


def test_an_expired_proposal_is_made_anew(ledger: Ledger) -> None:
    first, second, _ = officers(ledger)
    call = calls.accredit(ledger.parties.get(newcomer(ledger)).no or 0, "S51", 0, 4 * 10**9)
    row = ledger.proposals.propose(first, call)
    skip(ledger, DELAY + OPEN_FOR + 2)
    assert ledger.proposals.get(row.no).state == "expired"
    assert row.no not in [each.no for each in ledger.proposals.pending()]
    with pytest.raises(Conflict, match="PARTY_PROPOSAL_EXPIRED"):
        ledger.proposals.confirm(row.no, second)
    again = ledger.proposals.decide(first, call)
    assert again.no > row.no
    assert again.confirmed_by == second


def test_what_is_refused_when_it_is_due_stops_nothing_else(ledger: Ledger) -> None:
    """The proposer of one act lost its office meanwhile; the other act is carried out all the same."""
    first, second, third = officers(ledger)
    fourth, party = newcomer(ledger), newcomer(ledger)
    number = ledger.parties.get(fourth).no or 0
    ledger.standing.set_roles(first, fourth, [Role.AUTHORITY])
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    call = calls.accredit(ledger.parties.get(party).no or 0, "S51", 0, 4 * 10**9)
    row = ledger.proposals.propose(fourth, call)
    ledger.proposals.confirm(row.no, second)
    skip(ledger, 10)
    gone = ledger.proposals.propose(first, calls.set_roles(number, 1))
    ledger.proposals.confirm(gone.no, third)
    other = proposed(ledger.party_keys.rotate(party, fresh_key(ledger)))
    skip(ledger, DELAY - 5)
    ledger.proposals.cancel(row.no, third)
    row = ledger.proposals.propose(fourth, call)
    ledger.proposals.confirm(row.no, second)
    skip(ledger, 10)
    assert {gone.no, other.no} <= {done.no for done in ledger.proposals.tick()}
    skip(ledger, DELAY)
    assert row.no not in {done.no for done in ledger.proposals.tick()}
    assert ledger.proposals.get(row.no).state == "pending"
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        ledger.proposals.carry_out(row.no)


def test_there_is_no_proposal_and_no_party_of_that_name(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="PROPOSAL_UNKNOWN"):
        ledger.proposals.get(10**6)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        ledger.proposals.pending("e" * 64)


# Reports


def test_a_party_reports_its_key_by_another_one(ledger: Ledger) -> None:
    key = new_private_key().hex()
    party, owner = newcomer(ledger, key), signer_of_key(key)
    stolen = ledger.parties.get(party).account
    act = sign_act(report_message(ledger.reader.chain, owner.kid, stolen), owner)
    assert ledger.party_keys.report(party, stolen, party, act=act, signer=owner.kid) is None
    assert ledger.party_keys.report(party, stolen, party) is None
    row = ledger.parties.get(party)
    assert row.account == owner.kid
    assert [key.reported_at is not None for key in ledger.party_keys.history(party)].count(True) == 1
    with pytest.raises(Forbidden, match="PARTY_ACCOUNT_REPORTED"):
        ledger.transfers._acting.act(stolen, calls.propose(calls.change_key(row.no or 0, "0x" + "77" * 20)))


def test_one_officer_reports_a_partys_key_and_two_an_officers(ledger: Ledger) -> None:
    first, second, third = officers(ledger)
    party = newcomer(ledger)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        ledger.party_keys.report(party, ledger.parties.get(party).account, ledger.installation.operator)
    assert ledger.party_keys.report(party, ledger.parties.get(party).account, first) is None
    further = proposed(ledger.party_keys.bind(third, third, fresh_key(ledger)))
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    row = proposed(ledger.party_keys.report(third, further.arguments["fresh"], first))
    assert (row.kind, row.state, row.confirmed_by) == ("report", "pending", second)
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    reported = {key.account for key in ledger.party_keys.history(third) if key.reported_at is not None}
    assert reported == {further.arguments["fresh"]}


def test_no_report_leaves_fewer_than_three_officers(ledger: Ledger) -> None:
    third = officers(ledger)[2]
    with pytest.raises(PingzhengError, match="PARTY_TOO_FEW_OFFICERS"):
        ledger.party_keys.report(third, ledger.parties.get(third).account, third)


def test_what_a_reported_key_signs_is_not_the_partys(ledger: Ledger) -> None:
    party = newcomer(ledger)
    account = ledger.parties.get(party).account
    entry = sign_entry({"type": "x"}, ledger.custody.signer(account))
    assert ledger.parties.signed(entry, party)
    ledger.party_keys.report(party, account, party)
    assert not ledger.parties.signed(entry, party)


# Registration


def test_first_keys_of_all_suites_come_with_the_registration(ledger: Ledger) -> None:
    further = [new_key(ES256), new_key(SM2SM3)]
    party = newcomer(ledger, *further)
    accounts = {key.account: ledger.reader.account(key.account) for key in ledger.party_keys.history(party)}
    proven = {account: record.proven for account, record in accounts.items() if record is not None}
    assert proven == {
        ledger.parties.get(party).account: True,
        signer_of_key(further[0]).kid: True,
        signer_of_key(further[1]).kid: False,
    }


def test_offices_of_a_newcomer_wait_though_it_is_registered_at_once(ledger: Ledger) -> None:
    registrar = newcomer(ledger, kind=PartyKind.REGISTRAR)
    assert ledger.parties.actor(registrar).roles == frozenset()
    (row,) = ledger.proposals.pending(registrar)
    assert (row.kind, row.arguments["roles"], row.state) == ("set_roles", ["registrar"], "pending")
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    assert ledger.parties.actor(registrar).roles == {Role.REGISTRAR}


# Crashes and races


class Died(BaseException):
    """The process ends here."""


def dying(method: str, monkeypatch: pytest.MonkeyPatch, *, before: bool) -> None:
    """Let the next call of a method of ``Proposals`` be the last thing that happens."""
    original = getattr(Proposals, method)

    def last(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Proposals, method, original)
        if not before:
            original(*args, **kwargs)
        raise Died

    monkeypatch.setattr(Proposals, method, last)


@pytest.mark.parametrize(("method", "before"), [("propose", True), ("propose", False), ("confirm", False)])
def test_what_a_crash_left_of_a_registration_is_gone_on_with(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    key = ledger.custody.public_key(*ledger.custody.create())
    party = NewParty(PartyKind.REGISTRAR, "Crashed", synthetic_uscc("440800", next(_SERIALS)), "440800", key)
    start = count(ledger)
    dying(method, monkeypatch, before=before)
    with pytest.raises(Died):
        ledger.parties.onboard([party])
    row = ledger.parties.find(party.identifier)
    assert (ledger.parties.pending(row.id) is not None) == (method == "propose" and not before)
    (again,) = ledger.parties.onboard([party])
    assert (again.id, again.no) == (row.id, ledger.reader.party_no(row.id))
    kinds = [each.kind for each in ledger.proposals.page(start)]
    assert kinds == ["register", "set_roles"]
    assert [each.id for each in ledger.parties.onboard([party])] == [row.id]
    assert count(ledger) == start + 2


@pytest.mark.parametrize(("method", "before"), [("propose", False), ("confirm", True), ("confirm", False)])
def test_what_a_crash_left_of_a_recovery_is_gone_on_with(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    first, second, _ = officers(ledger)
    party, key = newcomer(ledger), fresh_key(ledger)
    start = count(ledger)
    dying(method, monkeypatch, before=before)
    with pytest.raises(Died):
        ledger.party_keys.recover(first, party, key)
    row = proposed(ledger.party_keys.recover(first, party, key))
    assert (row.no, row.confirmed_by, count(ledger)) == (start + 1, second, start + 1)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act returned or raised, all begun together."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return act()
        except PingzhengError as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_officers_who_confirm_at_once_one_does(ledger: Ledger) -> None:
    first, second, third = officers(ledger)
    call = calls.accredit(ledger.parties.get(newcomer(ledger)).no or 0, "S51", 0, 4 * 10**9)
    row = ledger.proposals.propose(first, call)
    ends = at_once(*(partial(ledger.proposals.confirm, row.no, by) for by in (second, third)))
    refused = [end for end in ends if isinstance(end, PingzhengError)]
    assert [refusal.code for refusal in refused] == ["PARTY_ALREADY_CONFIRMED"]
    assert ledger.proposals.get(row.no).confirmed_by in (second, third)


def test_an_act_that_is_decided_twice_at_once_is_one_proposal(ledger: Ledger) -> None:
    first, second, third = officers(ledger)
    call = calls.accredit(ledger.parties.get(newcomer(ledger)).no or 0, "S51", 0, 4 * 10**9)
    before = count(ledger)
    ends = at_once(*(partial(ledger.proposals.decide, by, call) for by in (first, second, third)))
    assert count(ledger) == before + 1
    rows = [end for end in ends if isinstance(end, ProposalRow)]
    assert {row.no for row in rows} == {before + 1}
    assert ledger.proposals.get(before + 1).confirmed_by is not None


@pytest.mark.parametrize("attempt", range(3))
def test_of_a_veto_and_the_carrying_out_one_wins_and_the_records_say_which(ledger: Ledger, attempt: int) -> None:
    party = newcomer(ledger)
    old = ledger.parties.get(party).account
    row = proposed(ledger.party_keys.rotate(party, fresh_key(ledger)))
    skip(ledger, DELAY + 1)
    stop = partial(ledger.proposals.veto, row.no, party, account=old)
    go_on = partial(ledger.proposals.carry_out, row.no)
    at_once(*((stop, go_on, ledger.proposals.tick) if attempt else (go_on, ledger.proposals.tick, stop)))
    state = ledger.proposals.get(row.no).state
    ledger.party_keys.settle(party)
    assert state in ("vetoed", "carried_out")
    assert (ledger.parties.get(party).account == old) == (state == "vetoed")


def test_the_record_of_a_key_follows_what_others_did_on_the_chain(ledger: Ledger) -> None:
    """A key that the party reported by a node of its own."""
    key = new_private_key().hex()
    party, owner = newcomer(ledger, key), signer_of_key(key)
    stolen, number = ledger.parties.get(party).account, ledger.parties.get(party).no or 0
    act = sign_act(report_message(ledger.reader.chain, owner.kid, stolen), owner)
    ledger.client.send(calls.report_for(owner.kid, number, stolen, act))
    assert ledger.parties.get(party).account == stolen
    ledger.proposals.tick()
    assert ledger.parties.get(party).account == owner.kid


def test_a_firm_that_lost_its_voice_is_onboarded_under_a_new_id(ledger: Ledger) -> None:
    first, *_ = officers(ledger)
    key = fresh_key(ledger)
    party = NewParty(PartyKind.ENTERPRISE, "Silent", synthetic_uscc("440800", next(_SERIALS)), "440800", key)
    (old,) = ledger.parties.onboard([party])
    ledger.party_keys.report(old.id, old.account, first)
    (new,) = ledger.parties.onboard([replace(party, public_key=fresh_key(ledger))])
    assert new.id != old.id
    assert ledger.parties.find(party.identifier).id == new.id
    assert ledger.parties.get(old.id).no == old.no
