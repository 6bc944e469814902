"""Tests the reasons for which the reference implementation of the asset register's rules refuses acts.

``tests/chain/parity/test_assets_side_by_side.py`` compares the same rules with the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from tests.chain.parity.assets_in_states import (
    ABSENT,
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
    LICENCE,
    LICENSED,
    NEW,
    NONE,
    OBJECTED,
    OFFERED,
    OVER,
    OWNER,
    OWNER_WITH_OFFICE,
    PLEDGED,
    REGISTRAR,
    RIGHT,
    SAID,
    STRANGER,
    WIDE,
    advance,
    confirm,
    decide,
    file,
    grant,
    reassign,
    register,
    staged,
)
from tests.reference.assets import applications, claims, transfers
from tests.reference.assets.life import AssetLife, Lien, Party
from tests.reference.assets.refusals import REFUSALS

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
def test_an_act_is_refused_with_the_expected_error(code: str, tried: Callable[[], AssetLife]) -> None:
    with pytest.raises(PingzhengError) as caught:
        tried()
    error = caught.value
    assert error.code == code
    assert (type(error), error.message, error.hint) == REFUSALS[code]


def test_every_refusal_of_the_contract_has_a_test_case() -> None:
    assert {code for code, _ in REFUSED} == REFUSALS.keys()
