"""Tests proposals that have a waiting period: to propose, confirm, carry out, veto and cancel; key reports; pauses."""

from __future__ import annotations

import pytest

from ledger.chain.sending import asset_calls, calls
from ledger.domain.days import DAY
from ledger.domain.powers import MAX_PAUSE, OPEN_FOR, PAUSE_REST
from ledger.errors import PingzhengError
from ledger.proof.acts import prove_key, report_message, sign_act, veto_message
from ledger.proof.jws import Es256Signer, LocalSigner, Signer
from tests.chain.sending.power_acts import FIRM, FRESH, carry_out, confirmed, recovery, refusal, speaks
from tests.support.chain.deployed import DELAY, PARTIES, Chain, test_key
from tests.support.chain.reads import is_silent
from tests.support.chain.scripted_ledger import CONSENT, FAR, ROOT, account, digest, newcomer_to, register

BANK = PARTIES["bank"]
P256 = Es256Signer(bytes.fromhex(test_key("the firm's P-256 key")))
SIGNERS: dict[str, Signer] = {"secp256k1": LocalSigner(bytes.fromhex(FIRM.key), FIRM.account), "P-256": P256}


@pytest.fixture
def chain(waiting_chain: Chain) -> Chain:
    return waiting_chain


def test_a_recovery_needs_two_officers_and_the_waiting_period(chain: Chain) -> None:
    call = recovery(chain)
    number = chain.propose(call)
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_CONFIRMED"
    chain.acting("second").send(calls.confirm(number, call))
    carry_out(chain, number, call)()
    assert (speaks(chain, FIRM.account), speaks(chain, account(FRESH))) == (False, True)
    assert chain.reader.proposal(number).state == "carried_out"
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_PENDING"


def test_the_waiting_period_begins_with_the_proposal(chain: Chain) -> None:
    call = recovery(chain)
    number = confirmed(chain, call)
    record = chain.reader.proposal(number)
    assert record.ready == record.at + DELAY
    chain.node.advance(DELAY - 60)
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_READY"
    chain.node.advance(60)
    carry_out(chain, number, call)()
    assert speaks(chain, account(FRESH))


def test_attack_one_officer_alone_cannot_recover_a_key(chain: Chain) -> None:
    """The officer has two accounts, but cannot confirm its own proposal with the second account. After another
    officer's confirmation, the proposed call cannot be changed.
    """
    call, second_key = recovery(chain), test_key("the founder's second key")
    founder = PARTIES["founder"]
    chain.node.fund(account("the founder's second key"))
    further = calls.change_key(
        founder.no, account("the founder's second key"), proof=chain.proof(second_key, founder.no)
    )
    chain.decide(further, "founder", None)
    number = chain.propose(call)
    own = chain.client.with_account(second_key)
    for client in (chain.acting("founder"), own):
        assert refusal(lambda client=client: client.send(calls.confirm(number, call))) == "PARTY_OWN_PROPOSAL"
    for name in ("supervisor", "issuer", "enterprise"):
        assert refusal(lambda name=name: chain.acting(name).send(calls.confirm(number, call))) == "PARTY_LACKS_ROLE"
    chain.acting("second").send(calls.confirm(number, call))
    chain.node.advance(DELAY)
    other = calls.change_key(FIRM.no, account("the thief's"), FIRM.account)
    assert refusal(carry_out(chain, number, other)) == "PARTY_ACT_DIFFERS"


def test_an_old_proposal_expires_and_cannot_be_carried_out(chain: Chain) -> None:
    call = recovery(chain)
    number, late = confirmed(chain, call), chain.propose(call)
    chain.node.advance(DELAY + OPEN_FOR + 2)
    assert refusal(carry_out(chain, number, call)) == "PARTY_PROPOSAL_EXPIRED"
    assert refusal(lambda: chain.acting("second").send(calls.confirm(late, call))) == "PARTY_PROPOSAL_EXPIRED"
    assert chain.reader.proposal(number).state == "pending"


