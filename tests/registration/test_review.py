"""Review of applications on a real chain: from submission to confirmation, and every return and rejection."""

from __future__ import annotations

import pytest

from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import ResourceField
from ledger.domain.working_days import end_of_working_days
from ledger.errors import Conflict, Forbidden
from tests.support.actors.pilots import Pilot, resource
from tests.support.chain.reads import asset_by_fingerprint

REASON = "字段说明与样本不符 The fields do not match the sample"


def kept(pilot: Pilot, digest: str) -> str:
    return str(pilot.ledger.registration.act_documents.read(digest)["text"])


def journal(pilot: Pilot) -> bytes:
    """Return all transactions that were ever sent to the chain."""
    return (pilot.ledger.settings.home / "chain" / "journal.jsonl").read_bytes()


def numbers(pilot: Pilot, asset: str) -> list[str]:
    return [row.certificate_no for row in pilot.certificates(asset)]


def test_a_first_registration_passes_every_stage_on_the_chain(pilot: Pilot) -> None:
    review, registrar = pilot.ledger.registration.review, pilot.actor(pilot.cast.registrar)
    (asset,) = pilot.applied("review/way")
    seen = [pilot.stands(asset)]
    for step in (review.accept, review.review, review.notice):
        step(registrar, [asset])
        seen.append(pilot.stands(asset))
    assert seen == [("applied", "first", stage) for stage in ("submitted", "accepted", "reviewed", "noticed")]
    pilot.after_notice([asset])
    review.confirm(registrar, [asset])
    assert pilot.stands(asset) == ("confirmed", None, None)
    today = shanghai_day(pilot.ledger.clock())
    assert pilot.record(asset).valid_to == end_of_validity(today.replace(year=today.year + 3))
    report = pilot.report(asset)
    assert report.valid
    (applied,) = pilot.ledger.registration.registrations.get(asset)["applications"]
    assert report.claims["notice"] == {"from": applied["notice_from"], "to": applied["notice_to"]}


def test_a_registrar_cannot_skip_a_review_stage(pilot: Pilot) -> None:
    review, registrar = pilot.ledger.registration.review, pilot.actor(pilot.cast.registrar)
    (asset,) = pilot.applied("review/leap")
    for step in (review.review, review.notice, review.confirm):
        with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
            step(registrar, [asset])
    assert pilot.stands(asset) == ("applied", "first", "submitted")


