"""What tests put into wallets (genuine bundles, a key, a passphrase), and settings for a fast key derivation."""

from __future__ import annotations

from typing import Final

from ledger.domain.codes import certificate_no
from ledger.proof.bundle import Bundle
from ledger.proof.sdjwt import compose
from ledger.wallet.envelope import MIN_N, Cost
from ledger.wallet.wallet import HolderKey
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import DEVICE, SCENARIO
from tests.support.bundles.made import Made

PASSPHRASE: Final = "正确 horse battery 订书机"
CHEAP: Final = Cost(n=MIN_N)
KEY: Final = HolderKey(DEVICE.secret, DEVICE.account)


def full(made: Made) -> Bundle:
    """Return the bundle with all claims disclosed and without a key binding."""
    return made.bundle.with_certificate(compose(made.token, made.hidden))


def numbered(serial: int) -> Bundle:
    """Return a complete bundle of a certificate whose certificate number contains this serial number."""
    return full(usage(claims={"certificate_no": certificate_no("440802", 2026, SCENARIO, serial)}))


USAGE: Final = full(usage())
ASSET: Final = registration().bundle
NUMBER: Final = certificate_no("440802", 2026, SCENARIO, 123)
ASSET_NUMBER: Final = certificate_no("440802", 2026, "S00", 123)