def test_only_officers_can_cancel_a_proposal(chain: Chain) -> None:
    call = recovery(chain)
    number = confirmed(chain, call)
    for name in ("enterprise", "supervisor", "issuer"):
        assert refusal(lambda name=name: chain.acting(name).send(calls.cancel(number))) == "PARTY_LACKS_ROLE"
    chain.acting("third").send(calls.cancel(number))
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_PENDING"
    assert chain.reader.proposal(number).state == "cancelled"


def test_proposer_and_confirmer_are_checked_again_when_a_proposal_is_carried_out(chain: Chain) -> None:
    """The key that confirmed the proposal is reported during the waiting period. So the proposal can no longer be
    carried out, although the confirming party has another key.
    """
    call, second = recovery(chain), PARTIES["second"]
    number = confirmed(chain, call, "founder", "second")
    spare = calls.change_key(second.no, account("spare"), proof=chain.proof(test_key("spare"), second.no))
    chain.decide(spare, "second", None)
    chain.acting("second").send(calls.report(second.no, second.account))
    assert refusal(carry_out(chain, number, call)) == "PARTY_ACCOUNT_REPORTED"
    assert not speaks(chain, account(FRESH))


@pytest.mark.parametrize("signer", SIGNERS.values(), ids=SIGNERS)
def test_a_signed_veto_that_another_account_sends_stops_a_recovery(chain: Chain, signer: Signer) -> None:
    """Another account sends the firm's signed veto and pays for it; the firm's own account sends nothing."""
    bind(chain)
    call, sent = recovery(chain), chain.client.connection.transaction_count(FIRM.account)
    number = confirmed(chain, call)
    veto = calls.veto_for(
        signer.kid, number, sign_act(veto_message(chain.deployment.chain, signer.kid, number), signer)
    )
    (ended,) = chain.acting("other_bank").send(veto).named("ProposalEnded")
    assert (ended.args["account"], ended.args["by"]) == (signer.kid, FIRM.no)
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_PENDING"
    assert chain.client.connection.transaction_count(FIRM.account) == sent
    assert speaks(chain, FIRM.account)


@pytest.mark.parametrize("signer", SIGNERS.values(), ids=SIGNERS)
def test_a_signed_report_that_another_account_sends_has_immediate_effect(chain: Chain, signer: Signer) -> None:
    bind(chain)
    reported = next(each.kid for each in SIGNERS.values() if each is not signer)
    message = report_message(chain.deployment.chain, signer.kid, reported)
    receipt = chain.acting("other_bank").send(
        calls.report_for(signer.kid, FIRM.no, reported, sign_act(message, signer))
    )
    record = chain.reader.account(reported)
    assert record is not None and (record.reported_at, record.live, record.speaks) == (receipt.time, True, False)
    assert speaks(chain, signer.kid)


def bind(chain: Chain) -> None:
    """Bind a P-256 key as the firm's second key."""
    further = calls.change_key(FIRM.no, P256.kid, proof=prove_key(chain.deployment.chain, P256, FIRM.no))
    chain.decide(further, "enterprise", None)


def test_vetoes_and_reports_signed_with_a_wrong_key_or_for_a_different_act_are_refused(chain: Chain) -> None:
    bind(chain)
    call, ledger = recovery(chain), chain.deployment.chain
    number, other = chain.propose(call), chain.propose(call)
    own = SIGNERS["secp256k1"]
    stranger = LocalSigner(bytes.fromhex(BANK.key), BANK.account)
    wrong = {
        "another proposal": (own.kid, sign_act(veto_message(ledger, own.kid, other), own)),
        "another key": (own.kid, sign_act(veto_message(ledger, own.kid, number), stranger)),
        "a report": (own.kid, sign_act(report_message(ledger, own.kid, P256.kid), own)),
        "another key of the firm": (P256.kid, sign_act(veto_message(ledger, own.kid, number), own)),
    }
    for name, (signer, signature) in wrong.items():
        veto = calls.veto_for(signer, number, signature)
        assert refusal(lambda veto=veto: chain.client.send(veto)) == "PARTY_SIGNATURE_INVALID", name
    by_stranger = calls.veto_for(stranger.kid, number, sign_act(veto_message(ledger, stranger.kid, number), stranger))
    assert refusal(lambda: chain.client.send(by_stranger)) == "PARTY_NO_VETO"


