"""Reference for transfers, freezes, annulment and lineage: contracts/assets/AssetTransfers and AssetLineage.

Arguments, results and errors follow the same conventions as in ``applications``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ledger.domain.parties import Role
from tests.reference.assets.applications import without
from tests.reference.assets.life import (
    NOBODY,
    AssetLife,
    Party,
    acting,
    confirmed,
    exists,
    given,
    holding,
    let_go,
    movable,
    not_holding,
    not_over,
    other_party,
    unfrozen,
    valid,
    without_offer,
)
from tests.reference.assets.refusals import refused
from tests.reference.lifecycles import OFFER, REGISTRATION

MAX_ANCESTORS: Final = 128
_FREEZES: Final = frozenset({Role.AUTHORITY, Role.SUPERVISOR})
_ANNULS: Final = frozenset({Role.REGISTRAR, *_FREEZES})
_REASSIGNS: Final = frozenset({Role.AUTHORITY})
_ASSESSES: Final = frozenset({Role.ASSESSOR})


def offer_transfer(life: AssetLife, by: Party, to: Party, deadline: int, at: int) -> AssetLife:
    """Offer the asset to ``to``, up to and including ``deadline``. Only the holder may do this."""
    acting(by)
    movable(life, at)
    let_go(life, to.no)
    holding(life, by)
    other_party(to, by)
    if deadline < at:
        raise refused("ASSET_TIME_PAST", time=deadline)
    without_offer(life, at)
    return replace(life, offered_to=to.no, until=deadline)


def accept_transfer(life: AssetLife, by: Party, at: int) -> AssetLife:
    """Transfer the asset to the party that it was offered to. Only that party may do this."""
    acting(by)
    movable(life, at)
    let_go(life, by.no)
    _offered_to(life, by)
    answerable(life, "accept", at)
    return replace(_without_offer(life), holder=by.no, since=at)


def reject_transfer(life: AssetLife, by: Party, at: int) -> AssetLife:
    """End the offer. Only the party to which the asset was offered may do this."""
    acting(by)
    _offered_to(life, by)
    answerable(life, "reject", at)
    return _without_offer(life)


def withdraw_offer(life: AssetLife, by: Party, at: int) -> AssetLife:
    """End the offer. Only the holder may do this."""
    acting(by)
    holding(life, by)
    answerable(life, "withdraw", at)
    return _without_offer(life)


def reassign(life: AssetLife, by: Party, to: Party, grounds: str, at: int, *, decided: bool, silent: bool) -> AssetLife:
    """Transfer the asset to ``to`` without the holder's signature. An authority may do this only if two officers
    decided it (``decided``).

    ``silent`` says that the holder has no key left that may act for it. Liens, a freeze and an application that is on
    public notice remain.
    """
    if not decided:
        raise refused("ASSET_NOT_DECIDED")
    acting(by, _REASSIGNS)
    not_over(life, at)
    if not silent:
        raise refused("ASSET_HOLDER_SPEAKS", holder=life.holder)
    other_party(to, Party(life.holder))
    given(grounds)
    return replace(life if life.offered_to == NOBODY else _without_offer(life), holder=to.no, since=at)


def freeze(life: AssetLife, by: Party, at: int) -> AssetLife:
    """Freeze the asset. Only an authority or a supervisor that does not hold the asset may do this."""
    acting(by, _FREEZES)
    not_holding(life, by)
    freezable(life, at)
    return replace(life, frozen=True)


def unfreeze(life: AssetLife, by: Party, at: int) -> AssetLife:
    """Lift the freeze. Only an authority or a supervisor that does not hold the asset may do this."""
    acting(by, _FREEZES)
    not_holding(life, by)
    frozen(life, at)
    return replace(life, frozen=False)


def annul(life: AssetLife, by: Party, grounds: str, at: int) -> AssetLife:
    """End the registration, its open application and its offer. A registrar, authority or supervisor may do this."""
    acting(by, _ANNULS)
    not_holding(life, by)
    confirmed(life, at)
    given(grounds)
    return replace(without(_without_offer(life)), state=REGISTRATION.next(life.state, "annul"))


def link(life: AssetLife, by: Party, parent: AssetLife, at: int) -> AssetLife:
    """Record that the new asset comes from ``parent``. Only the holder may do this, and only before acceptance."""
    acting(by)
    holding(life, by)
    linkable(life, at)
    confirmed(parent, at)
    ancestors = life.ancestors + 1 + parent.ancestors
    if ancestors > MAX_ANCESTORS:
        raise refused("ASSET_TOO_MANY", limit=MAX_ANCESTORS)
    return replace(life, ancestors=ancestors)


def replace_by(life: AssetLife, by: Party, successor: AssetLife, at: int) -> AssetLife:
    """Record that ``successor`` replaces this asset. The states of both assets stay the same. Only the holder of both
    assets may do this.
    """
    acting(by)
    valid(life, at)
    valid(successor, at)
    holding(life, by)
    holding(successor, by)
    if successor is life:
        raise refused("ASSET_WRONG_STATE", state=life.state)
    return life


def assess(life: AssetLife, by: Party, kind: str, report: str, valid_to: int, at: int) -> AssetLife:
    """Record an assessment; the asset's state stays the same. Only an assessor that is accredited for this kind, and is
    not the holder, may do this.
    """
    acting(by, _ASSESSES)
    exists(life, at)
    not_holding(life, by)
    start, end = by.accredited.get(kind, (0, 0))
    if not start <= at < end:
        raise refused("ASSET_NOT_ACCREDITED", party=by.no, kind=kind)
    given(report)
    if valid_to <= at:
        raise refused("ASSET_TIME_PAST", time=valid_to)
    return life


def answerable(life: AssetLife, answer: str, at: int) -> None:
    """Raise the contract's error unless the offer can be answered with ``answer``."""
    if life.offered_to == NOBODY:
        raise refused("ASSET_NO_OFFER")
    state = OFFER.initial if at <= life.until else OFFER.next(OFFER.initial, "lapse")
    if answer not in OFFER.moves_from(state):
        raise refused("ASSET_OFFER_LAPSED", deadline=life.until)


def freezable(life: AssetLife, at: int) -> None:
    not_over(life, at)
    unfrozen(life, at)


def frozen(life: AssetLife, at: int) -> None:
    not_over(life, at)
    if not life.frozen:
        raise refused("ASSET_NOT_FROZEN")


def linkable(life: AssetLife, _: int) -> None:
    if life.state != "applied" or life.stage not in ("submitted", "returned"):
        raise refused("ASSET_WRONG_STAGE", kind=life.kind, stage=life.stage)


def _offered_to(life: AssetLife, by: Party) -> None:
    if life.offered_to == NOBODY:
        raise refused("ASSET_NO_OFFER")
    if life.offered_to != by.no:
        raise refused("ASSET_NOT_OFFEREE", offered_to=life.offered_to)


def _without_offer(life: AssetLife) -> AssetLife:
    return replace(life, offered_to=NOBODY, until=0)
