"""Registration certificates: they stand as long as their asset does, and anyone may rely on them."""

from __future__ import annotations

from typing import Final

from ledger.proof.checks.case import Case
from ledger.proof.checks.certificate_class import CertificateClass, ClassFacts
from ledger.proof.checks.outcome import Outcome, does_not_apply, failed, passed


def _check_asset(case: Case) -> Outcome:
    """The asset is confirmed, not frozen, and its subject's."""
    asset = case.facts.assets.get(case.claims["asset"])
    if asset is None:
        return failed("ASSET_UNKNOWN", "The facts do not know the registered asset.")
    if asset.state != "confirmed" or asset.frozen:
        return failed("ASSET_NOT_IN_FORCE", "The registration is not confirmed, or it is frozen.", state=asset.state)
    if case.at >= asset.valid_to:
        return failed("ASSET_NOT_IN_FORCE", "The registration is over.", valid_to=asset.valid_to)
    held = [holder for holder in asset.holders if holder.since <= case.at]
    if not held or held[-1].party != case.claims["sub"]:
        since = held[-1].since if held else None
        return failed("HOLDER_CHANGED", "At that time another party holds the asset, or none.", since=since)
    return passed(
        "Active; the asset is confirmed and held by the subject.",
        as_of_block=case.facts.block,
        liens=[{"creditor": lien.creditor, "rank": lien.rank} for lien in asset.liens],
        objections=asset.objections,
        annulled_ancestor=asset.annulled_ancestor or None,
    )


def _check_party(case: Case) -> Outcome:
    if case.presented.key_binding is not None:
        return failed("KEY_BINDING_INVALID", "A registration certificate names no key that could bind it.")
    return does_not_apply("Anyone may rely on a registration certificate.")


REGISTRATION: Final = CertificateClass(
    name="registration",
    used_up=False,
    transferable=True,
    rests_on=lambda _: (),
    facts_needed=lambda _: ClassFacts(),
    check_standing=lambda case, _: _check_asset(case),
    check_uses=lambda _: does_not_apply("A registration certificate is not used up."),
    check_party=_check_party,
    check_authorization=lambda _: does_not_apply("A registration certificate rests on the registration."),
)