def test_attack_an_owner_can_stop_a_thief_that_tries_to_replace_the_keys(chain: Chain) -> None:
    """A thief has one of the firm's keys, and proposes to bind the thief's own key. The owner reports the stolen key
    with another key of the firm, and vetoes the proposal.
    """
    bind(chain)
    theft = calls.change_key(FIRM.no, account("the thief's"), P256.kid, chain.proof(test_key("the thief's"), FIRM.no))
    number = chain.propose(theft, "enterprise")
    signature = sign_act(report_message(chain.deployment.chain, P256.kid, FIRM.account), P256)
    chain.client.send(calls.report_for(P256.kid, FIRM.no, FIRM.account, signature))
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, number, theft)) == "PARTY_ACCOUNT_REPORTED"
    signature = sign_act(veto_message(chain.deployment.chain, P256.kid, number), P256)
    chain.client.send(calls.veto_for(P256.kid, number, signature))
    assert chain.reader.proposal(number).state == "vetoed"


def test_attack_a_thief_that_vetoes_the_recovery_does_not_get_the_assets(chain: Chain) -> None:
    """A thief can veto the recovery with the bank's reported key. Then two officers can reassign the bank's assets."""
    asset = digest("the bank's asset")
    chain.acting("bank").send(register(asset))
    chain.acting("founder").send(calls.report(BANK.no, BANK.account))
    call = calls.change_key(BANK.no, account(FRESH), BANK.account, chain.proof(test_key(FRESH), BANK.no))
    number = confirmed(chain, call)
    chain.acting("bank").send(calls.veto(number))
    assert not is_silent(chain.reader, BANK.no), "not for long enough"
    assert refusal(lambda: chain.acting("bank").send(calls.record_use(CONSENT, 1))) == "PARTY_ACCOUNT_REPORTED"
    chain.decide(asset_calls.reassign(asset, PARTIES["provider"].no, digest("why")))
    assert is_silent(chain.reader, BANK.no)
    record = chain.reader.asset(asset)
    assert record is not None and record.holder == PARTIES["provider"].id


def test_a_key_bound_after_the_proposal_cannot_veto(chain: Chain) -> None:
    call = recovery(chain)
    number = confirmed(chain, call)
    chain.node.advance(5)
    bind(chain)
    signature = sign_act(veto_message(chain.deployment.chain, P256.kid, number), P256)
    veto = calls.veto_for(P256.kid, number, signature)
    assert refusal(lambda: chain.client.send(veto)) == "PARTY_NO_VETO"
    assert refusal(lambda: chain.acting("bank").send(calls.veto(number))) == "PARTY_NO_VETO"
    roles = chain.propose(calls.set_roles(FIRM.no, 1 << 7))
    assert refusal(lambda: chain.acting("enterprise").send(calls.veto(roles))) == "PARTY_NOT_VETOABLE"


