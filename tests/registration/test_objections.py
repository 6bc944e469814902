"""Objections on a real chain. An objection during the public notice delays the confirmation; a later objection blocks a
transfer.
"""

from __future__ import annotations

import pytest

from ledger.domain.parties import PartyKind, Role
from ledger.domain.working_days import end_of_working_days
from ledger.errors import Conflict, Forbidden, InvalidInput
from tests.support.actors.pilots import Pilot
from tests.support.machine.file_contents import contents

GROUNDS = "数据取自我方系统，未经授权 Taken from our systems without our consent"
EVIDENCE = "sha-256:" + "e7" * 32


def under_notice(pilot: Pilot, code: str) -> str:
    (asset,) = pilot.applied(code)
    pilot.noticed([asset])
    return asset


def objected(pilot: Pilot, asset: str) -> None:
    pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.bank), asset, GROUNDS, EVIDENCE)


def state(pilot: Pilot, asset: str, number: int = 1) -> str:
    return str(pilot.ledger.registration.objections.of(asset, pilot.ledger.clock())[number - 1]["state"])


# --- objections to an application that is on public notice


def test_an_application_cannot_be_confirmed_until_the_objection_is_dismissed(pilot: Pilot) -> None:
    asset = under_notice(pilot, "objections/dismissed")
    objected(pilot, asset)
    assert pilot.ledger.registration.objections.of(asset, pilot.ledger.clock())[0]["against"] == "application"
    pilot.after_notice([asset])
    for decision in ("admitted", "verified", "dismissed"):
        with pytest.raises(Conflict, match="ASSET_OBJECTED"):
            pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
        pilot.decide(asset, decision)
        assert state(pilot, asset) == decision
    pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    assert pilot.report(asset).valid


def test_an_upheld_objection_rejects_the_application(pilot: Pilot) -> None:
    asset = under_notice(pilot, "objections/upheld")
    objected(pilot, asset)
    pilot.decide(asset, "admitted", "verified", "upheld")
    assert (pilot.record(asset).state, pilot.record(asset).stage) == ("rejected", None)
    assert [event["name"] for event in pilot.history(asset)][-2:] == ["ObjectionDecided", "Rejected"]
    (again,) = pilot.applied("objections/upheld")
    assert again != asset


def test_an_application_cannot_be_confirmed_before_every_objection_is_decided(pilot: Pilot) -> None:
    asset = under_notice(pilot, "objections/two")
    objected(pilot, asset)
    pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.firms[pilot.firm()]), asset, "Some of it is ours")
    pilot.after_notice([asset])
    pilot.decide(asset, "refused")
    with pytest.raises(Conflict, match="ASSET_OBJECTED"):
        pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    pilot.decide(asset, "admitted", "verified", "dismissed", number=2)
    pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    assert pilot.record(asset).state == "confirmed"


def test_an_objection_ends_at_once_when_the_registrar_refuses_it(pilot: Pilot) -> None:
    asset = under_notice(pilot, "objections/refused")
    objected(pilot, asset)
    pilot.decide(asset, "refused")
    assert (state(pilot, asset), pilot.record(asset).objections) == ("refused", 0)
    with pytest.raises(Conflict, match="ASSET_WRONG_OBJECTION"):
        pilot.decide(asset, "admitted")


def test_an_objection_after_the_public_notice_is_refused(pilot: Pilot) -> None:
    asset = under_notice(pilot, "objections/late")
    pilot.after_notice([asset])
    with pytest.raises(Conflict, match="ASSET_NOTICE_OVER"):
        objected(pilot, asset)
    assert pilot.act_documents_of(asset) == []


# --- objections to a registration


def test_an_asset_cannot_be_transferred_until_an_objection_is_dismissed(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)
    objected(pilot, asset)
    assert pilot.ledger.registration.objections.of(asset, pilot.ledger.clock())[0]["against"] == "registration"
    with pytest.raises(Conflict, match="ASSET_OBJECTED"):
        pilot.ledger.registration.transfers.accept(pilot.actor(cast.other_bank), asset)
    pilot.decide(asset, "admitted", "verified", "dismissed")
    pilot.ledger.registration.transfers.accept(pilot.actor(cast.other_bank), asset)
    assert pilot.record(asset).holder == cast.other_bank


