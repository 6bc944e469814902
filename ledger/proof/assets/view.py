"""An asset as its history shows it at a time, and who has which right in it then.

Parties are their numbers on the chain; times are seconds UTC, ids and digests 64 hex digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger.domain.assets.names import RIGHT_KINDS
from ledger.domain.grades import ASSET_GRADES
from ledger.errors import InvalidInput

CLOSED: Final = ("upheld", "dismissed", "refused")
# The index keeps these; a view in JSON leaves them to the events.
_UNTOLD: Final = ("asset_no", "registered_at", "registered_by", "grounds")
_PARTIES: Final = ("holder", "offered_to", "grantee", "creditor", "consent_to", "objector", "party")


@dataclass(frozen=True, slots=True)
class Right:
    """A granted right: granted for ``start ≤ t < end``; ``parent`` is the right it is a licence under, or None."""

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
    """A lien that stands; ``consent_to`` is the party its creditor lets the asset go to, or None."""

    lien: int
    creditor: int
    rank: int
    sole: bool
    consent_to: int | None
    since: int
    terms: str


def by_rank(liens: Iterable[Lien]) -> tuple[Lien, ...]:
    """Liens in the order in which their creditors come."""
    return tuple(sorted(liens, key=lambda each: each.rank))


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection against the application under notice, or against the registration."""

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
    """Who has a right of one kind at the time of the view.

    ``title`` is ``holder`` (what it has not granted away), ``grant`` or ``licence``; ``right`` is the grant's number.
    It lasts while ``since ≤ t < until``, as far as the history told by then.
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
    """An asset at the time ``at``; ``state`` is ``none`` and ``holder`` None before it was entered.

    ``kind`` and ``stage`` are None where no application is open; ``until`` is the last second of the offer or of the
    notice, 0 where neither runs; ``content`` is in force, ``filed`` is what the last application committed to.
    ``liens`` are those that stand, by rank; ``rights`` all that were granted, those ended included; ``parents`` are
    (relation, asset).
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
        """Whether the registration is confirmed and not over; a frozen one cannot move, but is in force."""
        return self.state == "confirmed" and self.at < self.valid_to

    @property
    def open_objections(self) -> tuple[Objection, ...]:
        return tuple(each for each in self.objections if each.open)

    @property
    def offer_open(self) -> bool:
        """Whether the offer can still be accepted, as far as its deadline goes."""
        return self.offered_to is not None and self.at <= self.until

    def effective_end(self, right: Right) -> int:
        """When a right ends: with its own period, or when a right above it did."""
        end, parent = right.end, right.parent
        while parent is not None:
            above = self.rights[parent - 1]
            end, parent = min(end, above.end), above.parent
        return end

    @property
    def rights_in_force(self) -> tuple[Right, ...]:
        """The grants and licences in force, none of an asset whose registration is not."""
        if not self.in_force:
            return ()
        return tuple(each for each in self.rights if each.start <= self.at < self.effective_end(each))

    def to_dict(self, party: Callable[[int], str]) -> dict[str, Any]:
        """As JSON, with ``held`` by kind of right; ``party`` names a party by its number."""
        told = asdict(self) | {
            "in_force": self.in_force,
            "offer_open": self.offer_open,
            "rights": [asdict(each) | {"effective_end": self.effective_end(each)} for each in self.rights],
            "parents": [{"relation": relation, "asset": asset} for relation, asset in self.parents],
            "held": {kind: [asdict(each) for each in who_held(self, kind)] for kind in RIGHT_KINDS},
        }
        return {name: _named(name, value, party) for name, value in told.items() if name not in _UNTOLD}


def who_held(view: AssetView, kind: str) -> tuple[Holding, ...]:
    """Who had the right ``hold``, ``process`` or ``operate`` at the time of the view, the asset's holder first.

    The holder has it, but while an exclusive grant of the kind is in force. Nobody has a right in an asset whose
    registration is not in force. Raises InvalidInput RIGHT_KIND_UNKNOWN.
    """
    if kind not in RIGHT_KINDS:
        raise InvalidInput(
            "RIGHT_KIND_UNKNOWN", "There is no such right.", where="kind", hint=f"One of: {', '.join(RIGHT_KINDS)}."
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
    """The same JSON with every party's number replaced by its name."""
    if isinstance(value, Mapping):
        return {key: _named(key, item, party) for key, item in value.items() if key not in _UNTOLD}
    if isinstance(value, list | tuple):
        return [_named(name, item, party) for item in value]
    return party(value) if name in _PARTIES and value is not None else value
