"""Tests that a subject can withdraw on the chain without our service, with any key that the chain can check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.chain.accounts import new_p256_key
from ledger.chain.contracts.deployment import deployment_of
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.withdrawing import withdraw_by_itself
from ledger.domain.canonical import canonical, parse_json
from ledger.errors import (
    BadBundle,
    ChainUnavailable,
    Conflict,
    Forbidden,
    InvalidInput,
    Misconfigured,
    NotFound,
    PingzhengError,
)
from ledger.proof.acts import prove_key
from ledger.proof.bundle import Bundle
from ledger.proof.facts import WithdrawalFact
from ledger.proof.jws import Es256Signer, LocalSigner, public_jwk, sign_entry
from tests.chain.consented import BANK, FIRM, Consented, consent, made, signer_of
from tests.support.chain.deployed import PARTIES, Chain, TestParty, test_key
from tests.support.chain.scripted_ledger import account

NEWCOMER = test_key("newcomer to withdrawing")


@pytest.fixture
def consented(chain: Chain) -> Consented:
    return made(chain)


def refusal(act: Callable[[], object], kind: type[PingzhengError]) -> PingzhengError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def test_a_subject_withdraws_all_its_authorizations_from_its_own_account(consented: Consented) -> None:
    sent = consented.chain.client.connection.transaction_count(FIRM.account)
    withdrawn = consented.withdraw()
    statements = [consented.statement("FIRST"), consented.statement("SECOND")]
    assert [(each.authorization, each.statement) for each in withdrawn] == list(
        zip(("FIRST", "SECOND"), statements, strict=True)
    )
    receipt = withdrawn[0].receipt
    assert receipt is not None and [each.receipt for each in withdrawn] == [receipt] * 2
    assert [dict(event.args) for event in receipt.named("Withdrawn")] == [
        {"party": FIRM.no, "statement": statement, "reported": False, "at": receipt.time} for statement in statements
    ]
    assert [each.at for each in withdrawn] == [receipt.time] * 2
    assert consented.chain.client.connection.transaction_count(FIRM.account) == sent + 1
    facts = consented.facts().withdrawals
    assert {facts[FIRM.id, statement] for statement in statements} == {WithdrawalFact(receipt.time, 0)}
    assert facts[BANK.id, consented.statement("THE BANKS")] == WithdrawalFact(0, 0)


def test_a_second_call_withdraws_only_authorizations_that_the_first_call_did_not_withdraw(consented: Consented) -> None:
    (first,) = consented.withdraw(authorization="FIRST")
    consented.chain.node.advance(60)
    again, rest = consented.withdraw()
    assert (again, rest.authorization) == (replace(first, receipt=None), "SECOND")
    assert rest.receipt is not None and rest.at == rest.receipt.time > first.at
    block = consented.chain.reader.block_number()
    assert consented.withdraw() == (again, replace(rest, receipt=None))
    assert consented.chain.reader.block_number() == block


def test_the_contract_accepts_a_withdrawal_only_once(consented: Consented) -> None:
    firm, statement = consented.chain.acting("enterprise"), consented.statement("FIRST")
    at = firm.send(calls.withdraw(statement)).time
    error = refusal(lambda: firm.send(calls.withdraw(statement)), Conflict)
    assert (error.code, error.details) == ("LOG_ALREADY_WITHDRAWN", {"statement": statement, "since": at})


@pytest.mark.parametrize("status", ["suspended", "sanctioned", "closed"])
def test_a_subject_can_withdraw_whatever_its_status(consented: Consented, status: str) -> None:
    consented.chain.decide(calls.set_status(FIRM.no, status, "sanction"))
    act = calls.set_roles(BANK.no, 1)
    assert refusal(lambda: consented.chain.acting("enterprise").send(act), Forbidden).code == "PARTY_NOT_ACTIVE"
    assert all(each.receipt for each in consented.withdraw())


@pytest.mark.parametrize("payer", [None, bytes.fromhex(PARTIES["provider"].key)], ids=["itself", "a payer"])
def test_a_subject_can_withdraw_with_a_key_that_was_reported_lost(consented: Consented, payer: bytes | None) -> None:
    """A subject must always be able to withdraw, even if a thief has reported the subject's key as lost."""
    consented.chain.acting("founder").send(calls.report(FIRM.no, FIRM.account))
    withdrawn = consented.withdraw(payer=payer)
    found = [consented.chain.reader.withdrawn_at(FIRM.no, each.statement) for each in withdrawn]
    assert found == [WithdrawalFact(0, each.at) for each in withdrawn]
    assert all(each.receipt for each in withdrawn)
    assert [each.receipt for each in consented.withdraw(payer=payer)] == [None, None]


