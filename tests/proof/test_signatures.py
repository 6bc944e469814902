"""Signatures and keys outside of a bundle: signing, verifying, and invalid keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import Evidence, Position
from ledger.proof.jws import Jwk, entry_signed_by, parse_compact, public_jwk, sign_compact, sign_entry
from ledger.proof.sdjwt import MAX_CERTIFICATE_CHARACTERS, parse_certificate
from ledger.proof.suites.suite import ES256K
from tests.support.bundles.cast import PARTIES, SUBJECT, TAX, Actor, as_text

ENTRY = {"type": "withdrawal", "v": 2, "party": SUBJECT.id, "reason": "consent_withdrawn"}
SIGNED = sign_entry(ENTRY, SUBJECT.signer)


@given(st.binary(max_size=200), st.sampled_from(PARTIES))
def test_signature_verifies_only_with_the_signers_key(payload: bytes, signer: Actor) -> None:
    jws = parse_compact(sign_compact(payload, signer.signer, "test"), "test")
    assert (jws.kid, jws.payload) == (signer.account, payload)
    assert [party for party in PARTIES if jws.signed_by(party.signer.public_key)] == [signer]


OWN = SUBJECT.signer.public_key


@pytest.mark.parametrize(
    "key",
    [
        *("", "00" * 33, "02" + "ff" * 32, "02", "no hex"),
        *(OWN.upper(), OWN + "\n", " " + OWN, "04" + ES256K.point_of(OWN).hex()),
    ],
)
def test_invalid_key_verifies_no_signature(key: str) -> None:
    assert not parse_compact(sign_compact(b"", SUBJECT.signer, "test"), "test").signed_by(key)


def test_signing_twice_gives_the_same_signature() -> None:
    assert sign_entry(ENTRY, SUBJECT.signer) == SIGNED


@pytest.mark.parametrize(
    ("entry", "account", "key", "holds"),
    [
        (SIGNED, SUBJECT.account, SUBJECT.signer.public_key, True),
        (SIGNED, TAX.account, SUBJECT.signer.public_key, False),
        (SIGNED, SUBJECT.account, TAX.signer.public_key, False),
        (SIGNED | {"reason": "fraud"}, SUBJECT.account, SUBJECT.signer.public_key, False),
        (SIGNED | {"more": 1}, SUBJECT.account, SUBJECT.signer.public_key, False),
        (ENTRY, SUBJECT.account, SUBJECT.signer.public_key, False),
        (SIGNED | {"signature": 7}, SUBJECT.account, SUBJECT.signer.public_key, False),
    ],
    ids=["genuine", "other account", "other key", "changed", "extended", "unsigned", "no text"],
)
def test_check_of_an_entrys_signer_compares_account_and_key(
    entry: dict[str, Any], account: str, key: str, holds: bool
) -> None:
    assert entry_signed_by(entry, account, key) is holds


def test_detached_signature_has_no_payload() -> None:
    header, _, signature = SIGNED["signature"].split(".")
    entry = SIGNED | {"signature": f"{header}.e30.{signature}"}
    assert not entry_signed_by(entry, SUBJECT.account, SUBJECT.signer.public_key)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"signature":1}', '{"signature":"a..b"}', "\ud800", "1.5"])
def test_signer_of_unreadable_evidence_is_none(text: str) -> None:
    assert Evidence(text, Position(2, 0, 0), ()).signer is None


def test_signer_of_evidence_is_the_account_named_in_its_signature() -> None:
    assert Evidence(as_text(SIGNED), Position(2, 0, 0), ()).signer == SUBJECT.account


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.name)
def test_key_is_unchanged_after_writing_it_as_jwk(party: Actor) -> None:
    jwk = public_jwk(party.signer.public_key)
    assert Jwk.from_dict(jwk.to_dict()).compressed == party.signer.public_key


@pytest.mark.parametrize(
    "changes",
    [{"kty": "OKP"}, {"crv": "P-384"}, {"x": ""}, {"x": 1}, {"y": "A" * 43}, {"x": "A" * 44}, {"d": "A" * 43}],
)
def test_invalid_jwk_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="JWK_INVALID"):
        Jwk.from_dict(public_jwk(SUBJECT.signer.public_key).to_dict() | changes)


def test_too_large_certificate_is_refused() -> None:
    with pytest.raises(BadBundle, match="CERTIFICATE_TOO_LARGE"):
        parse_certificate("~" * (MAX_CERTIFICATE_CHARACTERS + 1))
