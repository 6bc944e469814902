"""Acts by signature, and the digests of proposals, computed by both implementations (protocol §3)."""

from __future__ import annotations

import pytest

from ledger.proof import acts
from ledger.proof.head import act_digest
from tests.proof.second import acts as second_acts
from tests.proof.second.signatures import key_of_text
from tests.support.bundles.cast import AT, BANK, CHAIN, ISSUER, Actor
from tests.support.bundles.p256_cast import P_BANK
from tests.support.bundles.sm_cast import SM_SUBJECT

LEDGER = CHAIN.to_dict()
DIGITS = ["00" * 32, "ff" * 32, "0a" * 32]
LISTS: list[list[tuple[str, int]]] = [[], [(DIGITS[0], 1)], [*zip(DIGITS, (1, 65_535, 2), strict=True)]]
BY_SUITE = pytest.mark.parametrize("actor", [BANK, P_BANK], ids=lambda actor: actor.suite)


def require_signed_the_same(message: bytes, actor: Actor) -> None:
    key, signature = key_of_text(actor.signer.public_key), acts.sign_act(message, actor.signer)
    assert second_acts.signed_act(message, signature, key)
    for other in (signature[:-1] + bytes([signature[-1] ^ 1]), signature + b"\0", signature[:64] + b"\0" * 64):
        assert not second_acts.signed_act(message, other, key)
    assert not second_acts.signed_act(message + b"\0", signature, key)


@pytest.mark.parametrize("uses", LISTS, ids=len)
@BY_SUITE
def test_both_implementations_sign_the_same_uses_and_withdrawals(actor: Actor, uses: list[tuple[str, int]]) -> None:
    statements = [statement for statement, _ in uses]
    used = acts.uses_message(CHAIN, actor.account, AT, uses)
    withdrawn = acts.withdrawals_message(CHAIN, actor.account, statements)
    assert used == second_acts.uses_message(LEDGER, actor.account, AT, uses)
    assert withdrawn == second_acts.withdrawals_message(LEDGER, actor.account, statements)
    for message in (used, withdrawn):
        require_signed_the_same(message, actor)


@BY_SUITE
def test_both_implementations_sign_the_same_vetoes_and_reports(actor: Actor) -> None:
    for proposal in (1, 2**32 - 1):
        veto = acts.veto_message(CHAIN, actor.account, proposal)
        assert veto == second_acts.veto_message(LEDGER, actor.account, proposal)
        require_signed_the_same(veto, actor)
    for reported in (actor.account, ISSUER.account):
        report = acts.report_message(CHAIN, actor.account, reported)
        assert report == second_acts.report_message(LEDGER, actor.account, reported)
        require_signed_the_same(report, actor)


@BY_SUITE
def test_both_implementations_sign_the_same_proof_of_a_key(actor: Actor) -> None:
    for number in (0, 1, 2**32 - 1):
        assert acts.key_message(CHAIN, actor.account, number) == second_acts.key_message(LEDGER, actor.account, number)
    message = second_acts.key_message(LEDGER, actor.account, 7)
    proof = bytes.fromhex(acts.prove_key(CHAIN, actor.signer, 7))
    key = key_of_text(actor.signer.public_key)
    assert second_acts.signed_act(message, proof, key)
    for name in ("origin", "chain_id", "party_registry"):
        other = LEDGER | {name: LEDGER["chain_id"] + 1 if name == "chain_id" else LEDGER[name][:-2] + "ff"}
        assert not second_acts.signed_act(second_acts.key_message(other, actor.account, 7), proof, key)
    assert not second_acts.signed_act(second_acts.key_message(LEDGER, ISSUER.account, 7), proof, key)
    assert not second_acts.signed_act(second_acts.key_message(LEDGER, actor.account, 8), proof, key)


def test_both_implementations_give_no_proof_of_an_sm2_key() -> None:
    assert acts.prove_key(CHAIN, SM_SUBJECT.signer) == ""


@pytest.mark.parametrize("size", [0, 1, 4, 31, 32, 33, 36, 64, 1_000])
def test_both_implementations_compute_the_same_act_digest(size: int) -> None:
    target, call = CHAIN.party_registry, bytes(range(1, 251)) * 4
    assert act_digest(target, call[:size]) == second_acts.proposed(target, call[:size])


def test_both_implementations_compute_the_same_account_of_a_p256_key() -> None:
    _, point = key_of_text(P_BANK.signer.public_key)
    assert second_acts.es256_account(point) == P_BANK.account
