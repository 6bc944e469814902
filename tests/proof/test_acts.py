"""Acts by signature: the signed messages consist of exactly the 32-byte words that protocol §3 lists, and an SM2 key
cannot sign them.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.proof.acts import (
    key_message,
    prove_key,
    report_message,
    sign_act,
    uses_message,
    veto_message,
    withdrawals_message,
)
from ledger.proof.suites import p256
from ledger.proof.suites.suite import ES256, ES256K
from tests.support.bundles.cast import BANK, CHAIN
from tests.support.bundles.p256_cast import P_BANK
from tests.support.bundles.sm_cast import SM_SUBJECT

REQUEST, OTHER = "11" * 32, "22" * 32
DEADLINE = 1_790_000_600
ACCOUNT = "0x" + "ab" * 20


def words(*values: int | str) -> bytes:
    """Return each integer or hex text as 32 bytes."""
    return b"".join(
        value.to_bytes(32, "big") if isinstance(value, int) else bytes.fromhex(value).rjust(32, b"\0")
        for value in values
    )


def test_message_for_uses_follows_the_protocol() -> None:
    uses = sha256(words(32, 2, REQUEST, 1, OTHER, 65_535)).hexdigest()
    expected = b"log/uses/v2".ljust(32, b"\0") + words("0a" * 32, 1337, "c1" * 20, "ab" * 20, DEADLINE, uses)
    assert uses_message(CHAIN, ACCOUNT, DEADLINE, [(REQUEST, 1), (OTHER, 65_535)]) == expected


def test_message_for_withdrawals_follows_the_protocol() -> None:
    statements = sha256(words(32, 2, REQUEST, OTHER)).hexdigest()
    expected = b"log/withdraw/v2".ljust(32, b"\0") + words("0a" * 32, 1337, "c1" * 20, "ab" * 20, statements)
    assert withdrawals_message(CHAIN, ACCOUNT, [REQUEST, OTHER]) == expected


PARTY_WORDS = ("0a" * 32, 1337, "c2" * 20, "ab" * 20)
"""The beginning of each message about keys, after its tag: origin, chain, party registry and signer."""


def test_message_for_a_key_follows_the_protocol() -> None:
    expected = b"party/key/v2".ljust(32, b"\0") + words(*PARTY_WORDS, 7)
    assert key_message(CHAIN, ACCOUNT, 7) == expected


def test_proof_of_a_new_partys_first_key_names_party_number_0() -> None:
    assert key_message(CHAIN, ACCOUNT) == key_message(CHAIN, ACCOUNT, 0)


def test_message_for_a_veto_follows_the_protocol() -> None:
    expected = b"party/veto/v2".ljust(32, b"\0") + words(*PARTY_WORDS, 7)
    assert veto_message(CHAIN, ACCOUNT, 7) == expected


def test_message_for_a_report_follows_the_protocol() -> None:
    expected = b"party/report/v2".ljust(32, b"\0") + words(*PARTY_WORDS, "ac" * 20)
    assert report_message(CHAIN, ACCOUNT, "0x" + "ac" * 20) == expected


ABOUT_KEYS = {
    "key": lambda chain, account: key_message(chain, account),
    "veto": lambda chain, account: veto_message(chain, account, 7),
    "report": lambda chain, account: report_message(chain, account, "0x" + "ad" * 20),
}


@pytest.mark.parametrize("what", ABOUT_KEYS)
def test_messages_about_keys_differ_for_each_ledger_and_account(what: str) -> None:
    message = ABOUT_KEYS[what]
    chains = [
        CHAIN,
        replace(CHAIN, origin="0b" * 32),
        replace(CHAIN, chain_id=1),
        replace(CHAIN, party_registry="0x" + "c9" * 20),
    ]
    made = {message(chain, account) for chain in chains for account in (ACCOUNT, "0x" + "ac" * 20)}
    assert len(made) == 8
    assert message(replace(CHAIN, certificate_log="0x" + "c9" * 20), ACCOUNT) in made


def test_vetoes_and_reports_and_proofs_of_keys_have_different_messages_for_different_arguments() -> None:
    vetoes = {veto_message(CHAIN, ACCOUNT, number) for number in range(9)}
    reports = {report_message(CHAIN, ACCOUNT, f"0x{number:040x}") for number in range(9)}
    proofs = {key_message(CHAIN, ACCOUNT, number) for number in range(9)}
    assert len(vetoes | reports | proofs) == 27


def test_invalid_proposal_number_or_account_is_refused() -> None:
    with pytest.raises(ValueError):
        veto_message(CHAIN, ACCOUNT, -1)
    with pytest.raises(ValueError):
        report_message(CHAIN, ACCOUNT, "0x" + "ac" * 19)
    with pytest.raises(ValueError):
        key_message(CHAIN, ACCOUNT, -1)


def test_proof_of_a_key_is_signed_by_the_key_and_names_the_account_of_the_key() -> None:
    proof = bytes.fromhex(prove_key(CHAIN, BANK.signer))
    message = key_message(CHAIN, BANK.account)
    assert len(proof) == 64
    assert ES256K.verify(ES256K.point_of(BANK.signer.public_key), message, proof, "")
    assert prove_key(CHAIN, BANK.signer, 7) == BANK.signer.sign(key_message(CHAIN, BANK.account, 7)).hex()
    proof = bytes.fromhex(prove_key(CHAIN, P_BANK.signer))
    assert (len(proof), p256.account_of(proof[64:])) == (128, P_BANK.account)
    assert p256.verify(proof[64:], key_message(CHAIN, P_BANK.account), proof[:64])


def test_proof_of_an_sm2_key_is_empty() -> None:
    assert prove_key(CHAIN, SM_SUBJECT.signer) == ""


def test_empty_list_of_uses_has_a_message() -> None:
    assert uses_message(CHAIN, ACCOUNT, DEADLINE, []).endswith(sha256(words(32, 0)).digest())
    assert withdrawals_message(CHAIN, ACCOUNT, []).endswith(sha256(words(32, 0)).digest())


OTHERS: list[dict[str, Any]] = [
    {"chain": replace(CHAIN, origin="0b" * 32)},
    {"chain": replace(CHAIN, chain_id=1)},
    {"chain": replace(CHAIN, certificate_log="0x" + "c9" * 20)},
    {"account": "0x" + "ac" * 20},
    {"deadline": DEADLINE + 1},
    {"uses": [(OTHER, 1)]},
    {"uses": [(REQUEST, 2)]},
    {"uses": [(REQUEST, 1), (REQUEST, 2)]},
]
USES: dict[str, Any] = {"chain": CHAIN, "account": ACCOUNT, "deadline": DEADLINE, "uses": [(REQUEST, 1)]}


@pytest.mark.parametrize("changes", OTHERS, ids=lambda changes: "-".join(changes))
def test_signature_for_one_act_is_not_valid_for_another_act(changes: dict[str, Any]) -> None:
    assert uses_message(**USES | changes) != uses_message(**USES)


def test_messages_for_uses_and_withdrawals_differ() -> None:
    assert uses_message(**USES)[:32] != withdrawals_message(CHAIN, ACCOUNT, [REQUEST])[:32]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"uses": [("sha-256:" + REQUEST, 1)]}, ValueError),
        ({"uses": [(REQUEST[2:], 1)]}, ValueError),
        ({"uses": [(REQUEST, -1)]}, ValueError),
        ({"uses": [(REQUEST, 1.5)]}, TypeError),
        ({"account": "0x" + "ab" * 19}, ValueError),
        ({"deadline": -1}, ValueError),
    ],
)
def test_value_that_does_not_fit_into_32_bytes_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        uses_message(**USES | changes)


@given(st.binary(min_size=1, max_size=300))
def test_signature_of_a_secp256k1_key_has_64_bytes(message: bytes) -> None:
    signature = sign_act(message, BANK.signer)
    assert len(signature) == 64
    assert ES256K.unaltered(signature)
    assert ES256K.verify(ES256K.point_of(BANK.signer.public_key), message, signature, "")


@given(st.binary(min_size=1, max_size=300))
def test_signature_by_a_p256_key_has_128_bytes_and_contains_the_key(message: bytes) -> None:
    signature = sign_act(message, P_BANK.signer)
    assert len(signature) == 128
    assert ES256.unaltered(signature[:64])
    assert p256.verify(signature[64:], message, signature[:64])
    assert p256.account_of(signature[64:]) == P_BANK.account


def test_sm2_key_is_refused_and_the_hint_names_the_withdrawal_entry() -> None:
    with pytest.raises(InvalidInput, match="ACT_SUITE_UNSUPPORTED") as refusal:
        sign_act(b"", SM_SUBJECT.signer)
    assert "withdrawal" in (refusal.value.hint or "")
