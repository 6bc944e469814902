"""Tests attacks by rogue officers and by thieves of one key, on a chain whose proposals have a waiting period."""

from __future__ import annotations

from functools import partial

import pytest

from ledger.chain.sending import asset_calls, calls
from ledger.domain.parties import Role
from ledger.domain.powers import OPEN_FOR
from ledger.proof.acts import prove_key, report_message, sign_act
from ledger.proof.jws import Es256Signer
from tests.chain.sending.power_acts import carry_out, confirmed, refusal, speaks
from tests.support.chain.deployed import DELAY, PARTIES, Chain, test_key
from tests.support.chain.scripted_ledger import account, digest, register

FIRM, BANK, ISSUER, THIRD = (PARTIES[name] for name in ("enterprise", "bank", "issuer", "third"))
OWN = "the third officer's second key"
FRESH = "the firm's new key"


@pytest.fixture
def chain(waiting_chain: Chain) -> Chain:
    return waiting_chain


def test_attack_a_party_whose_keys_cannot_send_transactions_is_no_officer(chain: Chain) -> None:
    """Two officers also have a key in a phone. Such a key can sign, but cannot send transactions, and a party with no
    other key does not count as an officer. So a thief of the phones cannot report the officers' other keys: too few
    officers would be left.
    """
    phones = {name: Es256Signer(bytes.fromhex(test_key(f"phone of {name}"))) for name in ("second", "third")}
    for name, phone in phones.items():
        number = PARTIES[name].no
        proof = prove_key(chain.deployment.chain, phone, number)
        chain.decide(calls.change_key(number, phone.kid, proof=proof), name, None)
        bound, own = chain.reader.account(phone.kid), chain.reader.account(PARTIES[name].account)
        assert bound is not None and own is not None
        assert (bound.speaks, bound.acts, own.acts) == (True, False, True)
        signature = sign_act(report_message(chain.deployment.chain, phone.kid, PARTIES[name].account), phone)
        theft = calls.report_for(phone.kid, number, PARTIES[name].account, signature)
        assert refusal(partial(chain.acting("other_bank").send, theft)) == "PARTY_TOO_FEW_OFFICERS"
        # The officer also cannot replace its sending key by the key in the phone.
        tablet = Es256Signer(bytes.fromhex(test_key(f"tablet of {name}")))
        proof = prove_key(chain.deployment.chain, tablet, number)
        move = calls.change_key(number, tablet.kid, PARTIES[name].account, proof)
        assert refusal(partial(chain.decide, move, name, None)) == "PARTY_TOO_FEW_OFFICERS"
    assert chain.reader.officers() == 3


def test_attack_a_rogue_officer_cannot_cancel_forever(chain: Chain) -> None:
    """One of three officers is rogue. The others propose to take away the rogue officer's role. Because three officers
    must remain, they also propose to appoint a fourth officer. The rogue officer can cancel neither proposal.
    """
    strip = calls.set_roles(THIRD.no, 0)
    stripped = confirmed(chain, strip)
    rogue = chain.acting("third")
    assert refusal(lambda: rogue.send(calls.cancel(stripped))) == "PARTY_SELF_GRANT"
    appoint = calls.set_roles(BANK.no, Role.mask([Role.CONSUMER, Role.AUTHORITY]))
    appointed = confirmed(chain, appoint)
    assert refusal(lambda: rogue.send(calls.cancel(appointed))) == "PARTY_ACCUSED"
    rogue.send(calls.pause())
    end = chain.propose(calls.end_pause())
    assert refusal(lambda: rogue.send(calls.cancel(end))) == "PARTY_NOT_CANCELLABLE"
    chain.acting("second").send(calls.confirm(end, calls.end_pause()))
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, stripped, strip)) == "PARTY_TOO_FEW_OFFICERS"
    carry_out(chain, appointed, appoint)()
    carry_out(chain, stripped, strip)()
    assert chain.reader.officers() == 3
    assert "authority" not in chain.reader.party(THIRD.no).roles


