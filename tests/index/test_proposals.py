"""The index lists proposals. It detects a node that shows a call other than the proposed call."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.proposals import read_call
from ledger.domain.powers import MAX_PAUSE, OPEN_FOR
from ledger.errors import ChainUnavailable
from ledger.index.follower import Follower
from ledger.index.proposals import IndexedProposal, RunningTime, proposal, proposals, running_time
from tests.index.conftest import NewEngine
from tests.support.chain.deployed import DELAY, PARTIES, Chain
from tests.support.chain.hiding_nodes import reader_replacing
from tests.support.chain.scripted_ledger import ASSETS, account, digest, newcomer_to, register_confirmed

BANK, FIRM = PARTIES["bank"], PARTIES["enterprise"]


@pytest.fixture
def engine(new_engine: NewEngine) -> Engine:
    return new_engine()


@pytest.fixture
def late(waiting_chain: Chain, engine: Engine) -> Follower:
    """Return a follower of a chain on which proposals have a waiting period."""
    return Follower(engine, waiting_chain.reader)


def recovery(name: str = "fresh") -> Call:
    return calls.change_key(FIRM.no, account(name), FIRM.account)


def waiting(follower: Follower, concerned: int | None = None) -> list[int]:
    follower.sync()
    return [each.no for each in follower.pending_proposals(concerned)]


def test_pending_proposals_can_be_listed_for_all_parties_or_for_one_concerned_party(
    waiting_chain: Chain, late: Follower
) -> None:
    chain = waiting_chain
    registration = chain.propose(calls.register_parties([newcomer_to(chain, "newcomer", "subject")]))
    bound, roles = chain.propose(recovery()), chain.propose(calls.set_roles(BANK.no, 1 << 7))
    assert waiting(late) == [registration, bound, roles]
    assert (waiting(late, FIRM.no), waiting(late, BANK.no), waiting(late, PARTIES["issuer"].no)) == (
        [bound],
        [roles],
        [],
    )
    chain.acting("enterprise").send(calls.veto(bound))
    chain.acting("third").send(calls.cancel(roles))
    assert waiting(late) == [registration]


def test_the_row_of_a_proposal_has_act_and_parties_and_outcome(
    waiting_chain: Chain, late: Follower, engine: Engine
) -> None:
    chain, call = waiting_chain, recovery()
    number = chain.propose(call)
    chain.acting("second").send(calls.confirm(number, call))
    late.sync()
    (row,) = late.pending_proposals(FIRM.no)
    record = chain.reader.proposal(number)
    expected = IndexedProposal(
        no=number,
        act=chain.client.act_of(call),
        target=chain.deployment.party_registry,
        data=chain.client.encode(call).hex(),
        kind="change_key",
        call=Call(PARTY_REGISTRY, "changeKey", (FIRM.no, account("fresh"), FIRM.account, "")),
        shown=read_call(chain.deployment, chain.deployment.party_registry, chain.client.encode(call).hex()),
        role=1 << 5,
        concerned=FIRM.no,
        by=PARTIES["founder"].no,
        confirmed_by=PARTIES["second"].no,
        at=record.at,
        ready=record.at + DELAY,
        state="pending",
        ended_at=0,
        account="",
    )
    assert row == expected and row.expires == record.expires
    vetoed = chain.acting("enterprise").send(calls.veto(number))
    late.sync()
    with engine.connect() as connection:
        found = proposal(connection, chain.deployment, number)
        assert found is not None
        assert (found.state, found.ended_at, found.account) == ("vetoed", vetoed.time, FIRM.account)
        assert proposals(connection, chain.deployment, 0, 10) == [found]
        assert proposals(connection, chain.deployment, number, 10) == []
        assert proposal(connection, chain.deployment, number + 1) is None


def test_a_proposed_registration_shows_only_the_digest_of_its_list_of_parties(
    waiting_chain: Chain, late: Follower
) -> None:
    call = calls.register_parties([newcomer_to(waiting_chain, "newcomer", "subject")])
    waiting_chain.propose(call)
    late.sync()
    (row,) = late.pending_proposals()
    assert (row.kind, row.target, row.data, row.call) == ("register", "", "", None)
    assert row.act == waiting_chain.client.act_of(call)


def test_a_proposed_call_that_no_contract_of_the_ledger_has_is_shown_as_unknown(
    waiting_chain: Chain, late: Follower
) -> None:
    """An officer can propose any call of any contract; no officer should confirm an unknown call."""
    elsewhere = calls.propose(recovery())
    data = waiting_chain.client.encode(recovery())
    for target, call in (("0x" + "11" * 20, data), (waiting_chain.deployment.asset_registry, b"\1\2\3\4")):
        waiting_chain.acting("founder").send(Call(elsewhere.contract, elsewhere.function, (target, call)))
    late.sync()
    assert [(row.kind, row.call) for row in late.pending_proposals()] == [("unknown", None)] * 2


@pytest.mark.parametrize("more", ["00", "00" * 32, "ff"])
def test_a_key_change_with_extra_bytes_is_shown_as_a_key_change(
    waiting_chain: Chain, late: Follower, more: str
) -> None:
    """The contract ignores the extra bytes and accepts the call, so the party must see the key change to veto it."""
    data = waiting_chain.client.encode(recovery()) + bytes.fromhex(more)
    proposed = calls.propose(recovery())
    target = waiting_chain.deployment.party_registry
    waiting_chain.acting("founder").send(Call(proposed.contract, proposed.function, (target, data)))
    late.sync()
    (row,) = late.pending_proposals(FIRM.no)
    assert (row.kind, row.call, row.shown.changes_key) == ("change_key", None, True)
    assert row.shown.arguments == {"no": FIRM.no, "fresh": account("fresh"), "old": FIRM.account, "proof": ""}


def test_a_reassignment_is_listed_for_the_assets_holder(waiting_chain: Chain, late: Follower) -> None:
    register_confirmed(waiting_chain, ASSETS[0])
    holder = waiting_chain.reader.asset(ASSETS[0])
    assert holder is not None
    number = waiting_chain.reader.party_no(holder.holder)
    call = asset_calls.reassign(ASSETS[0], PARTIES["bank"].no, digest("why"))
    other = asset_calls.reassign(digest("another asset"), PARTIES["bank"].no, digest("why"))
    reassigning, _ = waiting_chain.propose(call), waiting_chain.propose(other)
    late.sync()
    assert [row.no for row in late.pending_proposals(number)] == [reassigning]
    assert [row.no for row in late.pending_proposals(PARTIES["bank"].no)] == []


def test_expired_proposals_are_not_listed(waiting_chain: Chain, late: Follower) -> None:
    chain, call = waiting_chain, recovery()
    number = chain.propose(call)
    chain.node.advance(DELAY + OPEN_FOR - 5)
    assert waiting(late) == [number]
    chain.node.advance(6)
    assert waiting(late) == []
    assert not chain.reader.proposal(number).open_at(chain.reader.running())
    expires = chain.reader.proposal(number).expires
    late.sync()
    assert [row.no for row in late.pending_proposals(now=expires)] == [number]


def test_a_pause_lengthens_the_wait_of_a_proposal(waiting_chain: Chain, late: Follower, engine: Engine) -> None:
    chain = waiting_chain
    ready = chain.reader.proposal(chain.propose(recovery())).ready
    paused = chain.acting("supervisor").send(calls.pause())
    chain.node.advance(1000)
    late.sync()
    now = chain.reader.latest().time
    with engine.connect() as connection:
        time = running_time(connection, now)
    assert time == RunningTime(now, chain.reader.running(), chain.reader.paused_until())
    assert (time.running, time.paused_until) == (paused.time, paused.time + MAX_PAUSE)
    assert time.wall(ready) == paused.time + MAX_PAUSE + (ready - paused.time)
    ended = chain.decide(calls.end_pause())
    late.sync()
    with engine.connect() as connection:
        time = running_time(connection, ended.time)
    assert time == RunningTime(ended.time, chain.reader.running(), 0)
    assert time.wall(ready) == ready + (ended.time - paused.time)
    assert time.wall(time.running - 7) == ended.time - 7


def test_attack_a_node_that_shows_a_false_proposed_call_is_detected(
    waiting_chain: Chain, new_engine: NewEngine
) -> None:
    """The contract's hash over its events includes a digest of the proposed call, so a false call is noticed."""
    waiting_chain.propose(recovery())
    lying = reader_replacing(waiting_chain, account("fresh")[2:], account("harmless")[2:])
    follower = Follower(new_engine(), lying)
    with pytest.raises(ChainUnavailable) as caught:
        follower.sync()
    assert caught.value.code == "PROPOSAL_CALL_DIFFERS" and caught.value.hint
    assert follower.snapshot_rows()["idx_proposals"] == []