def test_a_returned_application_can_be_filed_again_with_a_new_description(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/returned")
    pilot.ledger.registration.review.accept(pilot.actor(pilot.cast.registrar), [asset])
    pilot.ledger.registration.review.give_back(pilot.actor(pilot.cast.registrar), asset, REASON)
    assert pilot.stands(asset) == ("applied", "first", "returned")
    better = resource("review/returned", content="what it holds now", title="Better described")
    with pytest.raises(Conflict, match="ASSET_APPLICATION_OPEN"):
        pilot.ledger.registration.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", better)
    pilot.ledger.registration.applications.apply(pilot.actor(pilot.cast.provider), asset, "first", better)
    assert pilot.stands(asset) == ("applied", "first", "submitted")
    pilot.take_through([asset])
    shown = pilot.ledger.registration.registrations.get(asset)
    assert shown["resource"]["title"] == "Better described"
    assert [(each["number"], each["kind"]) for each in shown["applications"]] == [(1, "first"), (2, "first")]
    assert len({each["content"] for each in shown["applications"]}) == 2
    assert pilot.report(asset).valid


def test_the_reasons_of_a_rejection_are_encrypted_and_only_their_digest_is_on_the_chain(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/reasons")
    pilot.ledger.registration.review.give_back(pilot.actor(pilot.cast.registrar), asset, REASON)
    grounds = pilot.history(asset)[-1]["args"]["grounds"]
    assert REASON in kept(pilot, grounds)
    sent = journal(pilot)
    assert grounds.encode() in sent
    assert REASON.encode().hex().encode() not in sent


def test_content_and_code_can_be_registered_again_after_a_rejection(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/rejected")
    pilot.ledger.registration.review.accept(pilot.actor(pilot.cast.registrar), [asset])
    pilot.ledger.registration.review.reject(pilot.actor(pilot.cast.registrar), asset, REASON)
    assert pilot.stands(asset) == ("rejected", None, None)
    assert REASON in kept(pilot, pilot.history(asset)[-1]["args"]["grounds"])
    with pytest.raises(Conflict, match="ASSET_WRONG_ST"):
        pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    (again,) = pilot.applied("review/rejected")
    assert again != asset
    assert asset_by_fingerprint(pilot.ledger.reader, resource("review/rejected").fingerprint) == again
    pilot.take_through([again])
    assert pilot.report(again).valid
    assert pilot.stands(asset) == ("rejected", None, None)


def test_a_registrar_cannot_review_its_own_application(pilot: Pilot) -> None:
    both = pilot.party(PartyKind.PUBLIC_INST, Role.REGISTRAR, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("review/own"), by=both)
    review = pilot.ledger.registration.review
    for step in (review.accept, review.review, review.notice, review.confirm):
        with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
            step(pilot.actor(both), [asset])
    for decide in (review.give_back, review.reject):
        with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
            decide(pilot.actor(both), asset, REASON)
    review.accept(pilot.actor(pilot.cast.registrar), [asset])
    (other,) = pilot.applied("review/of-another")
    review.accept(pilot.actor(both), [other])
    assert pilot.stands(other) == ("applied", "first", "accepted")


def test_the_reasons_of_a_refused_review_step_are_not_stored(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/refused")
    before = pilot.act_documents_of(asset)
    with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
        pilot.ledger.registration.review.reject(pilot.actor(pilot.cast.registrar), asset, REASON)
    assert pilot.act_documents_of(asset) == before == []


def test_a_repeated_bulk_confirmation_issues_no_second_certificate(pilot: Pilot) -> None:
    assets = pilot.applied(*(f"review/bulk-{number}" for number in range(5)))
    pilot.noticed(assets)
    pilot.after_notice(assets)
    review, registrar = pilot.ledger.registration.review, pilot.actor(pilot.cast.registrar)
    review.confirm(registrar, assets[:2])
    assert review.confirm(registrar, assets) > 0
    first = {asset: numbers(pilot, asset) for asset in assets}
    assert [len(each) for each in first.values()] == [1] * 5
    assert review.confirm(registrar, assets) == 0
    assert {asset: numbers(pilot, asset) for asset in assets} == first


def test_a_bulk_step_skips_applications_at_later_stages(pilot: Pilot) -> None:
    assets = pilot.applied("review/step-0", "review/step-1")
    review, registrar = pilot.ledger.registration.review, pilot.actor(pilot.cast.registrar)
    for step in (review.accept, review.review, review.notice):
        step(registrar, assets[:1])
        step(registrar, assets)
        assert step(registrar, assets) == 0
    assert {pilot.stands(asset)[2] for asset in assets} == {"noticed"}


def test_a_near_duplicate_is_shown_to_the_reviewer(pilot: Pilot) -> None:
    alike = (ResourceField("meter", "text"), ResourceField("volt", "decimal"))
    first, second = pilot.handed_in(
        resource("review/near-1", fields=alike), resource("review/near-2", fields=alike[::-1])
    )
    (stranger,) = pilot.handed_in(resource("review/near-3", fields=alike), by=pilot.cast.bank)
    queued = {item["asset"]: item for item in whole_queue(pilot)}
    assert queued[first]["near_duplicates"] == [second]
    assert queued[second]["near_duplicates"] == [first]
    assert queued[stranger]["near_duplicates"] == []


def test_the_queue_shows_when_a_review_is_due_and_whether_it_is_overdue(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/due")
    item = next(item for item in whole_queue(pilot) if item["asset"] == asset)
    assert item["due"] == end_of_working_days(int(str(item["since"])), pilot.ledger.rules.review_days)
    assert not item["overdue"]
    pilot.skip(item["due"] - pilot.ledger.clock())
    item = next(item for item in whole_queue(pilot) if item["asset"] == asset)
    assert item["overdue"]


def whole_queue(pilot: Pilot) -> list[dict[str, object]]:
    """Read the queue page by page."""
    items: list[dict[str, object]] = []
    while page := pilot.ledger.registration.review.queue(20, str(items[-1]["asset"]) if items else None):
        items += page
    return items
