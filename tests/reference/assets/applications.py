"""Reference for applications and objections: the rules of contracts/assets/AssetApplications and AssetObjections.

Each act is a function of the asset's state (``life``), the acting party, the arguments and the time. It returns the new
state, or raises the error of the contract. The checks are in the same order as in the contract. Digests are hex text; a
digest that is empty or all zeros counts as missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ledger.domain.grades import ASSET_GRADES
from ledger.domain.lifecycle import StateMachine
from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from tests.reference.assets.life import (
    NOBODY,
    AssetLife,
    Objection,
    Party,
    acting,
    confirmed,
    exists,
    given,
    holding,
    let_go,
    not_holding,
    unfrozen,
    unobjected,
    without_application,
    without_offer,
)
from tests.reference.assets.refusals import refused
from tests.reference.lifecycles import APPLICATION, OBJECTION, REGISTRATION

ADVANCES: Final = ("accepted", "reviewed", "noticed", "returned")
MAX_APPLICATIONS: Final = 255
MAX_OBJECTIONS: Final = 255
# Applications of these kinds need no public notice, because they take no right from anyone.
_WITHOUT_NOTICE: Final = ("correct", "renew", "cancel")
FILED: Final = ("change", *_WITHOUT_NOTICE)
_PROLONGS: Final = frozenset({"first", "renew"})
_MOVES_REGISTRATION: Final = {"first": "confirm", "cancel": "cancel"}
REGISTRARS: Final = frozenset({Role.REGISTRAR})
_APPLIES: Final = frozenset({Role.PROVIDER, Role.CONSUMER})
_CLEARS: Final = frozenset({Role.AUTHORITY, Role.CDO, Role.SUPERVISOR})
_OBJECTS: Final = frozenset({Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.BROKER})


def register(
    life: AssetLife,
    by: Party,
    content: str,
    fingerprint: str,
    grade: str,
    at: int,
    *,
    earlier: AssetLife | None = None,
) -> AssetLife:
    """Register a new asset with its first application. ``earlier`` is an earlier asset with the same fingerprint, if
    there is one.
    """
    acting(by, _APPLIES)
    given(content, fingerprint)
    if life.state != REGISTRATION.initial:
        raise refused("ASSET_ALREADY_REGISTERED")
    if grade == "core":
        raise refused("ASSET_GRADE", grade=grade)
    _fingerprint_free(earlier)
    applied = REGISTRATION.next(life.state, "apply")
    return AssetLife(applied, "first", APPLICATION.initial, grade, holder=by.no, since=at, applications=1)


def file(
    life: AssetLife,
    by: Party,
    kind: str,
    content: str,
    grade: str,
    at: int,
    *,
    anew: bool = False,
    earlier: AssetLife | None = None,
) -> AssetLife:
    """File an application, or file a returned application again. Only the holder may do this.

    ``anew`` is true if the application has new content with a new fingerprint. ``earlier`` is another asset with the
    same fingerprint, if there is one.
    """
    acting(by)
    holding(life, by)
    again = _can(life, "file") and kind == life.kind
    if again:
        fileable_again(life, at)
    else:
        fileable(life, at, kind)
    given(content)
    if grade == "core" or ASSET_GRADES.index(grade) < ASSET_GRADES.index(life.grade):
        raise refused("ASSET_GRADE", grade=grade)
    _fingerprint_free(earlier)
    return replace(
        life,
        kind=kind,
        stage=APPLICATION.initial,
        grade=grade,
        cleared=life.cleared and grade == life.grade and not anew,
        applications=life.applications + (not again),
        offered_to=NOBODY,
        until=0,
    )


def advance(
    life: AssetLife, by: Party, stage: str, at: int, *, until: int = 0, grounds: str = "", notice: int = 0
) -> AssetLife:
    """Move the application to another stage; only a registrar may do this. A public notice must last at least
    ``notice`` seconds.
    """
    acting(by, REGISTRARS)
    not_holding(life, by)
    if stage not in ADVANCES or not leads(APPLICATION, life.stage, stage):
        raise _wrong_stage(life)
    if stage == "noticed" and until < at + notice:
        raise refused("ASSET_NOTICE_SHORT", until=until, earliest=at + notice)
    if stage != "noticed" and until:
        raise refused("ASSET_NOTICE_SHORT", until=until, earliest=0)
    if stage == "returned":
        given(grounds)
    return replace(life, stage=stage, until=until)


def reject(life: AssetLife, by: Party, grounds: str) -> AssetLife:
    """Reject the application, and if it is the first, also end the registration. Only a registrar may do this."""
    acting(by, REGISTRARS)
    not_holding(life, by)
    given(grounds)
    staged(life, "reject")
    return _rejected(life)


def confirm(life: AssetLife, by: Party, valid_to: int, at: int) -> AssetLife:
    """Confirm the application, which only a registrar may do. ``valid_to`` is 0 if this kind of application does not
    change the registration's validity.
    """
    acting(by, REGISTRARS)
    not_holding(life, by)
    confirmable(life, at)
    prolongs = life.kind in _PROLONGS
    if (valid_to <= max(at, life.valid_to)) if prolongs else valid_to:
        raise refused("ASSET_TIME_PAST", time=valid_to)
    move = _MOVES_REGISTRATION.get(life.kind or "")
    state = REGISTRATION.next(life.state, move) if move else life.state
    return replace(without(life), state=state, valid_to=valid_to if prolongs else life.valid_to)


def clear(life: AssetLife, by: Party, report: str, at: int) -> AssetLife:
    """Record the security review of important data. An authority, chief data officer or supervisor may do this."""
    acting(by, _CLEARS)
    exists(life, at)
    not_holding(life, by)
    given(report)
    clearable(life, at)
    return replace(life, cleared=True)


def object_to(life: AssetLife, by: Party, grounds: str, at: int) -> AssetLife:
    """Object to an application while it is under public notice, or at other times to the registration. The holder may
    not object.
    """
    acting(by, _OBJECTS)
    not_holding(life, by)
    given(grounds)
    objectionable(life, at)
    filed = Objection(by.no, OBJECTION.initial, life.applications if _notice_runs(life, at) else 0, at)
    return replace(life, objections=(*life.objections, filed))


def decide(life: AssetLife, by: Party, no: int, state: str, grounds: str) -> AssetLife:
    """Move an objection to another state. Only a registrar that neither holds the asset nor objected may do this."""
    acting(by, REGISTRARS)
    not_holding(life, by)
    if not 1 <= no <= len(life.objections):
        raise refused("ASSET_WRONG_OBJECTION", no=no, state="none")
    objection = life.objections[no - 1]
    if objection.objector == by.no:
        raise refused("ASSET_SELF_REVIEW", party=by.no)
    if not leads(OBJECTION, objection.state, state):
        raise refused("ASSET_WRONG_OBJECTION", no=no, state=objection.state)
    given(grounds)
    decided = (*life.objections[: no - 1], replace(objection, state=state), *life.objections[no:])
    life = replace(life, objections=decided)
    if state != "upheld":
        return life
    if not objection.application:
        return replace(life, frozen=life.frozen or life.state == "confirmed")
    # If the application was decided after the objection, there is no application to reject any more.
    open_still = objection.application == life.applications and _can(life, "uphold")
    return _rejected(life) if open_still else life


def leads(machine: StateMachine, state: str | None, target: str) -> bool:
    """Return whether the machine has a transition from ``state`` to ``target``."""
    return any(source == state and following == target for (source, _), following in machine.moves.items())


def fileable(life: AssetLife, at: int, kind: str) -> None:
    """Raise the contract's error unless a new application of this kind is possible now."""
    without_application(life, at)
    confirmed(life, at)
    if kind not in FILED:
        raise refused("ASSET_WRONG_STAGE", kind=kind, stage=life.stage)
    if life.applications == MAX_APPLICATIONS:
        raise refused("ASSET_TOO_MANY", limit=MAX_APPLICATIONS)
    _filing_in_time(life, at, kind)