def test_anybody_can_send_a_withdrawal_that_the_subject_signed(consented: Consented) -> None:
    """A stranger, who belongs to no party, sends and pays; the subject's account sends nothing."""
    chain, payer = consented.chain, test_key("payer")
    chain.node.fund(account("payer"))
    sent = chain.client.connection.transaction_count(FIRM.account)
    withdrawn = consented.withdraw(payer=bytes.fromhex(payer))
    assert [each.authorization for each in withdrawn] == ["FIRST", "SECOND"]
    assert chain.client.connection.transaction_count(FIRM.account) == sent
    assert chain.client.connection.transaction_count(account("payer")) == 1


def test_a_withdrawal_signed_with_a_p256_key_is_sent_by_a_payer(chain: Chain) -> None:
    """The subject's wallet has only this P-256 key, which also signed the authorizations. Another account sends the
    withdrawal and pays for it.
    """
    secret = new_p256_key()
    signer = Es256Signer(secret)
    further = calls.change_key(FIRM.no, signer.kid, proof=prove_key(chain.deployment.chain, signer, FIRM.no))
    chain.decide(further, "enterprise", None)
    consented = made(chain, signer)
    error = refusal(lambda: consented.withdraw(secret.hex(), alg="ES256"), Misconfigured)
    assert (error.code, error.where) == ("PAYER_MISSING", "payer")
    withdrawn = consented.withdraw(secret.hex(), alg="ES256", payer=bytes.fromhex(PARTIES["provider"].key))
    found = [chain.reader.withdrawn_at(FIRM.no, each.statement) for each in withdrawn]
    assert found == [WithdrawalFact(each.at, 0) for each in withdrawn]
    assert all(each.receipt for each in withdrawn)


def test_a_subject_can_withdraw_with_a_key_that_did_not_sign_the_authorization(
    consented: Consented,
) -> None:
    """The account that signed the authorizations was replaced after it had signed them."""
    chain = consented.chain
    chain.rotate("enterprise", NEWCOMER)
    chain.node.fund(account("newcomer to withdrawing"))
    assert len(consented.withdraw(NEWCOMER)) == 2


def test_a_payer_can_pay_for_an_account_without_money(consented: Consented) -> None:
    chain = consented.chain
    chain.rotate("enterprise", NEWCOMER)
    before = chain.reader.block_number()
    error = refusal(lambda: consented.withdraw(NEWCOMER), Misconfigured)
    assert (error.code, error.where) == ("ACCOUNT_WITHOUT_FUNDS", account("newcomer to withdrawing"))
    assert error.details["balance_wei"] == 0 and error.details["needed_wei"]
    assert error.hint is not None and "relay" in error.hint
    assert chain.reader.block_number() == before
    chain.node.fund(account("payer"))
    assert len(consented.withdraw(NEWCOMER, payer=bytes.fromhex(test_key("payer")))) == 2
    assert chain.client.connection.transaction_count(account("newcomer to withdrawing")) == 0


def resigned(it: Consented, ledger: str | None = None, by: TestParty = FIRM) -> Bundle:
    """Return the bundle with its first authorization replaced by another authorization of the subject, signed by
    ``by``.
    """
    chain = it.bundle.chain
    text = consent(chain, "FIRST", signer_of(by), FIRM.id)
    if ledger is not None:
        unsigned = {**parse_json(text.encode(), max_bytes=2**16), "ledger": ledger}
        del unsigned["signature"]
        text = canonical(sign_entry(unsigned, signer_of(by))).decode()
    return it.with_evidence(0, entry=text)


def forged(it: Consented) -> Bundle:
    """Return the bundle with its first authorization signed by a stranger's key, and with this key listed for the
    subject's account.
    """
    stranger = LocalSigner(bytes.fromhex(test_key("stranger")), FIRM.account)
    bundle = it.with_evidence(0, entry=consent(it.bundle.chain, "FIRST", stranger))
    return replace(bundle, keys={**bundle.keys, FIRM.account: public_jwk(stranger.public_key)})


