"""Hostile callers of the service try to use other parties' keys, or propose calls that cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.chain.accounts import new_private_key
from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden
from ledger.installation.wiring import Ledger
from ledger.parties.custody import signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.proof.acts import prove_key, sign_act, veto_message
from ledger.proof.jws import Signer
from tests.support.ledgers.waiting_ledger import DELAY, fresh_key, new_party, newcomer, no, officers, proposed, skip


def fresh_signer(ledger: Ledger) -> Signer:
    """Return the signer of a new key that the installation keeps."""
    return ledger.custody.signer(*ledger.custody.create())


def proof_for(ledger: Ledger, signer: Signer, party: int) -> str:
    """Return the key's proof of possession for the party with that number."""
    return prove_key(ledger.reader.chain, signer, party)


# Attacks with keys that the service keeps for other parties


def test_a_stranger_cannot_veto_a_proposal_with_a_firms_key_that_the_service_keeps(waiting: Ledger) -> None:
    firm, stranger = newcomer(waiting), newcomer(waiting)
    account = waiting.parties.register.get(firm).account
    row = proposed(waiting.parties.keys.rotate(waiting.parties.register.actor(firm), firm, fresh_key(waiting)))
    signer = waiting.custody.signer(account)
    act = sign_act(veto_message(waiting.reader.chain, account, row.no), signer)
    for options in ({"account": account}, {"account": account, "act": act}, {"account": "0x" + "77" * 20}):
        with pytest.raises(Forbidden, match="PARTY_NO_VETO"):
            waiting.proposals.veto(waiting.actor(stranger), row.no, **options)
    assert waiting.proposals.get(row.no).pending
    assert waiting.proposals.veto(waiting.actor(firm), row.no, account=account).state == "vetoed"


@pytest.mark.parametrize("whose", ["firm", "authority"])
def test_a_stranger_cannot_report_a_key_with_a_partys_key_that_the_service_keeps(waiting: Ledger, whose: str) -> None:
    """If the service let a stranger use an authority's key, the stranger could report the key of any firm."""
    firm, stranger = newcomer(waiting), newcomer(waiting)
    account = waiting.parties.register.get(firm).account
    signer = waiting.parties.register.get(firm if whose == "firm" else officers(waiting)[0]).account
    for concerned, reported in ((stranger, account), (stranger, waiting.parties.register.get(stranger).account)):
        with pytest.raises(Forbidden, match="PARTY_UNKNOWN_ACCOUNT"):
            waiting.parties.keys.report(waiting.actor(stranger), concerned, reported, signer=signer)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        waiting.parties.keys.report(waiting.actor(stranger), firm, account, signer=signer)
    record = waiting.reader.account(account)
    assert record is not None and not record.reported_at


def office_elsewhere(ledger: Ledger) -> tuple[str, bytes]:
    """Return the id and the key of an authority that has its own installation; the installation under test does not
    keep this key.
    """
    key = new_private_key()
    signer = signer_of_key(key.hex())
    there = replace(
        new_party(ledger, kind=PartyKind.GOV_DEPT),
        public_key=signer.public_key,
        proof=possession_of(ledger.reader.chain, signer),
        roles=frozenset({Role.AUTHORITY}),
    )
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [there])
    skip(ledger, DELAY + 1)
    ledger.proposals.tick()
    return row.id, key


def test_the_service_does_not_confirm_another_institutions_proposal_by_itself(waiting: Ledger) -> None:
    """If the service confirmed by itself, the call of one officer would count as the decision of two officers."""
    office, key = office_elsewhere(waiting)
    firm = newcomer(waiting)
    call = calls.change_key(
        no(waiting, firm), signer_of_key(new_private_key().hex()).kid, waiting.parties.register.get(firm).account
    )
    with pytest.raises(Conflict, match="SIGNATURE_REQUIRED") as asked:
        waiting.proposals.decide(office, call)
    signed = sign_request(ForwardRequest(asked.value.details["typed_data"]), key)
    row = waiting.proposals.decide(office, call, signed)
    assert (row.by, row.confirmed_by, row.state) == (office, None, "pending")
    assert waiting.proposals.get(row.no).needs_confirmation
    first, *_ = officers(waiting)
    assert waiting.proposals.decide(first, call).no == row.no
    assert waiting.proposals.get(row.no).confirmed_by == first
    waiting.parties.role_changes.set_roles(waiting.parties.register.actor(first), office, [Role.SUBJECT])
    skip(waiting, DELAY + 1)
    waiting.proposals.tick()
    assert waiting.reader.officers() == 3


# Attacks with proposals whose call data are not exactly a known call


def proposed_raw(ledger: Ledger, by: str, target: str, data: bytes) -> int:
    """As the party, propose exactly the given call data; return the proposal's number."""
    account = ledger.parties.register.get(by).account
    call = Call(PARTY_REGISTRY, "propose", (target, data))
    number = proposal_of(ledger.registration.transfers._acting.act(account, call))
    ledger.follower.sync()
    return number


@pytest.mark.parametrize("more", [b"\0", b"\0" * 32])
def test_a_rotation_with_extra_bytes_is_shown_and_can_be_vetoed(waiting: Ledger, more: bytes) -> None:
    firm = newcomer(waiting)
    account, thief = waiting.parties.register.get(firm).account, fresh_signer(waiting)
    call = calls.change_key(no(waiting, firm), thief.kid, account, proof_for(waiting, thief, no(waiting, firm)))
    data = waiting.client.encode(call) + more
    number = proposed_raw(waiting, firm, waiting.reader.deployment.party_registry, data)
    (row,) = waiting.proposals.pending(firm)
    assert (row.no, row.kind, row.readable) == (number, "change_key", False)
    assert (row.arguments["fresh"], row.arguments["old"]) == (thief.kid, account)
    assert (row.arguments["selector"], row.arguments["call"]) == ("0x" + data[:4].hex(), data.hex())
    assert f"pingzheng keys veto {number}" in row.how_to_stop and "do not confirm" in row.how_to_stop
    skip(waiting, DELAY + 1)
    assert number not in [done.no for done in waiting.proposals.tick()]
    assert waiting.proposals.veto(waiting.actor(firm), number).state == "vetoed"


def test_the_service_does_not_confirm_a_call_that_it_does_not_know_exactly(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    firm = newcomer(waiting)
    registry = waiting.reader.deployment.party_registry
    closing = waiting.client.encode(calls.set_status(no(waiting, firm), "closed", "fraud")) + b"\0"
    for target, data in (
        (registry, closing),
        ("0x" + "11" * 20, closing),
        (waiting.reader.deployment.asset_registry, b"\1\2\3\4"),
    ):
        number = proposed_raw(waiting, first, target, data)
        with pytest.raises(Conflict, match="PROPOSAL_UNREADABLE"):
            waiting.proposals.confirm(waiting.actor(second), number)
        row = waiting.proposals.get(number)
        assert (row.readable, row.confirmed_by) == (False, None)
        assert f"pingzheng keys cancel {number}" in row.how_to_stop
        assert waiting.proposals.cancel(waiting.actor(third), number).state == "cancelled"


def test_a_proposal_to_lift_a_hold_is_not_shown_as_cancellable(waiting: Ledger) -> None:
    """If one officer could cancel the lifting of a hold or the end of a pause, holds and pauses could last for ever."""
    row = waiting.proposals.propose(officers(waiting)[0], calls.lift("authority", ["7a" * 32]))
    assert "keys cancel" not in row.how_to_stop and "expires" in row.how_to_stop
