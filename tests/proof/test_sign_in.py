"""The statement that a party signs to sign in: its form, and that a service refuses a statement made for another
service.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, InvalidInput, PingzhengError
from ledger.proof.jws import ENTRY_TYP, Es256Signer, LocalSigner, Signer, Sm2Signer, encode_base64url, sign_compact
from ledger.proof.sign_in import MAX_SECONDS, TYP, Place, origin_of, read_sign_in, require_place, sign_in
from ledger.proof.suites.suite import ES256K
from tests.support.bundles.cast import CHAIN

NOW = 1_790_000_000
PARTY = "ab" * 32
NONCE = encode_base64url(bytes(range(32)))
HERE = Place.of("https://pingzheng.example", CHAIN)
ACCOUNT = "0x" + "12" * 20
ES256K_SIGNER = LocalSigner(b"\x01" * 32, ACCOUNT)
STATEMENT: dict[str, Any] = {
    "type": "session",
    "v": 2,
    "origin": HERE.origin,
    "chain_id": CHAIN.chain_id,
    "ledger": CHAIN.ledger,
    "party": PARTY,
    "nonce": NONCE,
    "expires_at": NOW + 300,
}


def signed(statement: Any, typ: str = TYP, signer: Signer = ES256K_SIGNER) -> str:
    return sign_compact(statement if isinstance(statement, bytes) else canonical(statement), signer, typ)


@pytest.mark.parametrize("signer", [ES256K_SIGNER, Es256Signer(b"\x02" * 32), Sm2Signer(b"\x03" * 32)])
def test_key_of_each_suite_can_sign_in(signer: Signer) -> None:
    statement = read_sign_in(sign_in(HERE, PARTY, NONCE, signer, NOW + 300))
    assert (statement.place, statement.party, statement.nonce, statement.expires_at) == (HERE, PARTY, NONCE, NOW + 300)
    assert (statement.signature.kid, statement.signature.signed_by(signer.public_key)) == (signer.kid, True)
    require_place(statement, HERE, NOW)


def test_signed_payload_is_the_canonical_statement() -> None:
    token = sign_in(HERE, PARTY, NONCE, ES256K_SIGNER, NOW + 300)
    assert token == signed(STATEMENT)
    assert read_sign_in(token).signature.payload == canonical(STATEMENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "authorization"},
        {"v": 1},
        {"v": True},
        {"v": "2"},
        {"origin": 1},
        {"origin": None},
        {"chain_id": "1337"},
        {"chain_id": -1},
        {"chain_id": True},
        {"ledger": "ab"},
        {"ledger": "AB" * 32},
        {"party": PARTY[:-1]},
        {"party": PARTY + "\n"},
        {"nonce": NONCE[:-1]},
        {"nonce": NONCE + "="},
        {"nonce": "A" * 42 + "B"},
        {"nonce": ""},
        {"expires_at": -1},
        {"expires_at": str(NOW)},
        {"expires_at": None},
        {"more": 1},
        {"scopes": ["read"]},
    ],
)
def test_statement_in_a_wrong_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="SESSION_STATEMENT_INVALID"):
        read_sign_in(signed({**STATEMENT, **changes}))


@pytest.mark.parametrize("missing", sorted(STATEMENT))
def test_statement_with_a_missing_member_is_refused(missing: str) -> None:
    with pytest.raises(InvalidInput, match="SESSION_STATEMENT_INVALID"):
        read_sign_in(signed({name: value for name, value in STATEMENT.items() if name != missing}))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "a.b.c",
        "a.b.c.d",
        "." * 10_000,
        "é.é.é",
        signed(b"[]"),
        signed(b"null"),
        signed(b'"session"'),
        signed(b"{" * 100),
        signed(b"{}"),
        signed(canonical(STATEMENT) + b" "),
        signed(b" " + canonical(STATEMENT)),
        signed({**STATEMENT, "origin": "https://" + "x" * 2048}),
        signed(STATEMENT, ENTRY_TYP),
        signed(STATEMENT, "JWT"),
        signed(STATEMENT, "dc+sd-jwt"),
        signed(STATEMENT).replace(".", "..", 1),
        signed(STATEMENT) + "A",
    ],
)
def test_token_that_is_no_sign_in_statement_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput, match="SESSION_STATEMENT_INVALID"):
        read_sign_in(token)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (replace(HERE, origin="https://relay.example"), "SESSION_ORIGIN_DIFFERS"),
        (replace(HERE, origin="http://pingzheng.example"), "SESSION_ORIGIN_DIFFERS"),
        (replace(HERE, origin="https://pingzheng.example:8443"), "SESSION_ORIGIN_DIFFERS"),
        (replace(HERE, origin="https://pingzheng.example/"), "SESSION_ORIGIN_DIFFERS"),
        (replace(HERE, ledger="cd" * 32), "SESSION_LEDGER_DIFFERS"),
        (replace(HERE, chain_id=1), "SESSION_LEDGER_DIFFERS"),
    ],
)
def test_sign_in_statement_for_another_service_or_ledger_is_refused(place: Place, code: str) -> None:
    statement = read_sign_in(sign_in(place, PARTY, NONCE, ES256K_SIGNER, NOW + 300))
    with pytest.raises(PingzhengError, match=code):
        require_place(statement, HERE, NOW)


@pytest.mark.parametrize("ahead", [1, MAX_SECONDS])
def test_statement_before_its_expiry_is_accepted(ahead: int) -> None:
    require_place(read_sign_in(sign_in(HERE, PARTY, NONCE, ES256K_SIGNER, NOW + ahead)), HERE, NOW)


@pytest.mark.parametrize("ahead", [-1, 0, MAX_SECONDS + 1])
def test_statement_that_is_expired_or_valid_for_too_long_is_refused(ahead: int) -> None:
    statement = read_sign_in(sign_in(HERE, PARTY, NONCE, ES256K_SIGNER, NOW + ahead))
    with pytest.raises(PingzhengError, match="SESSION_EXPIRED"):
        require_place(statement, HERE, NOW)


def test_signature_with_a_high_s_is_refused() -> None:
    order = 2 * ES256K.highest_s + 1
    token = sign_in(HERE, PARTY, NONCE, ES256K_SIGNER, NOW + 300)
    head, payload, _ = token.split(".")
    made = read_sign_in(token).signature.signature
    high = made[:32] + (order - int.from_bytes(made[32:], "big")).to_bytes(32, "big")
    statement = read_sign_in(f"{head}.{payload}.{encode_base64url(high)}")
    assert not statement.signature.signed_by(ES256K_SIGNER.public_key)


@pytest.mark.parametrize("nonce", ["", "hello", NONCE + "A", '","party":"', "A" * 42 + "é", canonical(STATEMENT).hex()])
def test_client_signs_only_a_valid_nonce(nonce: str) -> None:
    with pytest.raises(BadBundle, match="SESSION_NONCE_FORM"):
        sign_in(HERE, PARTY, nonce, ES256K_SIGNER, NOW + 300)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pingzheng.example", "https://pingzheng.example"),
        ("HTTPS://Pingzheng.Example:443/v1/", "https://pingzheng.example"),
        ("http://127.0.0.1:8000/docs", "http://127.0.0.1:8000"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://pingzheng.example:8443/a?b#c", "https://pingzheng.example:8443"),
    ],
)
def test_origin_of_an_address_has_scheme_and_host_and_any_port_other_than_the_default(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pingzheng.example",
        "ftp://pingzheng.example",
        "https://",
        "https://user@pingzheng.example",
        "https://a b",
        "https://pingzheng.example:99999",
        "https://pingzheng.example:x",
        "https://.example",
        "javascript:alert(1)",
        "https://[::1",
    ],
)
def test_invalid_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="ORIGIN_INVALID"):
        origin_of(url)
