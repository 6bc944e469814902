"""Tests the facts (chain data) about keys: their suites, who proposed them, reported keys, and the key that presents a
certificate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.accounts import new_p256_key
from ledger.chain.reading.facts import collect_facts
from ledger.chain.sending import calls
from ledger.proof.acts import prove_key
from ledger.proof.facts import ProposedKey, WithdrawalFact
from ledger.proof.facts_file import parse_facts
from ledger.proof.jws import Es256Signer, LocalSigner, public_jwk
from tests.chain.consented import BANK, FIRM, Consented, consent, made
from tests.chain.reading.counted_facts import counted, with_claims
from tests.support.chain.deployed import DELAY, PARTIES, Chain, test_key
from tests.support.chain.scripted_ledger import account


def bind(chain: Chain, signer: Es256Signer) -> None:
    """Bind a further key of the firm."""
    further = calls.change_key(FIRM.no, signer.kid, proof=prove_key(chain.deployment.chain, signer, FIRM.no))
    chain.decide(further, "enterprise", None)


def test_facts_contain_p256_accounts(chain: Chain) -> None:
    signer = Es256Signer(new_p256_key())
    bind(chain, signer)
    fact = made(chain, signer).facts().accounts[signer.kid]
    assert (fact.party, fact.key, fact.valid_to) == (FIRM.id, signer.public_key, 0)
    assert fact.key.startswith("p256:")


def test_facts_about_a_recovered_key_name_the_parties_that_proposed_the_recovery(waiting_chain: Chain) -> None:
    """Two officers bind a new key after the firm lost its key; the facts contain both officers and the time."""
    chain, consented, key = waiting_chain, made(waiting_chain), test_key("the firm's new key")
    fresh = LocalSigner(bytes.fromhex(key), account("the firm's new key"))
    reported = chain.acting("founder").send(calls.report(FIRM.no, FIRM.account)).time
    bound = chain.decide(
        calls.change_key(FIRM.no, fresh.kid, FIRM.account, chain.proof(key, FIRM.no)), "second", "founder"
    )
    bundle = consented.with_evidence(0, entry=consent(chain.deployment.chain, "FIRST", fresh))
    keys = {**bundle.keys, fresh.kid: public_jwk(fresh.public_key)}
    accounts = collect_facts(chain.reader, replace(bundle, keys=keys)).accounts
    old, new = accounts[FIRM.account], accounts[fresh.kid]
    assert new.proposal == ProposedKey(PARTIES["second"].no, PARTIES["founder"].no, chain.reader.proposal(1).at)
    assert new.valid_from == bound.time >= new.proposal.at + DELAY
    assert (old.reported_at, old.valid_to, old.compromised_at, old.proposal) == (reported, bound.time, 0, None)


def test_facts_name_no_confirmer_of_a_key_change_that_the_party_itself_proposed(
    chain: Chain,
) -> None:
    signer = Es256Signer(new_p256_key())
    bind(chain, signer)
    facts, connection = counted(chain, made(chain, signer).bundle)
    assert facts.accounts[signer.kid].proposal == ProposedKey(FIRM.no, 0, chain.reader.proposal(1).at)
    assert len(connection.turns) == 2


@pytest.mark.parametrize("name", ["enterprise", "provider"])
def test_facts_show_a_withdrawal_by_a_reported_key_with_a_separate_time(
    chain: Chain, consented: Consented, name: str
) -> None:
    party, statement = PARTIES[name], consented.statement("FIRST" if name == "enterprise" else "PROVISION")
    chain.acting("founder").send(calls.report(party.no, party.account))
    receipt = chain.acting(name).send(calls.withdraw(statement))
    facts = consented.facts()
    assert facts.withdrawals[party.id, statement] == WithdrawalFact(0, receipt.time)
    assert parse_facts(facts.to_bytes()) == facts


def test_the_presenting_key_of_a_party_is_read_without_a_further_request(chain: Chain, consented: Consented) -> None:
    """The presenting key signed no statement in the bundle. Its account is known because the certificate
    names the key.
    """
    device = Es256Signer(new_p256_key())
    bundle = with_claims(consented.bundle, cnf={"jwk": public_jwk(device.public_key).to_dict()})
    assert collect_facts(chain.reader, bundle).accounts == consented.facts().accounts
    bind(chain, device)
    reported = chain.acting("enterprise").send(calls.report(FIRM.no, device.kid)).time
    facts, connection = counted(chain, bundle)
    fact = facts.accounts[device.kid]
    assert (fact.party, fact.key, fact.reported_at) == (FIRM.id, device.public_key, reported)
    assert len(connection.turns) == 2
    assert parse_facts(facts.to_bytes()) == facts


def test_the_presenting_key_is_taken_from_the_certificate(chain: Chain, consented: Consented) -> None:
    """The account of the presenting key is computed from the certificate. So a false key for this account in the
    bundle's list of keys hides nothing.
    """
    keys = {**consented.bundle.keys, FIRM.account: consented.bundle.keys[BANK.account]}
    jwk = consented.bundle.keys[FIRM.account].to_dict()
    facts = collect_facts(chain.reader, replace(with_claims(consented.bundle, cnf={"jwk": jwk}), keys=keys))
    assert facts.accounts[FIRM.account] == consented.facts().accounts[FIRM.account]


@pytest.mark.parametrize(
    "cnf",
    [None, [], "jwk", {}, {"jwk": None}, {"jwk": {"kty": "EC", "crv": [], "x": "", "y": ""}}, {"jwk": "x" * 9000}],
)
def test_an_invalid_presenting_key_is_not_read_from_the_chain(chain: Chain, consented: Consented, cnf: Any) -> None:
    assert collect_facts(chain.reader, with_claims(consented.bundle, cnf=cnf)).accounts == consented.facts().accounts


def test_a_key_that_does_not_fit_its_account_is_not_in_the_facts(chain: Chain, consented: Consented) -> None:
    swapped = {**consented.bundle.keys, FIRM.account: consented.bundle.keys[BANK.account]}
    facts = collect_facts(chain.reader, replace(consented.bundle, keys=swapped))
    assert FIRM.account not in facts.accounts
    assert FIRM.account in consented.facts().accounts
