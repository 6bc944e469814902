# SPDX-License-Identifier: Apache-2.0
"""The checks of registration certificates, which anyone may rely on while the asset's registration is valid."""

from __future__ import annotations

from typing import Final

from ledger.proof.checks.case import Case
from ledger.proof.checks.certificate_class import CertificateClass, ClassFacts
from ledger.proof.checks.outcome import Outcome, does_not_apply, failed, passed


def _check_asset(case: Case) -> Outcome:
    """Check that the asset's registration is in force and that the certificate's subject holds the asset."""
    asset = case.facts.assets.get(case.claims["asset"])
    if asset is None:
        return failed("ASSET_UNKNOWN", "The facts do not contain the registered asset.")
    if asset.state != "confirmed" or asset.frozen:
        return failed("ASSET_NOT_IN_FORCE", "The registration is not confirmed, or it is frozen.", state=asset.state)
    if case.at >= asset.valid_to:
        return failed("ASSET_NOT_IN_FORCE", "The registration has expired.", valid_to=asset.valid_to)
    held = [holder for holder in asset.holders if holder.since <= case.at]
    if not held or held[-1].party != case.claims["sub"]:
        since = held[-1].since if held else None
        message = "The certificate's subject does not hold the asset at the time for which the certificate is judged."
        return failed("HOLDER_CHANGED", message, since=since)
    return passed(
        "The certificate is active; the asset is confirmed, and the subject holds it.",
        as_of_block=case.facts.block,
        liens=[{"creditor": lien.creditor, "rank": lien.rank} for lien in asset.liens],
        objections=asset.objections,
        annulled_ancestor=asset.annulled_ancestor or None,
    )


def _check_party(case: Case) -> Outcome:
    if case.presented.key_binding is not None:
        return failed("KEY_BINDING_INVALID", "A registration certificate must not have a key binding.")
    return does_not_apply("Anyone may rely on a registration certificate.")


REGISTRATION: Final = CertificateClass(
    name="registration",
    used_up=False,
    transferable=True,
    rests_on=lambda _: (),
    facts_needed=lambda _: ClassFacts(),
    check_status=lambda case, _: _check_asset(case),
    check_uses=lambda _: does_not_apply("The uses of a registration certificate are not limited."),
    check_party=_check_party,
    check_authorization=lambda _: does_not_apply("A registration certificate needs no authorization."),
)
