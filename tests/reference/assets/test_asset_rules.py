"""The asset register's rules: what each move makes of a life, and why it is refused.

``tests/chain/parity/test_assets_side_by_side.py`` compares the same rules with the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from tests.reference.assets import applications, claims, transfers
from tests.reference.assets.life import AssetLife, Lien, Objection, Party, Right
from tests.reference.assets.refusals import REFUSALS

AT = 1_000
END = 2_000
SAID = "1f" * 32
NONE = "00" * 32

OWNER = Party(1, frozenset({Role.PROVIDER}))
BUYER = Party(2, frozenset({Role.CONSUMER}))
BANK = Party(3, frozenset({Role.BROKER}))
REGISTRAR = Party(4, frozenset({Role.REGISTRAR}))
AUTHORITY = Party(5, frozenset({Role.AUTHORITY}))
ASSESSOR = Party(6, frozenset({Role.ASSESSOR}), accredited={"quality": (AT, AT + 1)})
STRANGER = Party(7)
ABSENT = Party(8, frozenset(Role), active=False)
OWNER_WITH_OFFICE = Party(1, frozenset(Role))

NEW = AssetLife()
APPLIED = AssetLife("applied", "first", "submitted", holder=1, since=1, applications=1)
CONFIRMED = AssetLife("confirmed", holder=1, valid_to=END, since=1, applications=1)
OVER = replace(CONFIRMED, valid_to=AT)
FROZEN = replace(CONFIRMED, frozen=True)
OFFERED = replace(CONFIRMED, offered_to=2, until=AT)
LAPSED = replace(CONFIRMED, offered_to=2, until=AT - 1)
FILED = Objection(3, "filed", 0, 900)
OBJECTED = replace(CONFIRMED, objections=(FILED,))
PLEDGED = replace(CONFIRMED, liens={0: Lien(3, 1, False, 900)})
LET_GO = replace(CONFIRMED, liens={0: Lien(3, 1, False, 900, consent_to=2)})
WIDE = Right("process", 2, AT, AT + 100, exclusive=True, sublicensable=True, transferable=True)
GRANTED = replace(CONFIRMED, rights=(WIDE,))
LICENCE = Right("process", 3, AT, AT + 50, parent=1)
LICENSED = replace(GRANTED, rights=(WIDE, LICENCE))
IMPORTANT = replace(CONFIRMED, grade="important")


def staged(stage: str, kind: str = "change", **changes: object) -> AssetLife:
    """Under the first application, or the second."""
    life = APPLIED if kind == "first" else replace(CONFIRMED, applications=2)
    return replace(life, kind=kind, stage=stage, **changes)  # type: ignore[arg-type]


def objected(state: str, *, application: int = 0, life: AssetLife = CONFIRMED) -> AssetLife:
    return replace(life, objections=(replace(FILED, state=state, application=application),))


def closed(life: AssetLife, **changes: object) -> AssetLife:
    return replace(life, kind=None, stage=None, until=0, **changes)  # type: ignore[arg-type]


def file(life: AssetLife, kind: str, grade: str = "general", content: str = SAID, **kwargs: Any) -> AssetLife:
    return applications.file(life, OWNER, kind, content, grade, AT, **kwargs)


def advance(life: AssetLife, stage: str, until: int = 0, grounds: str = SAID) -> AssetLife:
    return applications.advance(life, REGISTRAR, stage, AT, until=until, grounds=grounds, notice=10)


def reassign(life: AssetLife, to: Party = BUYER, grounds: str = SAID, **kwargs: Any) -> AssetLife:
    """Decided, and the holder is silent."""
    return transfers.reassign(
        life, **{"by": AUTHORITY, "to": to, "grounds": grounds, "at": AT, "decided": True, "silent": True} | kwargs
    )


def confirm(life: AssetLife, valid_to: int = 0, at: int = AT) -> AssetLife:
    return applications.confirm(life, REGISTRAR, valid_to, at)


def register(grade: str = "general", earlier: AssetLife | None = None, life: AssetLife = NEW) -> AssetLife:
    return applications.register(life, OWNER, SAID, SAID, grade, AT, earlier=earlier)


def decide(life: AssetLife, state: str, by: Party = REGISTRAR, no: int = 1, grounds: str = SAID) -> AssetLife:
    return applications.decide(life, by, no, state, grounds)


def grant(life: AssetLife, right: Right, by: Party = OWNER, to: Party = BANK) -> AssetLife:
    return claims.grant(life, by, to, right, AT)


RIGHT = Right("process", 3, AT, AT + 10)
# The second application is decided.
SETTLED = replace(CONFIRMED, applications=2)
DONE: dict[str, tuple[Callable[[], AssetLife], AssetLife]] = {
    "register": (register, replace(APPLIED, since=AT)),
    "take over an ended asset's fingerprint": (
        lambda: register("important", replace(CONFIRMED, state="annulled")),
        replace(APPLIED, grade="important", since=AT),
    ),
    "file again": (lambda: file(staged("returned", "first"), "first"), APPLIED),
    "file": (lambda: file(LAPSED, "renew"), staged("submitted", "renew")),
    "a higher grade is cleared anew": (
        lambda: file(replace(CONFIRMED, cleared=True), "change", "important"),
        staged("submitted", grade="important"),
    ),
    "other content is cleared anew": (
        lambda: file(replace(IMPORTANT, cleared=True), "change", "important", anew=True),
        staged("submitted", grade="important", cleared=False),
    ),
    "a kept grade stays cleared": (
        lambda: file(replace(IMPORTANT, cleared=True), "change", "important"),
        staged("submitted", grade="important", cleared=True),
    ),
    "file an expired cancellation again": (
        lambda: file(staged("returned", "cancel", valid_to=AT), "cancel"),
        staged("submitted", "cancel", valid_to=AT),
    ),
    "file the first again though frozen": (
        lambda: file(staged("returned", "first", frozen=True), "first"),
        replace(APPLIED, frozen=True),
    ),
    "correct a frozen one again": (
        lambda: file(staged("returned", "correct", frozen=True), "correct"),
        staged("submitted", "correct", frozen=True),
    ),
    "correct a frozen one": (lambda: file(FROZEN, "correct"), staged("submitted", "correct", frozen=True)),
    "cancel when it is over": (lambda: file(OVER, "cancel"), staged("submitted", "cancel", valid_to=AT)),
    "accept": (lambda: advance(staged("submitted"), "accepted"), staged("accepted")),
    "review": (lambda: advance(staged("accepted"), "reviewed", grounds=NONE), staged("reviewed")),
    "notice": (lambda: advance(staged("reviewed"), "noticed", AT + 10), staged("noticed", until=AT + 10)),
    "return": (lambda: advance(staged("accepted"), "returned"), staged("returned")),
    "reject the first": (
        lambda: applications.reject(staged("accepted", "first"), REGISTRAR, SAID),
        closed(APPLIED, state="rejected"),
    ),
    "reject a change": (lambda: applications.reject(staged("reviewed"), REGISTRAR, SAID), SETTLED),
    "confirm the first": (
        lambda: confirm(staged("noticed", "first", until=AT - 1), AT + 1),
        closed(APPLIED, state="confirmed", valid_to=AT + 1),
    ),
    "confirm a change": (lambda: confirm(staged("noticed", until=AT - 1)), SETTLED),
    "confirm without notice": (
        lambda: confirm(staged("reviewed", "correct", frozen=True)),
        replace(SETTLED, frozen=True),
    ),
    "renew": (lambda: confirm(staged("reviewed", "renew"), END + 1), replace(SETTLED, valid_to=END + 1)),
    "cancel": (lambda: confirm(staged("reviewed", "cancel")), replace(SETTLED, state="cancelled")),
    "clear": (lambda: applications.clear(IMPORTANT, AUTHORITY, SAID, AT), replace(IMPORTANT, cleared=True)),
    "object to an application": (
        lambda: applications.object_to(staged("noticed", "first", until=AT), BANK, SAID, AT),
        staged("noticed", "first", until=AT, objections=(Objection(3, "filed", 1, AT),)),
    ),
    "object to a registration": (
        lambda: applications.object_to(staged("noticed", until=AT - 1), BANK, SAID, AT),
        staged("noticed", until=AT - 1, objections=(Objection(3, "filed", 0, AT),)),
    ),
    "dismiss": (lambda: decide(objected("verified"), "dismissed"), objected("dismissed")),
    "uphold": (lambda: decide(objected("verified"), "upheld"), replace(objected("upheld"), frozen=True)),
    "uphold when it is over": (
        lambda: decide(objected("verified", life=replace(CONFIRMED, state="annulled")), "upheld"),
        objected("upheld", life=replace(CONFIRMED, state="annulled")),
    ),
    "uphold against an application": (
        lambda: decide(objected("verified", application=2, life=staged("noticed", until=9)), "upheld"),
        objected("upheld", application=2, life=SETTLED),
    ),
    "uphold after the application": (
        lambda: decide(objected("verified", application=1), "upheld"),
        objected("upheld", application=1),
    ),
    "uphold under the notice of the next application": (
        lambda: decide(objected("verified", application=1, life=staged("noticed", until=9)), "upheld"),
        objected("upheld", application=1, life=staged("noticed", until=9)),
    ),
    "offer": (lambda: transfers.offer_transfer(LAPSED, OWNER, BUYER, AT, AT), OFFERED),
    "accept the transfer": (
        lambda: transfers.accept_transfer(OFFERED, BUYER, AT),
        replace(CONFIRMED, holder=2, since=AT),
    ),
    "take over with a lien": (
        lambda: transfers.accept_transfer(replace(LET_GO, offered_to=2, until=AT), BUYER, AT),
        replace(LET_GO, holder=2, since=AT),
    ),
    "reassign": (lambda: reassign(CONFIRMED), replace(CONFIRMED, holder=2, since=AT)),
    "reassign what is on offer": (lambda: reassign(OFFERED, BANK), replace(CONFIRMED, holder=3, since=AT)),
    "reassign what is frozen, pledged and objected to": (
        lambda: reassign(replace(PLEDGED, frozen=True, objections=(FILED,))),
        replace(PLEDGED, frozen=True, objections=(FILED,), holder=2, since=AT),
    ),
    "reassign what is over": (lambda: reassign(OVER), replace(OVER, holder=2, since=AT)),
    "reassign under notice": (
        lambda: reassign(staged("noticed", "first", until=AT + 9)),
        staged("noticed", "first", until=AT + 9, holder=2, since=AT),
    ),
    "reject a lapsed offer": (lambda: transfers.reject_transfer(LAPSED, BUYER, AT), CONFIRMED),
    "withdraw": (lambda: transfers.withdraw_offer(OFFERED, OWNER, AT), CONFIRMED),
    "freeze": (lambda: transfers.freeze(APPLIED, AUTHORITY, AT), replace(APPLIED, frozen=True)),
    "unfreeze": (lambda: transfers.unfreeze(FROZEN, AUTHORITY, AT), CONFIRMED),
    "annul": (
        lambda: transfers.annul(staged("noticed", until=END, frozen=True), REGISTRAR, SAID, AT),
        replace(SETTLED, frozen=True, state="annulled"),
    ),
    "link": (
        lambda: transfers.link(APPLIED, OWNER, replace(CONFIRMED, ancestors=127), AT),
        replace(APPLIED, ancestors=128),
    ),
    "replace": (lambda: transfers.replace_by(CONFIRMED, OWNER, replace(CONFIRMED), AT), CONFIRMED),
    "assess": (lambda: transfers.assess(OVER, ASSESSOR, "quality", SAID, AT + 1, AT), OVER),
    "grant": (lambda: grant(CONFIRMED, RIGHT), replace(CONFIRMED, rights=(RIGHT,))),
    "grant another kind": (
        lambda: grant(GRANTED, replace(RIGHT, kind="hold")),
        replace(GRANTED, rights=(WIDE, replace(RIGHT, kind="hold"))),
    ),
    "grant after the exclusive one": (
        lambda: grant(GRANTED, replace(RIGHT, start=AT + 100, end=END)),
        replace(GRANTED, rights=(WIDE, replace(RIGHT, start=AT + 100, end=END))),
    ),
    "grant before the exclusive one": (
        lambda: grant(replace(CONFIRMED, rights=(replace(WIDE, start=AT + 10),)), RIGHT),
        replace(CONFIRMED, rights=(replace(WIDE, start=AT + 10), RIGHT)),
    ),
    "grant when the offer has lapsed": (lambda: grant(LAPSED, RIGHT), replace(LAPSED, rights=(RIGHT,))),
    "license": (lambda: grant(GRANTED, LICENCE, BUYER), LICENSED),
    "license while it is on offer": (
        lambda: grant(replace(OFFERED, rights=(WIDE,)), LICENCE, BUYER),
        replace(OFFERED, rights=(WIDE, LICENCE)),
    ),
    "transfer a right": (
        lambda: claims.transfer_right(GRANTED, BUYER, 1, BANK, AT),
        replace(GRANTED, rights=(replace(WIDE, grantee=3),)),
    ),
    "end a right": (
        lambda: claims.end_right(LICENSED, BANK, 2, NONE, AT + 9),
        replace(LICENSED, rights=(WIDE, replace(LICENCE, end=AT + 9))),
    ),
    "end a right for cause before it begins": (
        lambda: claims.end_right(GRANTED, REGISTRAR, 1, SAID, AT - 9),
        replace(GRANTED, rights=(replace(WIDE, start=AT - 9, end=AT - 9),)),
    ),
    "pledge": (
        lambda: claims.pledge(replace(CONFIRMED, liens={1: Lien(2, 4, False, 9)}), OWNER, BANK, False, SAID, AT),
        replace(CONFIRMED, liens={1: Lien(2, 4, False, 9), 0: Lien(3, 5, False, AT)}),
    ),
    "pledge to one alone": (
        lambda: claims.pledge(CONFIRMED, OWNER, BANK, True, SAID, AT),
        replace(CONFIRMED, liens={0: Lien(3, 1, True, AT)}),
    ),
    "consent": (
        lambda: claims.consent_to_transfer(PLEDGED, BANK, 0, 2),
        LET_GO,
    ),
    "release": (lambda: claims.release(PLEDGED, BANK, 0), CONFIRMED),
}


@pytest.mark.parametrize(("made", "expected"), DONE.values(), ids=DONE)
def test_what_a_move_makes(made: Callable[[], AssetLife], expected: AssetLife) -> None:
    assert made() == expected


FULL = replace(CONFIRMED, rights=(replace(RIGHT, kind="hold", end=AT),) * 256)
REFUSED: list[tuple[str, Callable[[], AssetLife]]] = [
    ("PARTY_NOT_ACTIVE", lambda: transfers.withdraw_offer(OFFERED, ABSENT, AT)),
    ("PARTY_LACKS_ROLE", lambda: transfers.withdraw_offer(OFFERED, STRANGER, AT)),
    ("PARTY_LACKS_ROLE", lambda: applications.register(NEW, REGISTRAR, SAID, SAID, "general", AT)),
    ("PARTY_LACKS_ROLE", lambda: applications.reject(staged("accepted"), AUTHORITY, SAID)),
    ("PARTY_LACKS_ROLE", lambda: applications.clear(IMPORTANT, REGISTRAR, SAID, AT)),
    ("PARTY_LACKS_ROLE", lambda: applications.object_to(CONFIRMED, REGISTRAR, SAID, AT)),
    ("PARTY_LACKS_ROLE", lambda: transfers.freeze(CONFIRMED, REGISTRAR, AT)),
    ("PARTY_LACKS_ROLE", lambda: transfers.annul(CONFIRMED, ASSESSOR, SAID, AT)),
    ("PARTY_LACKS_ROLE", lambda: transfers.assess(CONFIRMED, REGISTRAR, "quality", SAID, END, AT)),
    ("PARTY_LACKS_ROLE", lambda: claims.end_right(GRANTED, OWNER, 1, SAID, AT)),
    ("ASSET_ZERO", lambda: applications.register(NEW, OWNER, SAID, NONE, "general", AT)),
    ("ASSET_ZERO", lambda: applications.register(NEW, OWNER, NONE, SAID, "general", AT)),
    ("ASSET_ALREADY_REGISTERED", lambda: register(life=APPLIED)),
    ("ASSET_GRADE", lambda: register("core")),
    ("ASSET_DUPLICATE_FINGERPRINT", lambda: register(earlier=APPLIED)),
    ("ASSET_NOT_HOLDER", lambda: applications.file(CONFIRMED, BUYER, "change", SAID, "general", AT)),
    ("ASSET_APPLICATION_OPEN", lambda: file(staged("returned"), "renew")),
    ("ASSET_APPLICATION_OPEN", lambda: file(staged("accepted"), "change")),
    ("ASSET_WRONG_STATE", lambda: file(replace(CONFIRMED, state="cancelled"), "change")),
    ("ASSET_WRONG_STAGE", lambda: file(CONFIRMED, "first")),
    ("ASSET_EXPIRED", lambda: file(OVER, "renew")),
    ("ASSET_FROZEN", lambda: file(FROZEN, "cancel")),
    ("ASSET_EXPIRED", lambda: file(staged("returned", "renew", valid_to=AT), "renew")),
    ("ASSET_FROZEN", lambda: file(staged("returned", "change", frozen=True), "change")),
    ("ASSET_TOO_MANY", lambda: file(replace(CONFIRMED, applications=255), "change")),
    ("ASSET_OFFER_OPEN", lambda: file(OFFERED, "change")),
    ("ASSET_ZERO", lambda: file(CONFIRMED, "change", content="")),
    ("ASSET_GRADE", lambda: file(CONFIRMED, "change", "core")),
    ("ASSET_GRADE", lambda: file(IMPORTANT, "change", "general")),
    ("ASSET_DUPLICATE_FINGERPRINT", lambda: file(CONFIRMED, "change", earlier=CONFIRMED)),
    ("ASSET_SELF_REVIEW", lambda: applications.advance(staged("submitted"), OWNER_WITH_OFFICE, "accepted", AT)),
    ("ASSET_WRONG_STAGE", lambda: advance(staged("submitted"), "reviewed")),
    ("ASSET_WRONG_STAGE", lambda: advance(staged("returned"), "submitted")),
    ("ASSET_WRONG_STAGE", lambda: advance(NEW, "accepted")),
    ("ASSET_NOTICE_SHORT", lambda: advance(staged("reviewed"), "noticed", AT + 9)),
    ("ASSET_NOTICE_SHORT", lambda: advance(staged("submitted"), "accepted", AT)),
    ("ASSET_ZERO", lambda: advance(staged("submitted"), "returned", grounds=NONE)),
    ("ASSET_ZERO", lambda: applications.reject(staged("accepted"), REGISTRAR, "")),
    ("ASSET_WRONG_STAGE", lambda: applications.reject(staged("noticed"), REGISTRAR, SAID)),
    ("ASSET_WRONG_STAGE", lambda: confirm(staged("reviewed"))),
    ("ASSET_WRONG_STAGE", lambda: confirm(staged("accepted", "renew"))),
    ("ASSET_NOTICE_RUNS", lambda: confirm(staged("noticed", until=AT))),
    ("ASSET_OBJECTED", lambda: confirm(staged("noticed", objections=(FILED,)))),
    ("ASSET_FROZEN", lambda: confirm(staged("noticed", frozen=True))),
    ("ASSET_NOT_CLEARED", lambda: confirm(staged("noticed", grade="important"))),
    ("ASSET_PLEDGED", lambda: confirm(replace(PLEDGED, kind="cancel", stage="reviewed"))),
    ("ASSET_TIME_PAST", lambda: confirm(staged("noticed"), END)),
    ("ASSET_TIME_PAST", lambda: confirm(staged("noticed", "first"), AT)),
    ("ASSET_TIME_PAST", lambda: confirm(staged("noticed", "renew"), END)),
    ("ASSET_WRONG_STATE", lambda: applications.clear(NEW, AUTHORITY, SAID, AT)),
    ("ASSET_ZERO", lambda: applications.clear(IMPORTANT, AUTHORITY, NONE, AT)),
    ("ASSET_GRADE", lambda: applications.clear(CONFIRMED, AUTHORITY, SAID, AT)),
    ("ASSET_GRADE", lambda: applications.clear(replace(IMPORTANT, cleared=True), AUTHORITY, SAID, AT)),
    ("ASSET_SELF_REVIEW", lambda: applications.object_to(CONFIRMED, OWNER, SAID, AT)),
    ("ASSET_NOTICE_OVER", lambda: applications.object_to(staged("noticed", "first", until=999), BANK, SAID, AT)),
    ("ASSET_WRONG_STATE", lambda: applications.object_to(NEW, BANK, SAID, AT)),
    (
        "ASSET_TOO_MANY",
        lambda: applications.object_to(replace(CONFIRMED, objections=(FILED,) * 255), BANK, SAID, AT),
    ),
    ("ASSET_WRONG_OBJECTION", lambda: decide(OBJECTED, "admitted", no=2)),
    ("ASSET_WRONG_OBJECTION", lambda: decide(OBJECTED, "verified")),
    ("ASSET_SELF_REVIEW", lambda: decide(OBJECTED, "admitted", Party(3, frozenset({Role.REGISTRAR})))),
    ("ASSET_ZERO", lambda: decide(OBJECTED, "admitted", grounds=NONE)),
    ("ASSET_OBJECTED", lambda: transfers.offer_transfer(OBJECTED, OWNER, BUYER, END, AT)),
    ("ASSET_APPLICATION_OPEN", lambda: transfers.offer_transfer(staged("accepted"), OWNER, BUYER, END, AT)),
    ("ASSET_PLEDGED", lambda: transfers.offer_transfer(PLEDGED, OWNER, BUYER, END, AT)),
    ("ASSET_BAD_RECIPIENT", lambda: transfers.offer_transfer(CONFIRMED, OWNER, OWNER, END, AT)),
    ("ASSET_BAD_RECIPIENT", lambda: transfers.offer_transfer(CONFIRMED, OWNER, ABSENT, END, AT)),
    ("ASSET_TIME_PAST", lambda: transfers.offer_transfer(CONFIRMED, OWNER, BUYER, AT - 1, AT)),
    ("ASSET_OFFER_OPEN", lambda: transfers.offer_transfer(OFFERED, OWNER, BANK, END, AT)),
    ("ASSET_NO_OFFER", lambda: transfers.accept_transfer(CONFIRMED, BUYER, AT)),
    ("ASSET_NOT_OFFEREE", lambda: transfers.accept_transfer(OFFERED, BANK, AT)),
    ("ASSET_OFFER_LAPSED", lambda: transfers.accept_transfer(LAPSED, BUYER, AT)),
    ("ASSET_NOT_DECIDED", lambda: reassign(CONFIRMED, decided=False)),
    ("PARTY_LACKS_ROLE", lambda: reassign(CONFIRMED, by=REGISTRAR)),
    ("ASSET_HOLDER_SPEAKS", lambda: reassign(CONFIRMED, silent=False)),
    ("ASSET_WRONG_STATE", lambda: reassign(NEW)),
    ("ASSET_WRONG_STATE", lambda: reassign(replace(CONFIRMED, state="annulled"))),
    ("ASSET_BAD_RECIPIENT", lambda: reassign(CONFIRMED, OWNER)),
    ("ASSET_BAD_RECIPIENT", lambda: reassign(CONFIRMED, ABSENT)),
    ("ASSET_ZERO", lambda: reassign(CONFIRMED, grounds=NONE)),
    ("ASSET_NO_OFFER", lambda: transfers.withdraw_offer(CONFIRMED, OWNER, AT)),
    ("ASSET_FROZEN", lambda: transfers.freeze(FROZEN, AUTHORITY, AT)),
    ("ASSET_SELF_REVIEW", lambda: transfers.freeze(CONFIRMED, OWNER_WITH_OFFICE, AT)),
    ("ASSET_SELF_REVIEW", lambda: transfers.unfreeze(FROZEN, OWNER_WITH_OFFICE, AT)),
    ("ASSET_NOT_FROZEN", lambda: transfers.unfreeze(CONFIRMED, AUTHORITY, AT)),
    ("ASSET_WRONG_STATE", lambda: transfers.unfreeze(replace(FROZEN, state="annulled"), AUTHORITY, AT)),
    ("ASSET_WRONG_STATE", lambda: transfers.annul(APPLIED, REGISTRAR, SAID, AT)),
    ("ASSET_WRONG_STAGE", lambda: transfers.link(staged("accepted", "first"), OWNER, CONFIRMED, AT)),
    ("ASSET_WRONG_STATE", lambda: transfers.link(APPLIED, OWNER, APPLIED, AT)),
    ("ASSET_TOO_MANY", lambda: transfers.link(APPLIED, OWNER, replace(CONFIRMED, ancestors=128), AT)),
    ("ASSET_EXPIRED", lambda: transfers.replace_by(CONFIRMED, OWNER, OVER, AT)),
    ("ASSET_NOT_HOLDER", lambda: transfers.replace_by(CONFIRMED, OWNER, replace(CONFIRMED, holder=2), AT)),
    ("ASSET_WRONG_STATE", lambda: transfers.replace_by(CONFIRMED, OWNER, CONFIRMED, AT)),
    ("ASSET_NOT_ACCREDITED", lambda: transfers.assess(CONFIRMED, ASSESSOR, "valuation", SAID, END, AT)),
    ("ASSET_NOT_ACCREDITED", lambda: transfers.assess(CONFIRMED, ASSESSOR, "quality", SAID, END, AT + 1)),
    ("ASSET_TIME_PAST", lambda: transfers.assess(CONFIRMED, ASSESSOR, "quality", SAID, AT, AT)),
    ("ASSET_RIGHT_PERIOD", lambda: grant(CONFIRMED, replace(RIGHT, start=AT - 1))),
    ("ASSET_RIGHT_PERIOD", lambda: grant(CONFIRMED, replace(RIGHT, end=AT))),
    ("ASSET_RIGHT_PERIOD", lambda: grant(CONFIRMED, replace(RIGHT, end=END + 1))),
    ("ASSET_RIGHT_PERIOD", lambda: grant(GRANTED, replace(LICENCE, end=AT + 101), BUYER)),
    ("ASSET_NOT_HOLDER", lambda: grant(CONFIRMED, RIGHT, BUYER)),
    ("ASSET_OFFER_OPEN", lambda: grant(OFFERED, RIGHT)),
    ("ASSET_RIGHT_OVERLAPS", lambda: grant(GRANTED, replace(RIGHT, start=AT + 99, end=END))),
    ("ASSET_RIGHT_FORBIDS", lambda: grant(GRANTED, LICENCE, OWNER)),
    ("ASSET_RIGHT_FORBIDS", lambda: grant(GRANTED, replace(LICENCE, exclusive=True), BUYER)),
    ("ASSET_RIGHT_FORBIDS", lambda: grant(GRANTED, replace(LICENCE, kind="hold"), BUYER)),
    ("ASSET_RIGHT_FORBIDS", lambda: grant(LICENSED, replace(LICENCE, parent=2), BANK, BUYER)),
    ("ASSET_TOO_MANY", lambda: grant(FULL, RIGHT)),
    ("ASSET_RIGHT_FORBIDS", lambda: claims.transfer_right(GRANTED, BUYER, 2, BANK, AT)),
    ("ASSET_RIGHT_FORBIDS", lambda: claims.transfer_right(LICENSED, BANK, 2, BUYER, AT)),
    ("ASSET_RIGHT_FORBIDS", lambda: claims.end_right(GRANTED, BUYER, 1, SAID, AT + 100)),
    (
        "ASSET_RIGHT_FORBIDS",
        lambda: claims.end_right(replace(LICENSED, rights=(replace(WIDE, end=AT), LICENCE)), BANK, 2, SAID, AT),
    ),
    ("ASSET_ZERO", lambda: claims.end_right(GRANTED, REGISTRAR, 1, NONE, AT)),
    ("ASSET_SELF_REVIEW", lambda: claims.end_right(GRANTED, OWNER_WITH_OFFICE, 1, SAID, AT)),
    ("ASSET_PLEDGED", lambda: claims.pledge(PLEDGED, OWNER, BANK, True, SAID, AT)),
    (
        "ASSET_PLEDGED",
        lambda: claims.pledge(replace(CONFIRMED, liens={0: Lien(3, 1, True, 1)}), OWNER, BANK, False, SAID, AT),
    ),
    (
        "ASSET_TOO_MANY",
        lambda: claims.pledge(
            replace(CONFIRMED, liens={n: Lien(3, n + 1, False, 1) for n in range(8)}), OWNER, BANK, False, SAID, AT
        ),
    ),
    (
        "ASSET_TOO_MANY",
        lambda: claims.pledge(replace(CONFIRMED, liens={0: Lien(3, 255, False, 1)}), OWNER, BANK, False, SAID, AT),
    ),
    ("ASSET_WRONG_LIEN", lambda: claims.release(PLEDGED, OWNER, 0)),
    ("ASSET_WRONG_LIEN", lambda: claims.consent_to_transfer(PLEDGED, BANK, 1, 2)),
]


@pytest.mark.parametrize(("code", "tried"), REFUSED)
def test_why_a_move_is_refused(code: str, tried: Callable[[], AssetLife]) -> None:
    with pytest.raises(PingzhengError) as caught:
        tried()
    error = caught.value
    assert error.code == code
    assert (type(error), error.message, error.hint) == REFUSALS[code]


def test_every_refusal_is_told_of() -> None:
    assert {code for code, _ in REFUSED} == REFUSALS.keys()