def test_verification_reports_an_undecided_objection(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    objected(pilot, asset)
    report = pilot.report(asset)
    assert report.valid
    assert report.checks[7].details["objections"] == 1


def test_an_upheld_objection_freezes_the_registration(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    objected(pilot, asset)
    pilot.decide(asset, "admitted", "verified", "upheld")
    assert (pilot.record(asset).state, pilot.record(asset).frozen) == ("confirmed", True)
    with pytest.raises(Conflict, match="ASSET_FROZEN"):
        pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.bank)
    assert pilot.report(asset).result == "refused"
    pilot.ledger.registration.transfers.unfreeze(pilot.actor(cast.supervisor), asset, "lifted")
    assert pilot.report(asset).valid


# --- who may act, and when


def test_the_due_date_of_an_objection_counts_working_days(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    objected(pilot, asset)
    (objection,) = pilot.ledger.registration.objections.of(asset, pilot.ledger.clock())
    assert objection["due"] == end_of_working_days(objection["filed_at"], pilot.ledger.rules.objection_days)
    assert not objection["overdue"]
    assert pilot.ledger.registration.objections.of(asset, objection["due"])[0]["overdue"]
    pilot.decide(asset, "refused")
    assert not pilot.ledger.registration.objections.of(asset, objection["due"])[0]["overdue"]


def test_a_party_cannot_object_to_its_own_asset_or_decide_its_own_objection(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
        pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.provider), asset, GROUNDS)
    both = pilot.party(PartyKind.PUBLIC_INST, Role.REGISTRAR, Role.PROVIDER)
    pilot.ledger.registration.objections.file(pilot.actor(both), asset, GROUNDS)
    with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
        pilot.ledger.registration.objections.decide(pilot.actor(both), asset, 1, "admitted", "Admitted by myself")
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        pilot.ledger.registration.objections.decide(
            pilot.actor(pilot.cast.bank), asset, 1, "admitted", "Admitted by a bank"
        )
    pilot.decide(asset, "admitted")


def test_the_states_of_an_objection_can_only_follow_in_order(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    objected(pilot, asset)
    for wrong in ("verified", "upheld", "dismissed"):
        with pytest.raises(Conflict, match="ASSET_WRONG_OBJECTION"):
            pilot.decide(asset, wrong)
    pilot.decide(asset, "admitted")
    with pytest.raises(Conflict, match="ASSET_WRONG_OBJECTION"):
        pilot.decide(asset, "refused")
    with pytest.raises(Conflict, match="ASSET_WRONG_OBJECTION"):
        pilot.decide(asset, "admitted", number=2)


# --- what the store and the chain contain


def test_the_grounds_of_an_objection_are_encrypted_and_only_their_digest_is_on_the_chain(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    objected(pilot, asset)
    pilot.decide(asset, "admitted", reason="理由充分 The grounds are sufficient")
    filed, decided = pilot.history(asset)[-2:]
    opened = pilot.ledger.registration.act_documents.read(filed["args"]["grounds"])
    assert (opened["by"], opened["kind"]) == (pilot.cast.bank, "objection")
    assert GROUNDS in opened["text"] and EVIDENCE in opened["text"]
    assert "理由充分" in pilot.ledger.registration.act_documents.read(decided["args"]["grounds"])["text"]
    sent = (pilot.ledger.settings.home / "chain" / "journal.jsonl").read_bytes()
    assert filed["args"]["grounds"].encode() in sent
    for text in (GROUNDS, "理由充分", EVIDENCE):
        assert text not in str(pilot.history(asset))
        assert text.encode().hex().encode() not in sent
    assert [path for path, raw in contents(pilot.ledger.settings.home).items() if GROUNDS.encode() in raw] == []


def test_the_document_of_a_refused_act_is_deleted(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    objected(pilot, asset)
    before = pilot.act_documents_of(asset)
    for act, refusal in (
        (lambda: pilot.decide(asset, "upheld"), Conflict),
        (
            lambda: pilot.ledger.registration.objections.decide(
                pilot.actor(pilot.cast.bank), asset, 1, "admitted", "Mine"
            ),
            Forbidden,
        ),
        (
            lambda: pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.provider), asset, GROUNDS),
            Forbidden,
        ),
        (lambda: pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.bank), asset, ""), InvalidInput),
    ):
        with pytest.raises(refusal):
            act()
        assert pilot.act_documents_of(asset) == before
    assert len(before) == 1


def test_the_document_of_an_accepted_act_stays_when_a_second_act_is_refused(pilot: Pilot) -> None:
    """If two equal acts run at the same time, the refused act must not delete the document of the accepted act."""
    asset = under_notice(pilot, "objections/same-act")
    document = {"objection": 1, "state": "admitted", "reason": "Looked into"}
    objected(pilot, asset)
    with (
        pytest.raises(Conflict, match="ASSET_WRONG_OBJECTION"),
        pilot.ledger.registration.act_documents.kept(asset, "decision", pilot.cast.registrar, document) as digest,
    ):
        pilot.decide(asset, "admitted")
        pilot.decide(asset, "admitted")
    assert pilot.history(asset)[-1]["args"]["grounds"] == digest
    assert "Looked into" in pilot.ledger.registration.act_documents.read(digest)["text"]