def test_a_party_needs_a_proven_key_to_be_registered(chain: Chain) -> None:
    right = newcomer_to(chain, "newcomer", "subject")
    (owner, proof), *_ = right.keys
    empty = calls.register_parties([type(right)(right.id, ((owner, ""),), right.roles)])
    wrong = calls.register_parties([type(right)(right.id, ((account("another"), proof),), right.roles)])
    office = calls.register_parties([newcomer_to(chain, "newcomer", "issuer")])
    for call, code in (
        (empty, "PARTY_NO_PROVEN_KEY"),
        (wrong, "PARTY_PROOF_INVALID"),
        (office, "PARTY_OFFICE_BY_PROPOSAL"),
    ):
        number = chain.propose(call)
        confirm = calls.confirm(number, call)
        assert refusal(lambda confirm=confirm: chain.acting("second").send(confirm)) == code
    both = type(right)(right.id, (*right.keys, (account("an SM2 key's"), "")), right.roles)
    chain.decide(calls.register_parties([both]))
    records = [chain.reader.account(each) for each, _ in both.keys]
    assert [(each.proven, each.speaks, each.live) for each in records if each] == [
        (True, True, True),
        (False, False, True),
    ]


def test_attack_the_number_of_officers_never_falls_below_three(chain: Chain) -> None:
    """A report of a key, or a change of roles, status or keys, is refused if it would leave fewer than
    three officers.
    """
    third = PARTIES["third"]
    own = calls.report(third.no, third.account)
    assert refusal(lambda: chain.acting("third").send(own)) == "PARTY_TOO_FEW_OFFICERS"
    for call in (
        calls.set_roles(third.no, 1),
        calls.set_status(third.no, "suspended", "sanction"),
        calls.set_status(third.no, "closed", "none"),
        calls.report(third.no, third.account),
        calls.change_key(third.no, account("an unproven key"), third.account),
    ):
        assert refusal(lambda call=call: chain.decide(call)) == "PARTY_TOO_FEW_OFFICERS"
    chain.decide(calls.set_roles(PARTIES["assessor"].no, 1 << 5))
    assert chain.reader.officers() == 4
    chain.acting("third").send(own)
    assert chain.reader.officers() == 3


def test_a_pause_stops_anchoring_and_the_binding_of_keys_but_no_protective_act(chain: Chain) -> None:
    rotation, theft = recovery(chain), calls.change_key(BANK.no, account("the thief's"), BANK.account)
    number, roles = chain.propose(rotation, "enterprise"), calls.set_roles(BANK.no, 1 << 7)
    stolen, before = confirmed(chain, theft), confirmed(chain, roles)
    chain.node.advance(DELAY)
    paused = chain.acting("supervisor").send(calls.pause())
    assert chain.reader.paused_until() == paused.time + MAX_PAUSE
    assert refusal(lambda: chain.client.send(calls.anchor(0, 1, ROOT))) == "PARTY_PAUSED"
    assert refusal(lambda: chain.acting("provider").send(register(digest("an asset")))) == "PARTY_PAUSED"
    assert refusal(carry_out(chain, number, rotation)) == "PARTY_PAUSED"
    chain.acting("bank").send(calls.veto(stolen))
    chain.acting("bank").send(calls.withdraw(CONSENT))
    chain.acting("bank").send(calls.report(BANK.no, BANK.account))
    chain.acting("founder").send(calls.hold([CONSENT], "court"))
    # The waiting period of this proposal ended before the pause, and the proposal binds no key. So it can be carried
    # out during the pause.
    carry_out(chain, before, roles)()
    chain.decide(calls.end_pause())
    carry_out(chain, number, rotation)()
    chain.client.send(calls.anchor(0, 1, ROOT))


def test_waiting_periods_do_not_pass_during_a_pause(chain: Chain) -> None:
    call = recovery(chain)
    number = confirmed(chain, call)
    record = chain.reader.proposal(number)
    start = chain.acting("founder").send(calls.pause()).time
    chain.node.advance(5 * DAY)
    assert chain.reader.running() == start
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_READY"
    chain.node.advance(2 * DAY)
    block = chain.reader.latest()
    assert chain.reader.running() == block.time - MAX_PAUSE
    assert refusal(carry_out(chain, number, call)) == "PARTY_NOT_READY"
    chain.node.advance(record.ready - chain.reader.running())
    carry_out(chain, number, call)()


