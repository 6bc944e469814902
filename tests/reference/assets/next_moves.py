"""The acts that are possible next for an asset.

The acts themselves are in ``applications`` (with objections), ``transfers`` (with lineage) and ``claims`` (rights and
liens). They repeat the rules of AssetRegistry with the state machines of ``lifecycles``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ledger.errors import PingzhengError
from tests.reference.assets.applications import FILED, clearable, confirmable, fileable, fileable_again, objectionable
from tests.reference.assets.claims import rights_in_force, room_for_lien, room_for_right
from tests.reference.assets.life import (
    NOBODY,
    AssetLife,
    Condition,
    confirmed,
    exists,
    free,
    let_go,
    movable,
    valid,
    without_offer,
)
from tests.reference.assets.transfers import MAX_ANCESTORS, answerable, freezable, frozen, linkable
from tests.reference.lifecycles import APPLICATION, LIEN, OBJECTION, REGISTRATION

_Possible = Callable[[AssetLife, int], bool]


def next_moves(life: AssetLife, at: int) -> list[str]:
    """Return the acts that some party can do at the time ``at`` if it chooses suitable arguments; all other acts are
    refused.

    The reassignment of an asset is never listed, because two officers decide it together.
    """
    return [move for move, possible in _MOVES.items() if possible(life, at)]


def _passes(*conditions: Condition) -> _Possible:
    def possible(life: AssetLife, at: int) -> bool:
        try:
            for condition in conditions:
                condition(life, at)
        except PingzhengError:
            return False
        return True

    return possible


def _staged(move: str) -> _Possible:
    return lambda life, _: life.stage is not None and move in APPLICATION.moves_from(life.stage)


def _objection_can(move: str) -> _Possible:
    return lambda life, _: any(move in OBJECTION.moves_from(objection.state) for objection in life.objections)


def _offer_possible(life: AssetLife, at: int) -> bool:
    """Return whether a transfer can be offered: all creditors must consent to the same other party."""
    consents = {lien.consent_to for lien in life.liens.values()}
    agreed = not consents or (len(consents) == 1 and not consents & {NOBODY, life.holder})
    return agreed and _passes(movable, without_offer)(life, at)


def _grant_possible(life: AssetLife, at: int) -> bool:
    """Return whether a right can be granted; while the asset is on offer, only a licence can."""
    licensable = any(right.sublicensable for right in rights_in_force(life, at))
    return _passes(free, room_for_right)(life, at) and (licensable or _passes(without_offer)(life, at))


def _transfer_of_right_possible(life: AssetLife, at: int) -> bool:
    return _passes(free)(life, at) and any(right.transferable for right in rights_in_force(life, at))


_MOVES: Final[Mapping[str, _Possible]] = {
    "register": lambda life, _: life.state == REGISTRATION.initial,
    "link": lambda life, at: _passes(linkable)(life, at) and life.ancestors < MAX_ANCESTORS,
    **{f"file_{kind}": _passes(partial(fileable, kind=kind)) for kind in FILED},
    "file_again": _passes(fileable_again),
    **{move: _staged(move) for move in ("accept", "review", "notice", "return", "reject")},
    "confirm": _passes(confirmable),
    "clear": _passes(clearable),
    "object": _passes(objectionable),
    **{move: _objection_can(move) for move in ("admit", "refuse", "verify", "uphold", "dismiss")},
    "offer": _offer_possible,
    "accept_transfer": _passes(
        movable, lambda life, _: let_go(life, life.offered_to), lambda life, at: answerable(life, "accept", at)
    ),
    "reject_transfer": _passes(lambda life, at: answerable(life, "reject", at)),
    "withdraw_offer": _passes(lambda life, at: answerable(life, "withdraw", at)),
    "freeze": _passes(freezable),
    "unfreeze": _passes(frozen),
    "annul": _passes(confirmed),
    "grant": _grant_possible,
    "transfer_right": _transfer_of_right_possible,
    "end_right": lambda life, at: bool(rights_in_force(life, at)),
    "pledge": _passes(free, room_for_lien),
    **{move: lambda life, _: bool(life.liens) for move in LIEN.moves_from(LIEN.initial)},
    "replace": _passes(valid),
    "assess": _passes(exists),
}
