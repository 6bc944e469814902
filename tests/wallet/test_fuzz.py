"""Damages a wallet's decrypted content at random: the content is refused, or it is still a readable wallet."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import BadBundle, NotFound
from ledger.proof.presenting import require_full
from ledger.wallet.wallet import Wallet
from tests.support.actors.wallets import ASSET, ASSET_NUMBER, KEY, NUMBER, USAGE
from tests.support.bundles.damage import DAMAGES, damaged, spots, values

GENUINE = Wallet().adding([USAGE, ASSET]).keeping(KEY)
CONTENT = GENUINE.to_bytes()


def require_wallet(content: bytes) -> None:
    """Check that the content raises a PingzhengError, or that each bundle in it is refused or is complete."""
    try:
        wallet = Wallet.from_bytes(content)
    except BadBundle as refusal:
        assert refusal.code == "WALLET_CONTENT"
        return
    for number in (NUMBER, ASSET_NUMBER, *wallet.certificates):
        try:
            bundle, parts = wallet.read(number)
        except (BadBundle, NotFound) as refusal:
            assert refusal.code in {"WALLET_CONTENT", "CERTIFICATE_NOT_IN_WALLET"}
        else:
            assert parts.claims["certificate_no"] == number
            require_full(bundle)


@settings(max_examples=150, deadline=None)
@given(st.data(), DAMAGES, values)
def test_damaged_content_is_refused_or_read_as_a_valid_wallet(data: st.DataObject, damage: str, value: Any) -> None:
    document = json.loads(CONTENT)
    way = data.draw(st.sampled_from(spots(document)))
    require_wallet(json.dumps(damaged(document, way, damage, value)).encode())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_content_with_flipped_bits_is_refused_or_read_as_a_valid_wallet(flips: list[tuple[int, int]]) -> None:
    raw = bytearray(CONTENT)
    for place, mask in flips:
        raw[place] ^= mask
    require_wallet(bytes(raw))


def test_undamaged_content_is_read_as_a_valid_wallet() -> None:
    assert Wallet.from_bytes(CONTENT) == GENUINE