def test_attack_one_party_cannot_pause_the_ledger_forever(chain: Chain) -> None:
    """After a pause, the same party cannot pause again for 30 days, but another party can."""
    start = chain.acting("supervisor").send(calls.pause()).time
    for name in ("supervisor", "founder"):
        assert refusal(lambda name=name: chain.acting(name).send(calls.pause())) == "PARTY_PAUSED"
    chain.node.advance(MAX_PAUSE + 1)
    assert chain.reader.paused_until() == 0
    assert refusal(lambda: chain.acting("supervisor").send(calls.pause())) == "PARTY_PAUSE_REST"
    assert refusal(lambda: chain.acting("bank").send(calls.pause())) == "PARTY_LACKS_ROLE"
    chain.acting("founder").send(calls.pause())
    chain.decide(calls.end_pause())
    rest = start + MAX_PAUSE + PAUSE_REST - chain.reader.latest().time
    chain.node.advance(rest - 60)
    assert refusal(lambda: chain.acting("supervisor").send(calls.pause())) == "PARTY_PAUSE_REST"
    chain.node.advance(60)
    chain.acting("supervisor").send(calls.pause())


def test_a_hold_can_be_lifted_only_by_two_parties_that_have_the_role_of_the_party_that_placed_it(chain: Chain) -> None:
    chain.acting("supervisor").send(calls.hold([CONSENT], "court"))
    for name in ("supervisor", "founder", "issuer"):
        lift = calls.lift("supervisor", [CONSENT])
        assert refusal(lambda name=name, lift=lift: chain.acting(name).send(lift)) == "LOG_NOT_DECIDED"
    for office, by, confirmer in (("authority", "founder", "second"), ("supervisor", "supervisor", "founder")):
        lift = calls.lift(office, [CONSENT])
        assert refusal(lambda lift=lift, by=by, confirmer=confirmer: chain.decide(lift, by, confirmer)) in (
            "LOG_NOT_HELD",
            "PARTY_LACKS_ROLE",
        )
    assert refusal(lambda: chain.propose(calls.lift("supervisor", [CONSENT]), "founder")) == "PARTY_LACKS_ROLE"
    chain.decide(calls.lift("supervisor", [CONSENT]), "supervisor", "other_supervisor")
    assert chain.reader.hold_of(CONSENT).offices == ()


def test_attack_closing_a_party_needs_two_officers_and_the_waiting_period(chain: Chain) -> None:
    close = calls.set_status(FIRM.no, "closed", "none")
    for name in ("founder", "supervisor"):
        assert refusal(lambda name=name: chain.acting(name).send(close)) == "PARTY_NOT_DECIDED"
    chain.decide(close)
    assert chain.reader.party(FIRM.no).status == "closed"
    chain.node.advance(DELAY)
    chain.acting("enterprise").send(calls.withdraw(CONSENT))
    assert is_silent(chain.reader, FIRM.no)


def test_a_call_that_must_not_be_proposed_is_refused(chain: Chain) -> None:
    for call in (calls.pause(), calls.veto(1), calls.register_parties([]), calls.cancel(1)):
        assert refusal(lambda call=call: chain.acting("founder").send(calls.propose(call))) == "PARTY_NOT_PROPOSABLE"
    assert refusal(lambda: chain.propose(calls.accredit(1, "S51", 0, FAR))) == "PARTY_SELF_GRANT"
    assert refusal(lambda: chain.propose(calls.accredit(99, "S51", 0, FAR))) == "PARTY_UNKNOWN"


def test_proposals_can_be_read_by_number_or_in_pages(chain: Chain) -> None:
    with pytest.raises(PingzhengError) as caught:
        chain.reader.proposal(1)
    assert caught.value.code == "PROPOSAL_UNKNOWN"
    numbers = [chain.propose(recovery(chain)) for _ in range(3)]
    assert [each.no for each in chain.reader.proposals()] == numbers == [1, 2, 3]
    assert [each.no for each in chain.reader.proposals(after=1, limit=1)] == [2]
    assert chain.reader.proposals(after=3) == []
