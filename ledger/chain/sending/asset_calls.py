"""Every write of the asset register, as a value; conventions as in ``ledger.chain.sending.calls``.

Grounds, reports, terms and scopes are digests, 64 hex digits: the documents stay off the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.contracts.names import code_of_reason, number_of
from ledger.chain.sending.calls import Call
from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    ASSESSMENTS,
    OBJECTION_STATES,
    RELATIONS,
    RIGHT_KINDS,
    STAGES,
)
from ledger.domain.grades import ASSET_GRADES

NOTHING: Final = "00" * 32


@dataclass(frozen=True, slots=True)
class AssetRegistration:
    """An asset to enter: its id, the digest of its documents, its fingerprint, its grade on the chain."""

    id: str
    content: str
    fingerprint: str
    grade: str = "general"


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to grant, for ``start ≤ t < end``; ``parent`` is the number of the right it is a licence under, or 0."""

    kind: str
    grantee: int
    start: int
    end: int
    exclusive: bool = False
    sublicensable: bool = False
    transferable: bool = False
    parent: int = 0
    scope: str = NOTHING


def register_assets(assets: Sequence[AssetRegistration]) -> Call:
    """Enter assets, held by the caller, with their first applications, all or none. For providers and consumers."""
    rows = [(each.id, each.content, each.fingerprint, _grade(each.grade)) for each in assets]
    return _call("registerMany", rows)


def file_application(asset: str, kind: str, content: str, fingerprint: str, grade: str) -> Call:
    """Apply for change, correct, renew or cancel, or file a returned application again. For the holder."""
    return _call("file", asset, number_of(kind, APPLICATION_KINDS, "kind"), content, fingerprint, _grade(grade))


def advance(assets: Sequence[str], stage: str, *, until: int = 0, grounds: str = NOTHING) -> Call:
    """Move applications on to a stage, all or none. For registrars other than the applicants."""
    return _call("advance", list(assets), number_of(stage, STAGES, "stage"), until, grounds)


def reject(asset: str, grounds: str) -> Call:
    """Reject an application. For registrars other than the applicant."""
    return _call("reject", asset, grounds)


def confirm_assets(assets: Sequence[str], valid_to: int) -> Call:
    """Confirm applications, all or none; ``valid_to`` is 0 but for first registrations and renewals. For registrars."""
    return _call("confirmMany", list(assets), valid_to)


def clear(asset: str, report: str) -> Call:
    """Record the security review of important data. For authorities, chief data officers and supervisors."""
    return _call("clear", asset, report)


def object_to(asset: str, grounds: str) -> Call:
    """Object to an application under notice or to a registration. For anyone but its holder."""
    return _call("object", asset, grounds)


def decide(asset: str, objection: int, state: str, grounds: str) -> Call:
    """Move an objection on. For registrars that are neither holder nor objector."""
    return _call("decide", asset, objection, number_of(state, OBJECTION_STATES, "state"), grounds)


def offer_transfer(asset: str, to: int, deadline: int) -> Call:
    """Offer an asset to a party, up to and including ``deadline``. For its holder."""
    return _call("offerTransfer", asset, to, deadline)


def accept_transfer(asset: str) -> Call:
    """Take over an asset. For the party it is offered to."""
    return _call("acceptTransfer", asset)


def reject_transfer(asset: str) -> Call:
    """Refuse an offer. For the party it was made to."""
    return _call("rejectTransfer", asset)


def withdraw_offer(asset: str) -> Call:
    """Take an offer back. For the holder."""
    return _call("withdrawOffer", asset)


def reassign(asset: str, to: int, grounds: str) -> Call:
    """Give an asset whose holder is silent to another party. To be proposed by an authority."""
    return _call("reassign", asset, to, grounds)


def set_frozen(asset: str, frozen: bool, reason: str) -> Call:
    """Stop every move of an asset, or let it move again. For authorities and supervisors."""
    return _call("freeze" if frozen else "unfreeze", asset, code_of_reason(reason))


def annul(asset: str, reason: str, grounds: str) -> Call:
    """Annul a registration for good. For registrars, authorities and supervisors, never the holder."""
    return _call("annul", asset, code_of_reason(reason), grounds)


def grant_right(asset: str, grant: Grant) -> Call:
    """Grant a right. For the holder; a licence under a right, for that right's grantee."""
    right = (
        number_of(grant.kind, RIGHT_KINDS, "kind"),
        grant.exclusive,
        grant.sublicensable,
        grant.transferable,
        grant.grantee,
        grant.start,
        grant.end,
        grant.parent,
    )
    return _call("grant", asset, right, grant.scope)


def transfer_right(asset: str, right: int, to: int) -> Call:
    """Pass a right on. For its grantee."""
    return _call("transferRight", asset, right, to)


def end_right(asset: str, right: int, grounds: str = NOTHING) -> Call:
    """End a right. For its grantee, or for cause a registrar."""
    return _call("endRight", asset, right, grounds)


def pledge(asset: str, creditor: int, sole: bool, terms: str) -> Call:
    """Pledge an asset. For its holder."""
    return _call("pledge", asset, creditor, sole, terms)


def consent_to_transfer(asset: str, lien: int, to: int) -> Call:
    """Consent to a transfer to a party, or with 0 to none. For the creditor."""
    return _call("consentToTransfer", asset, lien, to)


def release(asset: str, lien: int) -> Call:
    """Release a lien. For the creditor."""
    return _call("release", asset, lien)


def link(asset: str, relation: str, parent: str) -> Call:
    """Say where a new asset comes from. For its holder, before its first application is accepted."""
    return _call("link", asset, number_of(relation, RELATIONS, "relation"), parent)


def replace(asset: str, successor: str) -> Call:
    """Say which asset takes this one's place. For the holder of both."""
    return _call("replace", asset, successor)


def assess(asset: str, kind: str, report: str, valid_to: int) -> Call:
    """Commit to a quality report or a valuation. For accredited assessors other than the holder."""
    return _call("assess", asset, number_of(kind, ASSESSMENTS, "assessment"), report, valid_to)


def _call(function: str, *args: object) -> Call:
    return Call(ASSET_REGISTRY, function, args)


def _grade(grade: str) -> int:
    return number_of(grade, ASSET_GRADES, "grade")
