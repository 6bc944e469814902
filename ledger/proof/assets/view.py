# SPDX-License-Identifier: Apache-2.0
"""The state of an asset at one time, and the parties that have rights in the asset at that time.

Parties are given by their numbers on the chain, times as seconds UTC, ids and digests as 64 hex digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger.domain.assets.names import RIGHT_KINDS
from ledger.domain.grades import ASSET_GRADES
from ledger.errors import InvalidInput

CLOSED: Final = ("upheld", "dismissed", "refused")
# Members that only the index needs. The JSON form of a view omits them, because the events contain them.
_OMITTED: Final = ("asset_no", "registered_at", "registered_by", "grounds")
_PARTIES: Final = ("holder", "offered_to", "grantee", "creditor", "consent_to", "objector", "party")


@dataclass(frozen=True, slots=True)
class Right:
    """A right, granted for ``start ≤ t < end``; for a licence, ``parent`` is the number of its parent right."""

    no: int
    kind: str
    exclusive: bool
    sublicensable: bool
    transferable: bool
    grantee: int
    start: int
    end: int
    parent: int | None
    scope: str


@dataclass(frozen=True, slots=True)
class Lien:
    """An active lien; ``consent_to`` is the party to which the creditor allows a transfer of the asset, or None."""

    lien: int
    creditor: int
    rank: int
    sole: bool
    consent_to: int | None
    since: int
    terms: str


def by_rank(liens: Iterable[Lien]) -> tuple[Lien, ...]:
    """Return the liens in the order of their ranks."""
    return tuple(sorted(liens, key=lambda each: each.rank))


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection to the application under public notice (``to_application``) or to the registration."""

    no: int
    objector: int
    state: str
    to_application: bool
    grounds: str
    filed_at: int
    decided_at: int | None

    @property
    def open(self) -> bool:
        return self.state not in CLOSED


@dataclass(frozen=True, slots=True)
class Holding:
    """A party that has a right of one kind at the time of the view.

    ``title`` is ``holder``, ``grant`` or ``licence``; ``right`` is the number of the granted right, None for the
    holder. If nothing changes later, the party has the right for ``since ≤ t < until``.
    """

    party: int
    kind: str
    title: str
    right: int | None
    exclusive: bool
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset at the time ``at``; before it is registered, ``state`` is ``none`` and ``holder`` is None.

    ``kind`` and ``stage`` are None if no application is open. ``until`` is the last second of the open offer or of the
    public notice, 0 if there is no offer and no notice. ``content`` is the confirmed digest of the documents, ``filed``
    the digest in the last application. ``liens`` are the active liens in the order of their ranks; ``rights`` are all
    granted rights, including ended rights; ``parents`` are pairs (relation, asset).
    """

    at: int
    asset: str | None = None
    asset_no: int = 0
    registered_at: int = 0
    registered_by: int = 0
    state: str = "none"
    kind: str | None = None
    stage: str | None = None
    grade: str = ASSET_GRADES[0]
    cleared: bool = False
    frozen: bool = False
    holder: int | None = None
    since: int = 0
    offered_to: int | None = None
    until: int = 0
    valid_to: int = 0
    content: str | None = None
    filed: str | None = None
    fingerprint: str | None = None
    objections: tuple[Objection, ...] = ()
    liens: tuple[Lien, ...] = ()
    rights: tuple[Right, ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    successors: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()

    @property
    def in_force(self) -> bool:
        """Whether the registration is confirmed and has not expired; a frozen registration counts as in force."""
        return self.state == "confirmed" and self.at < self.valid_to

    @property
    def open_objections(self) -> tuple[Objection, ...]:
        return tuple(each for each in self.objections if each.open)

    @property
    def offer_open(self) -> bool:
        """Whether there is an offer whose deadline has not passed."""
        return self.offered_to is not None and self.at <= self.until

    def effective_end(self, right: Right) -> int:
        """Return when a right ends: at the end of its period, or earlier if its parent right ends earlier."""
        end, parent = right.end, right.parent
        while parent is not None:
            above = self.rights[parent - 1]
            end, parent = min(end, above.end), above.parent
        return end

    @property
    def rights_in_force(self) -> tuple[Right, ...]:
        """The granted rights and licences in force; empty if the registration is not in force."""
        if not self.in_force:
            return ()
        return tuple(each for each in self.rights if each.start <= self.at < self.effective_end(each))

    def to_dict(self, party: Callable[[int], str]) -> dict[str, Any]:
        """Return the view as a JSON object. ``party`` maps a number to a name; ``held`` lists who has which right."""
        members = asdict(self) | {
            "in_force": self.in_force,
            "offer_open": self.offer_open,
            "rights": [asdict(each) | {"effective_end": self.effective_end(each)} for each in self.rights],
            "parents": [{"relation": relation, "asset": asset} for relation, asset in self.parents],
            "held": {kind: [asdict(each) for each in who_held(self, kind)] for kind in RIGHT_KINDS},
        }
        return {name: _named(name, value, party) for name, value in members.items() if name not in _OMITTED}


def who_held(view: AssetView, kind: str) -> tuple[Holding, ...]:
    """Return the parties that have a right (``hold``, ``process`` or ``operate``) at the view's time, the holder first.

    The holder has the right unless an exclusive right of this kind is granted and in force. Nobody has a right in an
    asset whose registration is not in force. Raises ``InvalidInput`` ``RIGHT_KIND_UNKNOWN``.
    """
    if kind not in RIGHT_KINDS:
        raise InvalidInput(
            "RIGHT_KIND_UNKNOWN",
            "This kind of right is not known.",
            where="kind",
            hint=f"Use one of: {', '.join(RIGHT_KINDS)}.",
        )
    granted = [each for each in view.rights_in_force if each.kind == kind]
    held = tuple(_granted(view, each) for each in granted)
    if not view.in_force or view.holder is None or any(each.exclusive for each in granted):
        return held
    to_come = [each.start for each in view.rights if each.kind == kind and each.exclusive and _ahead(view, each)]
    until = min([view.valid_to, *to_come])
    return (Holding(view.holder, kind, "holder", None, False, view.since, until), *held)


def _granted(view: AssetView, right: Right) -> Holding:
    title = "grant" if right.parent is None else "licence"
    end = min(view.effective_end(right), view.valid_to)
    return Holding(right.grantee, right.kind, title, right.no, right.exclusive, right.start, end)


def _ahead(view: AssetView, right: Right) -> bool:
    return view.at < right.start < right.end


def _named(name: str, value: Any, party: Callable[[int], str]) -> Any:
    """Return a copy of the JSON value in which every party's number is replaced by the party's name."""
    if isinstance(value, Mapping):
        return {key: _named(key, item, party) for key, item in value.items() if key not in _OMITTED}
    if isinstance(value, list | tuple):
        return [_named(name, item, party) for item in value]
    return party(value) if name in _PARTIES and value is not None else value
