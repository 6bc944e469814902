"""Gives the parties of the test bundles SM2 keys, and builds a certificate that uses only SM2 and SM3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.proof.jws import public_jwk
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import DEVICE, GRID, ISSUER, OTHER_ISSUER, SUBJECT, TAX, Actor, Changes
from tests.support.bundles.made import Made


def by_sm2(actor: Actor) -> Actor:
    return replace(actor, suite="SM2SM3")


SM_ISSUER, SM_OTHER_ISSUER, SM_SUBJECT, SM_TAX, SM_GRID, SM_DEVICE = map(
    by_sm2, (ISSUER, OTHER_ISSUER, SUBJECT, TAX, GRID, DEVICE)
)
SM_KEYS: dict[str, Any] = {
    "issuer": SM_ISSUER,
    "subject_key": SM_SUBJECT,
    "tax_key": SM_TAX,
    "grid_key": SM_GRID,
    "algorithm": "sm3",
}
SM_HOLDER = {"cnf": {"jwk": public_jwk(SM_DEVICE.signer.public_key).to_dict()}}


def sm_usage(claims: Changes | None = None, **changes: Any) -> Made:
    """Return a usage certificate in which everything from the consent to the presentation uses SM2 and SM3."""
    consent = {"holder_key": SM_HOLDER["cnf"]["jwk"]} | dict(changes.pop("consent", {}))
    made = usage(**SM_KEYS | changes, consent=consent, claims=SM_HOLDER | dict(claims or {}))
    return made.presenting("tax_band", "power_trend", holder=SM_DEVICE)
