"""Gives the parties of the test bundles P-256 keys, and builds a certificate that has only ES256 signatures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.proof.jws import public_jwk
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import BANK, DEVICE, GRID, ISSUER, OTHER_ISSUER, SUBJECT, TAX, Actor, Changes
from tests.support.bundles.made import Made


def by_p256(actor: Actor) -> Actor:
    return replace(actor, suite="ES256")


P_ISSUER, P_OTHER_ISSUER, P_SUBJECT, P_TAX, P_GRID, P_BANK, P_DEVICE = map(
    by_p256, (ISSUER, OTHER_ISSUER, SUBJECT, TAX, GRID, BANK, DEVICE)
)
P_KEYS: dict[str, Any] = {
    "issuer": P_ISSUER,
    "subject_key": P_SUBJECT,
    "tax_key": P_TAX,
    "grid_key": P_GRID,
    "consumer_key": P_BANK,
}
P_HOLDER = {"cnf": {"jwk": public_jwk(P_DEVICE.signer.public_key).to_dict()}}


def p256_usage(claims: Changes | None = None, **changes: Any) -> Made:
    """Return a usage certificate with ES256 signatures from the request to the presentation."""
    consent = {"holder_key": P_HOLDER["cnf"]["jwk"]} | dict(changes.pop("consent", {}))
    made = usage(**P_KEYS | changes, consent=consent, claims=P_HOLDER | dict(claims or {}))
    return made.presenting("tax_band", "power_trend", holder=P_DEVICE)
