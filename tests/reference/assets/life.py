"""Reference model of an asset's state (AssetRegistry), and the conditions that several acts share (AssetRecord).

Parties are numbers, times are seconds UTC. A function for a condition returns nothing; it raises the contract's error
if the condition is not met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ledger.domain.parties import Role
from tests.reference.assets.refusals import refused
from tests.reference.lifecycles import OBJECTION, REGISTRATION

NOBODY: Final = 0
ALL_ROLES: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Party:
    """A party; ``accredited`` maps each kind of assessment to the period ``start ≤ t < end`` in which it is allowed."""

    no: int
    roles: frozenset[Role] = frozenset()
    active: bool = True
    accredited: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection to the application with number ``application``; if ``application`` is 0, to the registration."""

    objector: int
    state: str
    application: int
    filed_at: int


@dataclass(frozen=True, slots=True)
class Lien:
    """An active lien; ``consent_to`` is the party to which the lien's creditor allows a transfer of the asset."""

    creditor: int
    rank: int
    sole: bool
    since: int
    consent_to: int = NOBODY


@dataclass(frozen=True, slots=True)
class Right:
    """A right for ``start ≤ t < end``. For a licence, ``parent`` is the number of the right under which it was granted;
    otherwise it is 0.
    """

    kind: str
    grantee: int
    start: int
    end: int
    exclusive: bool = False
    sublicensable: bool = False
    transferable: bool = False
    parent: int = 0


@dataclass(frozen=True, slots=True)
class AssetLife:
    """The state of an asset; ``AssetLife()`` is an asset that is not registered.

    ``kind`` and ``stage`` are those of the open application; they are None if no application is open. ``until`` is the
    last second of the current notice or offer. ``applications`` counts the applications filed; filing a returned
    application again adds none. Objections and rights are numbered from 1; liens have their own numbers.
    """

    state: str = REGISTRATION.initial
    kind: str | None = None
    stage: str | None = None
    grade: str = "general"
    cleared: bool = False
    frozen: bool = False
    holder: int = NOBODY
    offered_to: int = NOBODY
    until: int = 0
    valid_to: int = 0
    since: int = 0
    ancestors: int = 0
    applications: int = 0
    objections: tuple[Objection, ...] = ()
    liens: Mapping[int, Lien] = field(default_factory=dict)
    rights: tuple[Right, ...] = ()

    @property
    def open_objections(self) -> int:
        return sum(objection.state not in OBJECTION.final for objection in self.objections)


Condition = Callable[[AssetLife, int], None]


def acting(by: Party, roles: frozenset[Role] = ALL_ROLES) -> None:
    """Require that the party is active and has one of the roles."""
    if not by.active:
        raise refused("PARTY_NOT_ACTIVE", no=by.no)
    if not by.roles & roles:
        raise refused("PARTY_LACKS_ROLE", no=by.no)


def holding(life: AssetLife, by: Party) -> None:
    if life.holder != by.no:
        raise refused("ASSET_NOT_HOLDER", holder=life.holder)


def not_holding(life: AssetLife, by: Party) -> None:
    if life.holder == by.no:
        raise refused("ASSET_SELF_REVIEW", party=by.no)


def other_party(to: Party, by: Party) -> None:
    """Require that the recipient is active and not the acting party."""
    if to.no == by.no or not to.active:
        raise refused("ASSET_BAD_RECIPIENT", to=to.no)


def given(*digests: str) -> None:
    """Require digests that are neither empty nor all zeros."""
    if not all(digest.strip("0") for digest in digests):
        raise refused("ASSET_ZERO")


def exists(life: AssetLife, _: int) -> None:
    if life.state == REGISTRATION.initial:
        raise refused("ASSET_WRONG_STATE", state=life.state)


def confirmed(life: AssetLife, _: int) -> None:
    if life.state != "confirmed":
        raise refused("ASSET_WRONG_STATE", state=life.state)


def not_over(life: AssetLife, _: int) -> None:
    """Require that the registration has not ended: it is not rejected, cancelled or annulled."""
    if life.state not in ("applied", "confirmed"):
        raise refused("ASSET_WRONG_STATE", state=life.state)


def valid(life: AssetLife, at: int) -> None:
    """Require that the registration is confirmed and has not expired."""
    confirmed(life, at)
    if at >= life.valid_to:
        raise refused("ASSET_EXPIRED", valid_to=life.valid_to)


def unfrozen(life: AssetLife, _: int) -> None:
    if life.frozen:
        raise refused("ASSET_FROZEN")


def unobjected(life: AssetLife, _: int) -> None:
    if life.open_objections:
        raise refused("ASSET_OBJECTED", objections=life.open_objections)


def free(life: AssetLife, at: int) -> None:
    """Require that the registration is valid, not frozen, and without an open objection."""
    valid(life, at)
    unfrozen(life, at)
    unobjected(life, at)


def without_application(life: AssetLife, _: int) -> None:
    if life.stage is not None:
        raise refused("ASSET_APPLICATION_OPEN", kind=life.kind, stage=life.stage)


def without_offer(life: AssetLife, at: int) -> None:
    """Require that no transfer offer is open; a lapsed offer is not open."""
    if life.offered_to != NOBODY and at <= life.until:
        raise refused("ASSET_OFFER_OPEN", offered_to=life.offered_to, deadline=life.until)


def let_go(life: AssetLife, to: int) -> None:
    """Require that every creditor consents to a transfer to ``to``. For ``NOBODY``, require that there is no lien."""
    for number, lien in sorted(life.liens.items()):
        if to == NOBODY or lien.consent_to != to:
            raise refused("ASSET_PLEDGED", lien=number, creditor=lien.creditor)


def movable(life: AssetLife, at: int) -> None:
    """Require a valid, unfrozen registration without an open objection or application. Whether the creditors consent is
    not checked here.
    """
    free(life, at)
    without_application(life, at)
