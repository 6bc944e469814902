"""Tests the account that belongs to a key of each curve, and which kinds of keys are accepted."""

from __future__ import annotations

from hashlib import sha256

import pytest
from eth_utils.crypto import keccak

from ledger.chain.accounts import (
    ANY_SUITE,
    account_of_public_key,
    check_public_key,
    new_p256_key,
    new_private_key,
    public_key_of,
)
from ledger.errors import InvalidInput
from ledger.proof.jws import Es256Signer
from ledger.proof.suites.suite import ES256, ES256K

# The public keys of the private key 1. They are the generator points of both curves (SEC 2, sections 2.4.1 and 2.4.2).
SECP256K1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
P256 = "p256:036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
P256_POINT = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def test_the_account_of_a_key_depends_on_its_curve() -> None:
    assert account_of_public_key(SECP256K1) == "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
    assert account_of_public_key(P256) == "0x" + sha256(b"ES256" + P256_POINT).digest()[-20:].hex()
    # The account of a P-256 key is not computed like that of a secp256k1 key, although the two public keys have the
    # same form as texts.
    assert account_of_public_key(P256) != "0x" + keccak(P256_POINT)[-20:].hex()


def test_one_secret_has_different_accounts_on_different_curves() -> None:
    secret = new_p256_key()
    assert account_of_public_key(public_key_of(secret)) != Es256Signer(secret).kid
    assert account_of_public_key(Es256Signer(secret).public_key) == Es256Signer(secret).kid


def test_two_new_keys_are_different() -> None:
    for make in (new_private_key, new_p256_key):
        assert len({make() for _ in range(20)}) == 20
        assert {len(make()) for _ in range(20)} == {32}


@pytest.mark.parametrize("key", [SECP256K1, P256])
def test_a_key_is_accepted_only_for_its_own_signature_suite(key: str) -> None:
    suite = ES256 if key == P256 else ES256K
    assert check_public_key(key, suites=ANY_SUITE) == check_public_key(key, suites=(suite,)) == key


@pytest.mark.parametrize(
    "key",
    [
        P256,
        P256.upper(),
        "p256:" + SECP256K1,
        "p256:" + "02" + "ff" * 32,
        "p256:" + SECP256K1[2:],
        "p384:" + SECP256K1,
        SECP256K1.upper(),
        SECP256K1[:-2],
        "04" + SECP256K1[2:],
        "",
    ],
)
def test_only_secp256k1_keys_are_accepted_by_default(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_public_key(key, "public_key")
    assert (caught.value.code, caught.value.where) == ("PUBLIC_KEY_INVALID", "public_key")
    assert caught.value.hint is not None and "p256:" in caught.value.hint
