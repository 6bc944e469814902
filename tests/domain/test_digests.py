"""Digests with each named algorithm, and the two libraries that compute SM3."""

from __future__ import annotations

import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import digest
from ledger.domain.digests import HASHES
from ledger.domain.entries import validate_entry
from ledger.errors import InvalidInput, Misconfigured
from tests.support.bundles.without_sm3 import no_sm3

ABC = {
    "sha-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
}


def test_a_digest_names_its_algorithm() -> None:
    assert ABC.keys() == HASHES.keys()
    assert {name: digest(b"abc", name) for name in HASHES} == {name: f"{name}:{digits}" for name, digits in ABC.items()}
    assert digest(b"abc") == digest(b"abc", "sha-256")


@given(st.binary(max_size=300))
def test_the_gmalg_library_computes_the_same_sm3_digest_if_openssl_has_no_sm3(data: bytes) -> None:
    by_openssl = HASHES["sm3"](data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashlib, "new", no_sm3)
        assert HASHES["sm3"](data) == by_openssl


def test_sm3_is_reported_as_not_installed_without_openssl_and_gmalg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "new", no_sm3)
    monkeypatch.setitem(sys.modules, "gmalg", None)
    with pytest.raises(Misconfigured, match="SUITE_NOT_INSTALLED") as missing:
        digest(b"abc", "sm3")
    assert "pip install" in str(missing.value.hint)
    assert digest(b"abc") == f"sha-256:{ABC['sha-256']}"


PRESENTATION = {
    "type": "presentation",
    "v": 2,
    "ledger": "e" * 64,
    "id": "01K5M00000000000000000000A",
    "certificate": f"sha-256:{ABC['sha-256']}",
    "consumer": "ab" * 32,
    "fields": [],
    "nonce_digest": f"sm3:{ABC['sm3']}",
    "result": "valid",
    "iat": 1_790_000_000,
}


def test_content_digest_may_be_sm3_but_a_statement_digest_is_sha_256() -> None:
    validate_entry(PRESENTATION)
    for member, value in (
        ("certificate", f"sm3:{ABC['sm3']}"),
        ("nonce_digest", ABC["sm3"]),
        ("nonce_digest", f"SM3:{ABC['sm3']}"),
        ("nonce_digest", f"sm3:{ABC['sm3']}00"),
    ):
        with pytest.raises(InvalidInput, match="ENTRY_SHAPE") as refused:
            validate_entry(PRESENTATION | {member: value})
        assert refused.value.where == member
