"""Tests the state of an asset after each act, in the reference implementation of the asset register's rules.

``tests/chain/parity/test_assets_side_by_side.py`` compares the same rules with the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chain.parity.assets_in_states import (
    APPLIED,
    ASSESSOR,
    AT,
    AUTHORITY,
    BANK,
    BUYER,
    CONFIRMED,
    END,
    FILED,
    FROZEN,
    GRANTED,
    IMPORTANT,
    LAPSED,
    LET_GO,
    LICENCE,
    LICENSED,
    NONE,
    OFFERED,
    OVER,
    OWNER,
    PLEDGED,
    REGISTRAR,
    RIGHT,
    SAID,
    WIDE,
    advance,
    closed,
    confirm,
    decide,
    file,
    grant,
    objected,
    reassign,
    register,
    staged,
)
from tests.reference.assets import applications, claims, transfers
from tests.reference.assets.life import AssetLife, Lien, Objection

# An asset with two applications, both of which are decided.
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
def test_an_act_changes_the_asset_as_expected(made: Callable[[], AssetLife], expected: AssetLife) -> None:
    assert made() == expected