def fileable_again(life: AssetLife, at: int) -> None:
    """Raise the contract's error unless a returned application can be filed again.

    If it is not the asset's first application, the conditions for a new application must hold too.
    """
    staged(life, "file")
    if life.kind in FILED:
        _filing_in_time(life, at, life.kind)


def staged(life: AssetLife, move: str) -> None:
    """Raise the contract's error unless the act ``move`` is allowed at the stage of the application."""
    if not _can(life, move):
        raise _wrong_stage(life)


def confirmable(life: AssetLife, at: int) -> None:
    staged(life, "confirm")
    if life.stage == "noticed":
        if at <= life.until:
            raise refused("ASSET_NOTICE_RUNS", until=life.until)
    elif life.kind not in _WITHOUT_NOTICE:
        raise _wrong_stage(life)
    unobjected(life, at)
    if life.kind != "correct":
        unfrozen(life, at)
    if life.grade == "important" and not life.cleared and life.kind != "cancel":
        raise refused("ASSET_NOT_CLEARED")
    if life.kind == "cancel":
        let_go(life, NOBODY)


def clearable(life: AssetLife, at: int) -> None:
    exists(life, at)
    if life.grade != "important" or life.cleared:
        raise refused("ASSET_GRADE", grade=life.grade)


def objectionable(life: AssetLife, at: int) -> None:
    if not _notice_runs(life, at):
        if life.state == "applied":
            raise refused("ASSET_NOTICE_OVER", until=life.until)
        confirmed(life, at)
    if life.open_objections == MAX_OBJECTIONS:
        raise refused("ASSET_TOO_MANY", limit=MAX_OBJECTIONS)


def without(life: AssetLife) -> AssetLife:
    """Return the state of the asset without its open application."""
    return replace(life, kind=None, stage=None, until=0)


def _filing_in_time(life: AssetLife, at: int, kind: str) -> None:
    if kind != "cancel" and at >= life.valid_to:
        raise refused("ASSET_EXPIRED", valid_to=life.valid_to)
    if kind != "correct":
        unfrozen(life, at)
    without_offer(life, at)


def _notice_runs(life: AssetLife, at: int) -> bool:
    return life.stage == "noticed" and at <= life.until


def _rejected(life: AssetLife) -> AssetLife:
    state = REGISTRATION.next(life.state, "reject") if life.kind == "first" else life.state
    return replace(without(life), state=state)


def _can(life: AssetLife, move: str) -> bool:
    return life.stage is not None and move in APPLICATION.moves_from(life.stage)


def _wrong_stage(life: AssetLife) -> PingzhengError:
    return refused("ASSET_WRONG_STAGE", kind=life.kind, stage=life.stage)


def _fingerprint_free(earlier: AssetLife | None) -> None:
    """Raise the contract's error if another asset has this fingerprint and that asset's registration has not ended."""
    if earlier is not None and earlier.state not in REGISTRATION.final:
        raise refused("ASSET_DUPLICATE_FINGERPRINT")
