"""Makes the transactions of the asset register as ``Call`` values. ``ledger.chain.sending.calls`` describes the units
of arguments.

Grounds, reports, terms and scopes are digests (64 hex digits): the documents themselves are not on the chain.
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
    """An asset to register: its id, the digest of its documents, its fingerprint, and its grade as the contract stores
    it.
    """

    id: str
    content: str
    fingerprint: str
    grade: str = "general"


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to grant. It will be in force while ``start ≤ t < end``.

    If the right is a licence, ``parent`` is the number of the right under which it is granted, else 0.
    """

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
    """Register assets of the caller and file their first applications. If one asset is refused, none is registered.

    Providers and consumers may call this.
    """
    rows = [(each.id, each.content, each.fingerprint, _grade(each.grade)) for each in assets]
    return _call("registerMany", rows)


def file_application(asset: str, kind: str, content: str, fingerprint: str, grade: str) -> Call:
    """Apply for ``change``, ``correct``, ``renew`` or ``cancel``, or file an application again after it was returned.

    Only the holder may call this.
    """
    return _call("file", asset, number_of(kind, APPLICATION_KINDS, "kind"), content, fingerprint, _grade(grade))


def advance(assets: Sequence[str], stage: str, *, until: int = 0, grounds: str = NOTHING) -> Call:
    """Move applications to their next stage. If one application is refused, none is moved. Registrars other than the
    applicants may call this.
    """
    return _call("advance", list(assets), number_of(stage, STAGES, "stage"), until, grounds)


def reject(asset: str, grounds: str) -> Call:
    """Reject an application. Registrars other than the applicant may call this."""
    return _call("reject", asset, grounds)


def confirm_assets(assets: Sequence[str], valid_to: int) -> Call:
    """Confirm applications. If one application is refused, none is confirmed. Registrars may call this.

    For first registrations and renewals, ``valid_to`` is when the registration ends; for changes, corrections and
    cancellations it is 0.
    """
    return _call("confirmMany", list(assets), valid_to)


def clear(asset: str, report: str) -> Call:
    """Record the security review of an asset with important data. Authorities, chief data officers and supervisors may
    call this.
    """
    return _call("clear", asset, report)


def object_to(asset: str, grounds: str) -> Call:
    """Object to an application under public notice or to a registration.

    Every party except the holder may call this.
    """
    return _call("object", asset, grounds)


def decide(asset: str, objection: int, state: str, grounds: str) -> Call:
    """Move an objection to its next state. Registrars that are neither holder nor objector may call this."""
    return _call("decide", asset, objection, number_of(state, OBJECTION_STATES, "state"), grounds)


def offer_transfer(asset: str, to: int, deadline: int) -> Call:
    """Offer to transfer an asset to a party, until ``deadline`` (inclusive). Only the holder may call this."""
    return _call("offerTransfer", asset, to, deadline)


def accept_transfer(asset: str) -> Call:
    """Accept an offered asset. Only the party that the offer names may call this."""
    return _call("acceptTransfer", asset)


def reject_transfer(asset: str) -> Call:
    """Reject an offered asset. Only the party that the offer names may call this."""
    return _call("rejectTransfer", asset)


def withdraw_offer(asset: str) -> Call:
    """Withdraw an offer. Only the holder may call this."""
    return _call("withdrawOffer", asset)


def reassign(asset: str, to: int, grounds: str) -> Call:
    """Transfer an asset to another party because its holder can no longer act. An authority must propose this call."""
    return _call("reassign", asset, to, grounds)


def set_frozen(asset: str, frozen: bool, reason: str) -> Call:
    """Freeze an asset, so that it cannot be transferred, or unfreeze it. Authorities and supervisors may call this."""
    return _call("freeze" if frozen else "unfreeze", asset, code_of_reason(reason))


def annul(asset: str, reason: str, grounds: str) -> Call:
    """Annul a registration permanently. Registrars, authorities and supervisors may call this, but never the holder."""
    return _call("annul", asset, code_of_reason(reason), grounds)


def grant_right(asset: str, grant: Grant) -> Call:
    """Grant a right.

    The holder may call this. A licence is granted by the party that has the parent right.
    """
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
    """Transfer a right to another party. Only the party to which the right was granted may call this."""
    return _call("transferRight", asset, right, to)


def end_right(asset: str, right: int, grounds: str = NOTHING) -> Call:
    """End a right. The party to which the right was granted may call this. Registrars may call this if they give
    grounds.
    """
    return _call("endRight", asset, right, grounds)


def pledge(asset: str, creditor: int, sole: bool, terms: str) -> Call:
    """Pledge an asset to a creditor. If ``sole`` is true, no further liens are possible. Only the holder may call
    this.
    """
    return _call("pledge", asset, creditor, sole, terms)


def consent_to_transfer(asset: str, lien: int, to: int) -> Call:
    """Consent to the transfer of a pledged asset to a party. The party number 0 withdraws the consent.

    Only the creditor may call this.
    """
    return _call("consentToTransfer", asset, lien, to)


def release(asset: str, lien: int) -> Call:
    """Release a lien. Only the creditor may call this."""
    return _call("release", asset, lien)


def link(asset: str, relation: str, parent: str) -> Call:
    """Record from which asset a new asset is derived. The new asset's holder may call this before the first application
    is accepted.
    """
    return _call("link", asset, number_of(relation, RELATIONS, "relation"), parent)


def replace(asset: str, successor: str) -> Call:
    """Record that another asset replaces this asset. Only the holder of both assets may call this."""
    return _call("replace", asset, successor)


def assess(asset: str, kind: str, report: str, valid_to: int) -> Call:
    """Record the digest of a quality report or a valuation.

    Accredited assessors other than the holder may call this.
    """
    return _call("assess", asset, number_of(kind, ASSESSMENTS, "assessment"), report, valid_to)


def _call(function: str, *args: object) -> Call:
    return Call(ASSET_REGISTRY, function, args)


def _grade(grade: str) -> int:
    return number_of(grade, ASSET_GRADES, "grade")