def test_an_officer_can_cancel_again_after_the_accusation_against_this_officer_expired(chain: Chain) -> None:
    confirmed(chain, calls.report(THIRD.no, THIRD.account))
    chain.node.advance(DELAY + OPEN_FOR + 60)
    other = chain.propose(calls.set_roles(BANK.no, Role.mask([Role.AUTHORITY])))
    chain.acting("third").send(calls.cancel(other))
    assert chain.reader.proposal(other).state == "cancelled"


def test_attack_a_reported_key_can_still_report_the_stolen_key(chain: Chain) -> None:
    """A thief of an officer's key first reports the other key of this officer. With the reported key, the owner can
    still report the stolen key, so that no key may act for the officer any more. The report is accepted only because
    there is a fourth officer: three officers must remain.
    """
    chain.decide(calls.set_roles(BANK.no, Role.mask([Role.CONSUMER, Role.AUTHORITY])))
    proof = chain.proof(test_key(OWN), THIRD.no)
    chain.decide(calls.change_key(THIRD.no, account(OWN), proof=proof), "third", None)
    chain.node.fund(account(OWN))
    owner = chain.client.with_account(test_key(OWN))
    chain.acting("third").send(calls.report(THIRD.no, account(OWN)))
    owner.send(calls.report(THIRD.no, THIRD.account))
    assert not speaks(chain, THIRD.account) and not speaks(chain, account(OWN))
    assert refusal(lambda: owner.send(calls.report(BANK.no, BANK.account))) == "PARTY_ACCOUNT_REPORTED"
    assert chain.reader.officers() == 3


def test_attack_a_reassignment_needs_a_holder_that_was_silent_for_the_whole_waiting_period(chain: Chain) -> None:
    """Two officers propose a reassignment, but report the holder's key only in the last second of the waiting period.
    So the holder was not silent for the whole period.
    """
    asset = digest("the bank's asset")
    chain.acting("bank").send(register(asset))
    reassign = asset_calls.reassign(asset, PARTIES["founder"].no, digest("why"))
    number = confirmed(chain, reassign)
    chain.node.advance(DELAY)
    chain.acting("third").send(calls.report(BANK.no, BANK.account))
    assert refusal(carry_out(chain, number, reassign)) == "ASSET_HOLDER_SPEAKS"
    chain.node.advance(DELAY)
    carry_out(chain, number, reassign)()
    record = chain.reader.asset(asset)
    assert record is not None and record.holder == PARTIES["founder"].id


def test_attack_a_party_cannot_bind_the_new_key_of_another_party(chain: Chain) -> None:
    """A party that binds the future key of another party would block this key, because an account can be bound only
    once. The published proof of possession is valid only for the owner of the key, and without a proof the key cannot
    be bound.
    """
    recovery = calls.change_key(FIRM.no, account(FRESH), FIRM.account, chain.proof(test_key(FRESH), FIRM.no))
    number = confirmed(chain, recovery)
    copied = calls.change_key(BANK.no, account(FRESH), proof=recovery.args[3])
    squat = chain.propose(copied, "bank")
    unproven = calls.change_key(BANK.no, account(FRESH))
    assert refusal(lambda: chain.propose(unproven, "bank")) == "PARTY_PROOF_MISSING"
    chain.node.advance(DELAY)
    assert refusal(carry_out(chain, squat, copied)) == "PARTY_PROOF_INVALID"
    carry_out(chain, number, recovery)()
    assert speaks(chain, account(FRESH))


def test_attack_one_authority_or_supervisor_cannot_suspend_an_issuer(chain: Chain) -> None:
    """If one officer could suspend an issuer, it could make all certificates of the issuer invalid. One officer can
    still report a stolen key of the issuer.
    """
    suspend = calls.set_status(ISSUER.no, "suspended", "sanction")
    for name in ("founder", "supervisor"):
        assert refusal(partial(chain.acting(name).send, suspend)) == "PARTY_NOT_DECIDED"
    chain.acting("founder").send(calls.report(ISSUER.no, ISSUER.account))
    assert not speaks(chain, ISSUER.account)
    chain.decide(suspend)
    assert chain.reader.party(ISSUER.no).status == "suspended"
