"""The wallet in memory: adding and reading bundles, keeping the key, and presenting certificates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, Conflict, PingzhengError
from ledger.proof.bundle import Bundle, StatusSeen
from ledger.proof.jws import Es256Signer
from ledger.proof.presenting import disclosing
from ledger.wallet.bundle_files import bundles_in
from ledger.wallet.wallet import MAX_CERTIFICATES, HolderKey, Wallet
from tests.support.actors.wallets import ASSET, ASSET_NUMBER, KEY, NUMBER, USAGE, full, numbered
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, HIDDEN, NONCE, SUBJECT

HELD = Wallet().adding([USAGE, ASSET]).keeping(KEY)
CONTENT = json.loads(HELD.to_bytes())


@settings(max_examples=10)
@given(st.sets(st.integers(1, 99_999_999), max_size=3), st.booleans())
def test_a_written_wallet_is_read_back_unchanged(serials: set[int], with_key: bool) -> None:
    bundles = [numbered(serial) for serial in serials]
    wallet = Wallet().adding(bundles)
    wallet = wallet.keeping(KEY) if with_key else wallet
    again = Wallet.from_bytes(wallet.to_bytes())
    assert (dict(again.certificates), again.key) == (dict(wallet.certificates), wallet.key)
    assert [again.read(number)[0] for number in again.certificates] == [
        wallet.read(number)[0] for number in again.certificates
    ]


def test_a_bundle_is_read_from_a_wallet_unchanged() -> None:
    assert HELD.read(NUMBER)[0] == USAGE
    assert HELD.read(ASSET_NUMBER)[0] == ASSET


def test_a_wallet_presents_with_its_own_key_or_a_given_key() -> None:
    kept = HELD.present(NUMBER, ["tax_band"], consumer=BANK.id, nonce=NONCE, at=AT)
    given_one = replace(HELD, key=None).present(
        NUMBER, ["tax_band"], consumer=BANK.id, nonce=NONCE, at=AT, holder=KEY.signer
    )
    assert kept == given_one
    assert replace(usage(), bundle=kept).verify().disclosed == {"tax_band": HIDDEN["tax_band"]}


def test_a_wallet_presents_with_a_p256_key() -> None:
    phone = Es256Signer(b"\7" * 32)
    key = HolderKey(b"\7" * 32, phone.kid, "ES256")
    again = Wallet.from_bytes(Wallet().keeping(key).to_bytes())
    assert again.key == key and again.key.signer.public_key == phone.public_key


def test_a_wallet_keeps_the_newer_of_two_bundles_of_one_certificate() -> None:
    later = replace(USAGE, status=StatusSeen(USAGE.status.block + 1, "suspended"))
    for order in ([USAGE, later], [later, USAGE]):
        wallet = Wallet().adding(order)
        assert wallet.read(NUMBER)[0] == later
        assert wallet.adding([USAGE]).read(NUMBER)[0] == later


def emptied(bundle: Bundle, **changes: Any) -> Bundle:
    """Return a bundle that claims to be newer, but lacks its proofs."""
    return replace(bundle, status=StatusSeen(2**53 - 1, "active"), **changes)


SPOILT: dict[str, Bundle] = {
    "no evidence": emptied(USAGE, evidence=()),
    "no anchors": emptied(USAGE, anchors=()),
    "no keys": emptied(USAGE, keys={}),
    "another place": emptied(USAGE, position=USAGE.evidence[0].position),
    "another proof": emptied(USAGE, proof=()),
    "another chain": emptied(USAGE, chain=replace(USAGE.chain, chain_id=1)),
    "another signature": emptied(
        USAGE, certificate=USAGE.certificate.replace(usage().token, usage().token[:-86] + "A" * 86)
    ),
}


@pytest.mark.parametrize("bundle", SPOILT.values(), ids=SPOILT)
def test_a_bundle_with_a_missing_or_invalid_part_does_not_replace_a_good_bundle(bundle: Bundle) -> None:
    """The platform may claim that a bundle is newer than another, but a wallet must not rely on this claim."""
    with pytest.raises(Conflict) as refusal:
        HELD.adding([bundle])
    assert (refusal.value.code, refusal.value.where) == ("BUNDLE_DIFFERS", NUMBER)


def test_a_bundle_replaces_a_bundle_that_differs_only_in_the_order_of_disclosures() -> None:
    token, *disclosures, end = USAGE.certificate.split("~")
    turned = USAGE.with_certificate("~".join([token, *reversed(disclosures), end]))
    assert turned != USAGE
    assert HELD.adding([turned]).read(NUMBER)[0] == turned


def test_adding_a_bundle_removes_nothing() -> None:
    wallet = HELD.adding([numbered(7)])
    assert wallet.certificates.keys() == {*HELD.certificates, *Wallet().adding([numbered(7)]).certificates}
    assert wallet.key == KEY
    assert all(wallet.read(number) == HELD.read(number) for number in HELD.certificates)


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("BUNDLE_NOT_FULL", lambda: HELD.adding([disclosing(USAGE, ["tax_band"])])),
    ("BUNDLE_PRESENTED", lambda: HELD.adding([usage().bundle])),
    ("CERTIFICATE_DIFFERS", lambda: HELD.adding([full(usage(claims={"max_uses": 9}))])),
    ("CERTIFICATE_NOT_IN_WALLET", lambda: HELD.read("DAC-440802-2026-S51-00000001-K")),
    ("WALLET_KEY_DIFFERS", lambda: HELD.keeping(HolderKey(b"\1" * 32, SUBJECT.account))),
    (
        "HOLDER_KEY_MISSING",
        lambda: replace(HELD, key=None).present(NUMBER, None, consumer=BANK.id, nonce=NONCE, at=AT),
    ),
    (
        "NOTHING_TO_BIND",
        lambda: HELD.present(ASSET_NUMBER, None, consumer=BANK.id, nonce=NONCE, at=AT),
    ),
    (
        "HOLDER_KEY_DIFFERS",
        lambda: HELD.present(NUMBER, None, consumer=BANK.id, nonce=NONCE, at=AT, holder=SUBJECT.signer),
    ),
    (
        "WALLET_FULL",
        lambda: Wallet({str(at): {} for at in range(MAX_CERTIFICATES)}).adding([USAGE]),
    ),
]


@pytest.mark.parametrize(("code", "attempt"), REFUSED, ids=[code for code, _ in REFUSED])
def test_invalid_use_of_a_wallet_is_refused_with_the_expected_error_code(
    code: str, attempt: Callable[[], object]
) -> None:
    with pytest.raises(PingzhengError) as refusal:
        attempt()
    assert refusal.value.code == code


KEY_JSON = KEY.to_dict()
MALFORMED: dict[str, Any] = {
    "no object": [],
    "member missing": {"certificates": {}},
    "member too many": {**CONTENT, "note": ""},
    "certificates of another type": {**CONTENT, "certificates": []},
    "too many certificates": {**CONTENT, "certificates": dict.fromkeys(map(str, range(MAX_CERTIFICATES + 1)), 0)},
    "key of another type": {**CONTENT, "key": "k"},
    "key of another algorithm": {**CONTENT, "key": {**KEY_JSON, "alg": "none"}},
    "key that is none": {**CONTENT, "key": {**KEY_JSON, "private_key": "0" * 64}},
    "P-256 key under another account": {**CONTENT, "key": {**KEY_JSON, "alg": "ES256"}},
    "key cut short": {**CONTENT, "key": {**KEY_JSON, "private_key": "1" * 62}},
    "key without account": {**CONTENT, "key": {**KEY_JSON, "account": "0x"}},
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_invalid_content_is_refused(content: Any) -> None:
    with pytest.raises(BadBundle, match="WALLET_CONTENT"):
        Wallet.from_bytes(canonical(content))


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100, b'{"key":null,"key":null}', b"\xff"])
def test_content_that_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(BadBundle, match="WALLET_CONTENT"):
        Wallet.from_bytes(content)


@pytest.mark.parametrize("held", [None, {}, ASSET.to_dict()], ids=["null", "empty", "of another number"])
def test_a_bundle_damaged_in_the_file_is_found_when_it_is_read(held: Any) -> None:
    spoilt = Wallet.from_bytes(canonical({**CONTENT, "certificates": {**CONTENT["certificates"], NUMBER: held}}))
    with pytest.raises(BadBundle, match="WALLET_CONTENT") as refusal:
        spoilt.read(NUMBER)
    assert refusal.value.where == NUMBER
    assert spoilt.read(ASSET_NUMBER)[0] == ASSET


def test_the_repr_of_a_wallet_does_not_show_the_key() -> None:
    assert KEY.private_key.hex() not in repr(HELD) and repr(KEY.private_key) not in repr(HELD)


def test_bundles_are_read_from_a_file_with_one_bundle_or_with_a_bundle_on_each_line() -> None:
    lines = b"\n".join(canonical(bundle.to_dict()) for bundle in (USAGE, ASSET)) + b"\n"
    assert bundles_in(USAGE.to_bytes()) == [USAGE]
    assert bundles_in(lines) == bundles_in(lines.replace(b"\n", b"\r\n\r\n")) == [USAGE, ASSET]


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", None),
        (b"{}\n", "line 1"),
        (canonical(USAGE.to_dict()) + b"\n\n{}", "line 3"),
        (canonical(USAGE.to_dict()) + b"\n" + ASSET.to_bytes(), "line 2"),
    ],
)
def test_a_file_with_an_invalid_bundle_is_refused(raw: bytes, where: str | None) -> None:
    with pytest.raises(BadBundle) as refusal:
        bundles_in(raw)
    assert where is None or refusal.value.where == where