WRONG: dict[str, tuple[type[PingzhengError], str, Callable[[Consented], object]]] = {
    "another subject's": (Forbidden, "SIGNER_NOT_SUBJECT", lambda it: it.withdraw(authorization="THE BANKS")),
    "of no subject here": (Forbidden, "SIGNER_NOT_SUBJECT", lambda it: it.withdraw(PARTIES["provider"].key)),
    "unknown id": (NotFound, "AUTHORIZATION_UNKNOWN", lambda it: it.withdraw(authorization="THIRD")),
    "a provision": (NotFound, "AUTHORIZATION_UNKNOWN", lambda it: it.withdraw(authorization="PROVISION")),
    "no evidence": (
        NotFound,
        "AUTHORIZATION_UNKNOWN",
        lambda it: it.withdraw(bundle=replace(it.bundle, evidence=())),
    ),
    "a stranger": (Forbidden, "PARTY_UNKNOWN_ACCOUNT", lambda it: it.withdraw(test_key("stranger"))),
    "changed consent": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(bundle=it.with_evidence(0, entry=it.bundle.evidence[0].entry.replace("FIRST", "THIRD"))),
    ),
    "consent by another party": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(bundle=resigned(it, by=BANK)),
    ),
    "unsigned consent": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(
            bundle=it.with_evidence(0, entry=it.bundle.evidence[0].entry.replace('"signature"', '"sign"'))
        ),
    ),
    "no key": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(bundle=replace(it.bundle, keys={})),
    ),
    "another key": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(
            bundle=replace(it.bundle, keys={**it.bundle.keys, FIRM.account: it.bundle.keys[BANK.account]})
        ),
    ),
    "a stranger's key under the subject's account": (
        BadBundle,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda it: it.withdraw(bundle=forged(it), authorization="FIRST"),
    ),
    "consent on another ledger": (
        BadBundle,
        "LEDGER_DIFFERS",
        lambda it: it.withdraw(bundle=resigned(it, ledger="ee" * 32)),
    ),
    "an SM2 key": (InvalidInput, "ACT_SUITE_UNSUPPORTED", lambda it: it.withdraw(alg="SM2SM3")),
    "another origin": (
        ChainUnavailable,
        "LEDGER_DIFFERS",
        lambda it: it.withdraw(bundle=it.on_chain(origin="ee" * 32)),
    ),
    "another delay": (ChainUnavailable, "LEDGER_DIFFERS", lambda it: it.withdraw(bundle=it.on_chain(delay=1))),
    "another chain": (
        ChainUnavailable,
        "CHAIN_ID_CHANGED",
        lambda it: it.withdraw(bundle=it.on_chain(chain_id=1)),
    ),
    "no contract": (
        Misconfigured,
        "CONTRACT_MISSING",
        lambda it: it.withdraw(bundle=it.on_chain(certificate_log="0x" + "11" * 20)),
    ),
    "another contract": (
        Misconfigured,
        "CONTRACT_CODE_MISMATCH",
        lambda it: it.withdraw(bundle=it.on_chain(party_registry=it.bundle.chain.asset_registry)),
    ),
    "no node": (
        ChainUnavailable,
        "CHAIN_UNREACHABLE",
        lambda it: withdraw_by_itself(it.bundle, "http://127.0.0.1:1", bytes.fromhex(FIRM.key)),
    ),
}


@pytest.mark.parametrize(("kind", "code", "act"), WRONG.values(), ids=WRONG)
def test_a_withdrawal_with_a_wrong_bundle_is_refused_and_nothing_is_sent(
    consented: Consented, kind: type[PingzhengError], code: str, act: Callable[[Consented], object]
) -> None:
    before = consented.chain.reader.block_number()
    error = refusal(lambda: act(consented), kind)
    assert error.code == code and error.hint
    assert consented.chain.reader.block_number() == before


def test_a_retired_account_cannot_withdraw(consented: Consented) -> None:
    consented.chain.rotate("enterprise", NEWCOMER)
    assert refusal(consented.withdraw, Forbidden).code == "PARTY_UNKNOWN_ACCOUNT"


def test_the_deployment_can_be_found_from_a_bundle_and_the_chain(consented: Consented) -> None:
    chain = consented.chain
    found = deployment_of(Connection(chain.node.url), consented.bundle.chain)
    assert dict(found.addresses) == dict(chain.deployment.addresses)
    assert (found.chain_id, found.genesis_hash) == (chain.deployment.chain_id, chain.deployment.genesis_hash)
    assert found.code_digests == chain.deployment.code_digests
    assert found.chain == chain.deployment.chain
    consented.withdraw()
    reader = ChainReader(ChainClient(chain.client.connection, found))
    assert collect_facts(reader, consented.bundle) == consented.facts()
