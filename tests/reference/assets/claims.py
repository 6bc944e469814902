"""Reference for rights and liens: the rules of contracts/assets/AssetRights and AssetLiens."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from tests.reference.assets.life import (
    AssetLife,
    Lien,
    Party,
    Right,
    acting,
    free,
    given,
    holding,
    not_holding,
    other_party,
    without_offer,
)
from tests.reference.assets.refusals import refused

MAX_RIGHTS: Final = 256
MAX_LIENS: Final = 8
MAX_RANK: Final = 255


def grant(life: AssetLife, by: Party, to: Party, right: Right, at: int) -> AssetLife:
    """Grant a right to ``to``. The holder grants rights, but not while the asset is on offer. A grantee grants licences
    under its right.
    """
    acting(by)
    free(life, at)
    other_party(to, by)
    if right.start < at or right.end <= right.start or right.end > life.valid_to:
        raise _bad_period(right)
    if right.parent:
        _licensable(life, by, right)
    else:
        holding(life, by)
        without_offer(life, at)
        _without_overlap(life, right)
    room_for_right(life, at)
    return replace(life, rights=(*life.rights, replace(right, grantee=to.no)))


def transfer_right(life: AssetLife, by: Party, no: int, to: Party, at: int) -> AssetLife:
    """Transfer a right, with the licences granted under it, to ``to``. Only the grantee of a transferable right may do
    this.
    """
    acting(by)
    free(life, at)
    right = in_force(life, no, at)
    if right.grantee != by.no or not right.transferable:
        raise refused("ASSET_RIGHT_FORBIDS", no=no)
    other_party(to, by)
    return _with_right(life, no, replace(right, grantee=to.no))


def end_right(life: AssetLife, by: Party, no: int, grounds: str, at: int) -> AssetLife:
    """End a right and its licences now. Its grantee may do this; a registrar that is not the asset's holder may do it
    with grounds.
    """
    acting(by)
    right = in_force(life, no, at)
    if right.grantee != by.no:
        acting(by, frozenset({Role.REGISTRAR}))
        not_holding(life, by)
        given(grounds)
    return _with_right(life, no, replace(right, start=min(right.start, at), end=at))


def pledge(life: AssetLife, by: Party, creditor: Party, sole: bool, terms: str, at: int) -> AssetLife:
    """Add a lien with the next rank. Only the holder may do this."""
    acting(by)
    free(life, at)
    holding(life, by)
    other_party(creditor, by)
    given(terms)
    place, rank = _next_lien(life, sole)
    return replace(life, liens={**life.liens, place: Lien(creditor.no, rank, sole, at)})


def consent_to_transfer(life: AssetLife, by: Party, number: int, to: int) -> AssetLife:
    """Record that the creditor allows a transfer to ``to``; 0 withdraws an earlier consent."""
    lien = _lien_of(life, by, number)
    return replace(life, liens={**life.liens, number: replace(lien, consent_to=to)})


def release(life: AssetLife, by: Party, number: int) -> AssetLife:
    """Release a lien. Only its creditor may do this."""
    _lien_of(life, by, number)
    return replace(life, liens={other: lien for other, lien in life.liens.items() if other != number})


def in_force(life: AssetLife, no: int, at: int) -> Right:
    """Return the right. Raise the contract's error if the right, or the right under which it was granted, has ended at
    ``at``.
    """
    if not 1 <= no <= len(life.rights):
        raise refused("ASSET_RIGHT_FORBIDS", no=no)
    above = no
    while above:
        right = life.rights[above - 1]
        if at >= right.end:
            raise refused("ASSET_RIGHT_FORBIDS", no=above)
        above = right.parent
    return life.rights[no - 1]


def rights_in_force(life: AssetLife, at: int) -> list[Right]:
    """Return the rights that have not ended, including rights that begin later."""
    found = []
    for no in range(1, len(life.rights) + 1):
        try:
            found.append(in_force(life, no, at))
        except PingzhengError:
            continue
    return found


def room_for_right(life: AssetLife, _: int) -> None:
    if len(life.rights) == MAX_RIGHTS:
        raise refused("ASSET_TOO_MANY", limit=MAX_RIGHTS)


def room_for_lien(life: AssetLife, _: int) -> None:
    """Raise the contract's error unless one more lien can be added beside the existing liens."""
    _next_lien(life, sole=False)


def _without_overlap(life: AssetLife, right: Right) -> None:
    for no, other in enumerate(life.rights, start=1):
        # Licences are not compared: a licence is part of the right under which it was granted, and that right is
        # compared.
        if other.parent or other.kind != right.kind or not (other.exclusive or right.exclusive):
            continue
        if other.start < right.end and right.start < other.end:
            raise refused("ASSET_RIGHT_OVERLAPS", no=no)


def _licensable(life: AssetLife, by: Party, right: Right) -> None:
    parent = in_force(life, right.parent, right.start)
    if parent.grantee != by.no or not parent.sublicensable or parent.kind != right.kind or right.exclusive:
        raise refused("ASSET_RIGHT_FORBIDS", no=right.parent)
    if right.start < parent.start or right.end > parent.end:
        raise _bad_period(right)


def _bad_period(right: Right) -> PingzhengError:
    return refused("ASSET_RIGHT_PERIOD", **{"from": right.start, "to": right.end})


def _with_right(life: AssetLife, no: int, right: Right) -> AssetLife:
    return replace(life, rights=(*life.rights[: no - 1], right, *life.rights[no:]))


def _next_lien(life: AssetLife, sole: bool) -> tuple[int, int]:
    """Return the lowest unused lien number and the next rank."""
    for number, lien in sorted(life.liens.items(), reverse=True):
        if sole or lien.sole:
            raise refused("ASSET_PLEDGED", lien=number, creditor=lien.creditor)
    if len(life.liens) == MAX_LIENS:
        raise refused("ASSET_TOO_MANY", limit=MAX_LIENS)
    rank = 1 + max((lien.rank for lien in life.liens.values()), default=0)
    if rank > MAX_RANK:
        raise refused("ASSET_TOO_MANY", limit=MAX_RANK)
    return min(set(range(MAX_LIENS)) - life.liens.keys()), rank


def _lien_of(life: AssetLife, by: Party, number: int) -> Lien:
    acting(by)
    lien = life.liens.get(number)
    if lien is None or lien.creditor != by.no:
        raise refused("ASSET_WRONG_LIEN", lien=number, creditor=lien.creditor if lien else 0)
    return lien
