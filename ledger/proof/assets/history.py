# SPDX-License-Identifier: Apache-2.0
"""Computes an asset's state at a given time from the asset's history: holder, rights, liens, objections, lineage.

The contract ``AssetRegistry`` is the first implementation of the rules; this module applies the same rules to the
contract's events. It works offline with any history that ``verify_history`` found complete. ``ledger.index`` computes
its rows with the function ``apply``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    DESCRIBING,
    OBJECTION_STATES,
    RELATIONS,
    RIGHT_KINDS,
    STAGES,
)
from ledger.domain.grades import ASSET_GRADES
from ledger.errors import InvalidInput
from ledger.proof.assets.view import CLOSED, AssetView, Lien, Objection, Right, by_rank
from ledger.proof.head import EVENTS
from ledger.proof.history import HistoryEvent

CONTRACT: Final = "AssetRegistry"
_FIRST: Final = f"{CONTRACT}.Registered"
_NO_DIGEST: Final = "00" * 32
_WORD: Final = re.compile(r"[0-9a-f]{64}")
_Args = Mapping[str, Any]
Item = TypeVar("Item")


def view_at(events: Iterable[HistoryEvent], at: int) -> AssetView:
    """Return the state of the asset after all of its ``events`` up to and including the time ``at`` (seconds UTC).

    The events must be in the order of the chain. Raises ``InvalidInput`` ``HISTORY_FORM`` if the events are not the
    history of one asset. Use ``verify_history`` to check that the history is complete.
    """
    view = AssetView(at)
    for place, item in enumerate(events):
        try:
            _require_plain(item)
            if item.args["at"] > at:
                break
            view = apply(view, item)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise InvalidInput(
                "HISTORY_FORM",
                "This event cannot be at this place in the history of an asset.",
                where=f"event {place}",
                hint=f"Give the events of {CONTRACT} from the registration on, with their arguments as on the chain.",
            ) from error
    return view


def apply(view: AssetView, item: HistoryEvent) -> AssetView:
    """Return the state of an asset after one more event.

    The parents, successors and reports of ``view`` are only extended and never read, so a caller may omit them. Raises
    ``KeyError``, ``IndexError``, ``ValueError`` or ``TypeError`` for an event that cannot come next.
    """
    if (view.asset or item.args["id"]) != item.args["id"] or (view.asset is None) != (item.event == _FIRST):
        raise ValueError("an event of another asset, or not in order")
    return _FOLDS[item.event](view, item.args)


def _require_plain(item: HistoryEvent) -> None:
    """Raise ``ValueError`` unless every argument is an integer or 64 hex digits.

    A number as text, such as "0", is refused, because this module would not treat "0" as equal to zero.
    ``event_digest`` accepts such a text.
    """
    for name, kind in EVENTS[item.event][1]:
        value = item.args[name]
        if not (isinstance(value, int) if kind == "uint" else isinstance(value, str) and _WORD.fullmatch(value)):
            raise ValueError("an argument is not written as in the chain's history")


def _registered(view: AssetView, args: _Args) -> AssetView:
    return replace(
        view,
        asset=args["id"],
        asset_no=args["assetNo"],
        registered_at=args["at"],
        registered_by=args["by"],
        state="applied",
        kind="first",
        stage="submitted",
        grade=ASSET_GRADES[args["grade"]],
        holder=args["holder"],
        since=args["at"],
        content=args["content"],
        filed=args["content"],
        fingerprint=args["fingerprint"],
    )


def _filed(view: AssetView, args: _Args) -> AssetView:
    grade, fingerprint = ASSET_GRADES[args["grade"]], args["fingerprint"]
    return replace(
        view,
        kind=APPLICATION_KINDS[args["kind"]],
        stage="submitted",
        filed=args["content"],
        fingerprint=view.fingerprint if fingerprint == _NO_DIGEST else fingerprint,
        grade=grade,
        cleared=view.cleared and grade == view.grade and fingerprint == _NO_DIGEST,
        offered_to=None,
        until=0,
    )


def _rejected(view: AssetView, args: _Args) -> AssetView:
    first = APPLICATION_KINDS[args["kind"]] == "first"
    return replace(view, state="rejected" if first else view.state, kind=None, stage=None, until=0)


def _confirmed(view: AssetView, args: _Args) -> AssetView:
    kind = APPLICATION_KINDS[args["kind"]]
    return replace(
        view,
        state="cancelled" if kind == "cancel" else "confirmed",
        kind=None,
        stage=None,
        until=0,
        valid_to=args["validTo"],
        content=view.filed if kind in DESCRIBING else view.content,
    )


def _objected(view: AssetView, args: _Args) -> AssetView:
    if args["no"] != len(view.objections) + 1:
        raise ValueError("an objection is missing")
    objection = Objection(
        no=args["no"],
        objector=args["by"],
        state="filed",
        to_application=bool(args["toApplication"]),
        grounds=args["grounds"],
        filed_at=args["at"],
        decided_at=None,
    )
    return replace(view, objections=(*view.objections, objection))


def _decided(view: AssetView, args: _Args) -> AssetView:
    place, state = _place(args["no"], view.objections), OBJECTION_STATES[args["state"]]
    before = view.objections[place]
    after = replace(before, state=state, decided_at=args["at"] if state in CLOSED else None)
    freezes = state == "upheld" and not before.to_application and view.state == "confirmed"
    return replace(view, objections=_with(view.objections, place, after), frozen=view.frozen or freezes)


def _reassigned(view: AssetView, args: _Args) -> AssetView:
    """Change the holder. An open offer ends, but an open application and its public notice continue."""
    without_offer = view if view.offered_to is None else replace(view, offered_to=None, until=0)
    return replace(without_offer, holder=args["to"], since=args["at"])


def _right_granted(view: AssetView, args: _Args) -> AssetView:
    if args["no"] != len(view.rights) + 1 or args["parent"] >= args["no"]:
        raise ValueError("a right is missing, or its parent is a later right")
    right = Right(
        no=args["no"],
        kind=RIGHT_KINDS[args["kind"]],
        exclusive=bool(args["exclusive"]),
        sublicensable=bool(args["sublicensable"]),
        transferable=bool(args["transferable"]),
        grantee=args["grantee"],
        start=args["from"],
        end=args["to"],
        parent=args["parent"] or None,
        scope=args["scope"],
    )
    return replace(view, rights=(*view.rights, right))


def _right_transferred(view: AssetView, args: _Args) -> AssetView:
    place = _place(args["no"], view.rights)
    return replace(view, rights=_with(view.rights, place, replace(view.rights[place], grantee=args["to"])))


def _right_ended(view: AssetView, args: _Args) -> AssetView:
    place, at = _place(args["no"], view.rights), args["at"]
    right = view.rights[place]
    ended = replace(right, start=min(right.start, at), end=at)
    return replace(view, rights=_with(view.rights, place, ended))


def _pledged(view: AssetView, args: _Args) -> AssetView:
    lien = Lien(
        lien=args["lien"],
        creditor=args["creditor"],
        rank=args["rank"],
        sole=bool(args["sole"]),
        consent_to=None,
        since=args["at"],
        terms=args["terms"],
    )
    return replace(view, liens=by_rank((*view.liens, lien)))


def _lien_consented(view: AssetView, args: _Args) -> AssetView:
    place = _lien_index(view, args["lien"])
    consented = replace(view.liens[place], consent_to=args["to"] or None)
    return replace(view, liens=_with(view.liens, place, consented))


def _lien_released(view: AssetView, args: _Args) -> AssetView:
    place = _lien_index(view, args["lien"])
    return replace(view, liens=view.liens[:place] + view.liens[place + 1 :])


_BY_NAME: Final[Mapping[str, Callable[[AssetView, _Args], AssetView]]] = {
    "Registered": _registered,
    "Filed": _filed,
    "Advanced": lambda view, args: replace(view, stage=STAGES[args["stage"]], until=args["until"]),
    "Rejected": _rejected,
    "Confirmed": _confirmed,
    "Cleared": lambda view, args: replace(view, cleared=True, reports=(*view.reports, args["report"])),
    "Objected": _objected,
    "ObjectionDecided": _decided,
    "TransferOffered": lambda view, args: replace(view, offered_to=args["to"], until=args["deadline"]),
    "TransferAccepted": lambda view, args: replace(view, holder=args["to"], since=args["at"], offered_to=None, until=0),
    "TransferRejected": lambda view, _: replace(view, offered_to=None, until=0),
    "TransferWithdrawn": lambda view, _: replace(view, offered_to=None, until=0),
    "Reassigned": _reassigned,
    "Frozen": lambda view, _: replace(view, frozen=True),
    "Unfrozen": lambda view, _: replace(view, frozen=False),
    "Annulled": lambda view, _: replace(view, state="annulled", kind=None, stage=None, offered_to=None, until=0),
    "RightGranted": _right_granted,
    "RightTransferred": _right_transferred,
    "RightEnded": _right_ended,
    "Pledged": _pledged,
    "LienConsented": _lien_consented,
    "LienReleased": _lien_released,
    "Linked": lambda view, args: replace(view, parents=(*view.parents, (RELATIONS[args["relation"]], args["parent"]))),
    "Replaced": lambda view, args: replace(view, successors=(*view.successors, args["successor"])),
    "Assessed": lambda view, args: replace(view, reports=(*view.reports, args["report"])),
}
_FOLDS: Final = {f"{CONTRACT}.{name}": fold for name, fold in _BY_NAME.items()}


def _place(number: int, items: tuple[Any, ...]) -> int:
    """Return the index of the item with this number; numbers begin at 1."""
    if not 1 <= number <= len(items):
        raise IndexError("no item has this number")
    return number - 1


def _lien_index(view: AssetView, lien: int) -> int:
    return [each.lien for each in view.liens].index(lien)


def _with(items: tuple[Item, ...], place: int, item: Item) -> tuple[Item, ...]:
    return (*items[:place], item, *items[place + 1 :])
