"""Review of applications on a real chain: from submission to confirmation, and every way back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.chain.sending import asset_calls
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import ResourceField
from ledger.domain.working_days import end_of_working_days
from ledger.errors import Conflict, Forbidden
from tests.support.actors.pilots import Pilot, resource

REASON = "字段说明与样本不符 The fields do not match the sample"


def stand(pilot: Pilot, asset: str) -> tuple[str, str | None, str | None]:
    found = pilot.record(asset)
    return found.state, found.kind, found.stage


def numbers(pilot: Pilot, asset: str) -> list[str]:
    """Every registration certificate of an asset, oldest first."""
    return [row.certificate_no for row in certificates(pilot, asset)]


def certificates(pilot: Pilot, asset: str) -> list[Certificate]:
    with pilot.ledger.database.read() as session:
        query = select(Certificate).where(Certificate.asset_id == asset)
        return list(session.scalars(query.order_by(Certificate.certificate_no)))


def kept(pilot: Pilot, digest: str) -> str:
    return str(pilot.ledger.act_documents.read(digest)["text"])


def journal(pilot: Pilot) -> bytes:
    """Everything that was ever sent to the chain."""
    return (pilot.ledger.settings.home / "chain" / "journal.jsonl").read_bytes()


# --- the whole way


def test_first_registration_goes_from_submitted_to_confirmed_and_the_chain_shows_each_stage(pilot: Pilot) -> None:
    review, registrar = pilot.ledger.review, pilot.cast.registrar
    (asset,) = pilot.applied("review/way")
    seen = [stand(pilot, asset)]
    for step in (review.accept, review.review, review.notice):
        step(registrar, [asset])
        seen.append(stand(pilot, asset))
    assert seen == [("applied", "first", stage) for stage in ("submitted", "accepted", "reviewed", "noticed")]
    pilot.after_notice([asset])
    review.confirm(registrar, [asset])
    assert stand(pilot, asset) == ("confirmed", None, None)
    today = shanghai_day(pilot.ledger.clock())
    assert pilot.record(asset).valid_to == end_of_validity(today.replace(year=today.year + 3))
    report = pilot.report(asset)
    assert report.valid
    (applied,) = pilot.ledger.registrations.get(asset)["applications"]
    assert report.claims["notice"] == {"from": applied["notice_from"], "to": applied["notice_to"]}


def test_no_stage_is_left_out(pilot: Pilot) -> None:
    review, registrar = pilot.ledger.review, pilot.cast.registrar
    (asset,) = pilot.applied("review/leap")
    for step in (review.review, review.notice, review.confirm):
        with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
            step(registrar, [asset])
    assert stand(pilot, asset) == ("applied", "first", "submitted")


def test_returned_application_is_handed_in_again_with_a_new_description(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/returned")
    pilot.ledger.review.accept(pilot.cast.registrar, [asset])
    pilot.ledger.review.give_back(pilot.cast.registrar, asset, REASON)
    assert stand(pilot, asset) == ("applied", "first", "returned")
    better = resource("review/returned", content="what it holds now", title="Better described")
    with pytest.raises(Conflict, match="ASSET_APPLICATION_OPEN"):
        pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", better)
    pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, "first", better)
    assert stand(pilot, asset) == ("applied", "first", "submitted")
    pilot.take_through([asset])
    told = pilot.ledger.registrations.get(asset)
    assert told["resource"]["title"] == "Better described"
    assert [(each["number"], each["kind"]) for each in told["applications"]] == [(1, "first"), (2, "first")]
    assert len({each["content"] for each in told["applications"]}) == 2
    assert pilot.report(asset).valid


def test_reasons_are_kept_sealed_and_the_chain_has_their_digest_alone(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/reasons")
    pilot.ledger.review.give_back(pilot.cast.registrar, asset, REASON)
    grounds = pilot.history(asset)[-1]["args"]["grounds"]
    assert REASON in kept(pilot, grounds)
    sent = journal(pilot)
    assert grounds.encode() in sent
    assert REASON.encode().hex().encode() not in sent


def test_rejection_ends_it_and_frees_content_and_code_for_a_new_registration(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/rejected")
    pilot.ledger.review.accept(pilot.cast.registrar, [asset])
    pilot.ledger.review.reject(pilot.cast.registrar, asset, REASON)
    assert stand(pilot, asset) == ("rejected", None, None)
    assert REASON in kept(pilot, pilot.history(asset)[-1]["args"]["grounds"])
    with pytest.raises(Conflict, match="ASSET_WRONG_ST"):
        pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    (again,) = pilot.applied("review/rejected")
    assert again != asset
    assert pilot.ledger.reader.asset_by_fingerprint(resource("review/rejected").fingerprint) == again
    pilot.take_through([again])
    assert pilot.report(again).valid
    assert stand(pilot, asset) == ("rejected", None, None)


def test_nobody_reviews_an_application_of_its_own(pilot: Pilot) -> None:
    both = pilot.party(PartyKind.PUBLIC_INST, Role.REGISTRAR, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("review/own"), by=both)
    review = pilot.ledger.review
    for step in (review.accept, review.review, review.notice, review.confirm):
        with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
            step(both, [asset])
    for decide in (review.give_back, review.reject):
        with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
            decide(both, asset, REASON)
    review.accept(pilot.cast.registrar, [asset])
    (other,) = pilot.applied("review/of-another")
    review.accept(both, [other])
    assert stand(pilot, other) == ("applied", "first", "accepted")


def test_refused_step_leaves_no_reasons_behind(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/refused")
    before = pilot.act_documents_of(asset)
    with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
        pilot.ledger.review.reject(pilot.cast.registrar, asset, REASON)
    assert pilot.act_documents_of(asset) == before == []


# --- the notice


def test_contract_refuses_confirmation_in_the_last_second_of_the_notice(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/last-second")
    began = pilot.ledger.clock()
    pilot.noticed([asset])
    last = pilot.record(asset).until
    assert last + 1 == end_of_working_days(began, pilot.ledger.rules.notice_days)
    if time.time() % 1 > 0.4:
        time.sleep(1 - time.time() % 1)
    pilot.skip(last - pilot.ledger.clock())
    with pytest.raises(Conflict, match="ASSET_NOTICE_RUNS"):
        pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    pilot.after_notice([asset])
    pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    assert pilot.history(asset)[-1]["at"] > last


def test_repeated_notice_moves_no_date(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/repeated-notice")
    pilot.noticed([asset])
    (before,) = pilot.ledger.registrations.get(asset)["applications"]
    pilot.skip(3 * 86_400)
    pilot.ledger.review.notice(pilot.cast.registrar, [asset])
    (after,) = pilot.ledger.registrations.get(asset)["applications"]
    assert after == before
    assert after["notice_to"] == pilot.record(asset).until
    pilot.after_notice([asset])
    pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    assert pilot.report(asset).claims["notice"]["to"] == before["notice_to"]


def test_notice_is_recorded_with_the_application_that_it_is_of(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    review, cast = pilot.ledger.review, pilot.cast
    told = pilot.ledger.registrations.get(asset)["resource"]
    changed = resource(told["code"], content="applied for twice")
    pilot.ledger.applications.apply(pilot.actor(cast.provider), asset, "change", changed)
    review.accept(cast.registrar, [asset])
    review.reject(cast.registrar, asset, REASON)
    pilot.ledger.applications.apply(pilot.actor(cast.provider), asset, "cancel", reason="No longer collected")
    review.accept(cast.registrar, [asset])
    review.reject(cast.registrar, asset, REASON)
    pilot.ledger.applications.apply(pilot.actor(cast.provider), asset, "change", changed)
    pilot.noticed([asset])
    last = pilot.record(asset).until
    pilot.after_notice([asset])
    review.confirm(cast.registrar, [asset])
    claims = pilot.report(asset).claims
    assert (claims["notice"]["to"], claims["application"]) == (last, {"kind": "change", "number": 4})


# --- in bulk


def test_confirmation_in_bulk_is_resumed_without_a_second_certificate(pilot: Pilot) -> None:
    assets = pilot.applied(*(f"review/bulk-{number}" for number in range(5)))
    pilot.noticed(assets)
    pilot.after_notice(assets)
    review, registrar = pilot.ledger.review, pilot.cast.registrar
    review.confirm(registrar, assets[:2])
    assert review.confirm(registrar, assets) > 0
    first = {asset: numbers(pilot, asset) for asset in assets}
    assert [len(each) for each in first.values()] == [1] * 5
    assert review.confirm(registrar, assets) == 0
    assert {asset: numbers(pilot, asset) for asset in assets} == first


def test_every_step_in_bulk_passes_over_what_is_further_on(pilot: Pilot) -> None:
    assets = pilot.applied("review/step-0", "review/step-1")
    review, registrar = pilot.ledger.review, pilot.cast.registrar
    for step in (review.accept, review.review, review.notice):
        step(registrar, assets[:1])
        step(registrar, assets)
        assert step(registrar, assets) == 0
    assert {stand(pilot, asset)[2] for asset in assets} == {"noticed"}


# --- grades


def test_important_data_is_confirmed_only_with_a_security_review(pilot: Pilot) -> None:
    guarded = (ResourceField("month", "date"), ResourceField("load", "decimal", grade="important"))
    (asset,) = pilot.handed_in(resource("review/important", fields=guarded))
    assert (pilot.record(asset).grade, pilot.record(asset).cleared) == ("important", False)
    pilot.noticed([asset])
    pilot.after_notice([asset])
    with pytest.raises(Conflict, match="ASSET_NOT_CLEARED"):
        pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    for part in (pilot.cast.registrar, pilot.cast.provider):
        with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
            pilot.ledger.review.clear(part, asset, "sha-256:" + "5e" * 32)
    pilot.ledger.review.clear(pilot.cast.supervisor, asset, "sha-256:" + "5e" * 32)
    assert pilot.record(asset).cleared
    pilot.ledger.review.confirm(pilot.cast.registrar, [asset])
    assert pilot.report(asset).claims["grade"] == "important"


def test_core_data_is_registered_by_nobody(pilot: Pilot) -> None:
    secret = (ResourceField("grid", "text", grade="core"),)
    intake = pilot.ledger.registrations.submit(
        pilot.actor(pilot.cast.provider), [resource("review/core", fields=secret)]
    )
    assert [each.error.code for each in intake.refused] == ["GRADE_CORE"]
    entry = asset_calls.AssetRegistration("c0" * 32, "c1" * 32, "c2" * 32, "core")
    provider = pilot.ledger.parties.get(pilot.cast.provider).account
    client = pilot.ledger.client.with_account(pilot.ledger.custody.private_key(provider).hex())
    with pytest.raises(Forbidden, match="ASSET_GRADE"):
        client.send(asset_calls.register_assets([entry]))


def test_grade_rises_by_a_change_and_never_falls_again(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    code = str(pilot.ledger.registrations.get(asset)["resource"]["code"])
    guarded = (ResourceField("load", "decimal", grade="important"),)
    pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", resource(code, fields=guarded))
    assert (pilot.record(asset).grade, pilot.record(asset).cleared) == ("important", False)
    pilot.ledger.review.give_back(pilot.cast.registrar, asset, REASON)
    with pytest.raises(Forbidden, match="ASSET_GRADE"):
        pilot.ledger.applications.apply(
            pilot.actor(pilot.cast.provider), asset, "change", resource(code, title="Tamed")
        )


# --- what the reviewer sees


def test_near_duplicate_is_shown_to_the_reviewer(pilot: Pilot) -> None:
    alike = (ResourceField("meter", "text"), ResourceField("volt", "decimal"))
    first, second = pilot.handed_in(
        resource("review/near-1", fields=alike), resource("review/near-2", fields=alike[::-1])
    )
    (stranger,) = pilot.handed_in(resource("review/near-3", fields=alike), by=pilot.cast.bank)
    queued = {item["asset"]: item for item in whole_queue(pilot)}
    assert queued[first]["near_duplicates"] == [second]
    assert queued[second]["near_duplicates"] == [first]
    assert queued[stranger]["near_duplicates"] == []


def test_queue_tells_when_a_review_is_due_and_overdue(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/due")
    item = next(item for item in whole_queue(pilot) if item["asset"] == asset)
    assert item["due"] == end_of_working_days(item["since"], pilot.ledger.rules.review_days)
    assert not item["overdue"]
    pilot.skip(item["due"] - pilot.ledger.clock())
    item = next(item for item in whole_queue(pilot) if item["asset"] == asset)
    assert item["overdue"]


def whole_queue(pilot: Pilot) -> list[dict[str, object]]:
    """The queue page by page."""
    items: list[dict[str, object]] = []
    while page := pilot.ledger.review.queue(20, str(items[-1]["asset"]) if items else None):
        items += page
    return items


# --- what comes after the first registration


@pytest.mark.parametrize("kind", ["change", "correct"])
def test_change_and_correction_give_a_new_certificate_and_keep_the_old_document(pilot: Pilot, kind: str) -> None:
    asset = pilot.confirmed()
    before = pilot.ledger.registrations.get(asset)
    (first,) = numbers(pilot, asset)
    told = before["resource"]["code"]
    after = resource(told, content=f"{told} {kind}", title=f"After {kind}")
    pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, kind, after)
    assert pilot.ledger.registrations.get(asset)["resource"] == before["resource"]
    pilot.take_through([asset])
    assert numbers(pilot, asset) == [first, pilot.ledger.registrations.get(asset)["certificate_no"]]
    report = pilot.report(asset)
    assert report.valid
    assert report.claims["resource"]["title"] == f"After {kind}"
    old, new = certificates(pilot, asset)
    assert (new.supersedes, report.claims["supersedes"]) == (first, f"sha-256:{old.digest}")
    superseded = pilot.verified(first)
    assert superseded.first_failure is not None
    assert (superseded.result, superseded.first_failure.code) == ("revoked", "SUPERSEDED")
    documents = [each["content"] for each in pilot.ledger.registrations.get(asset)["applications"]]
    assert len(set(documents)) == 2
    assert pilot.ledger.bundles.build(first).certificate != pilot.ledger.bundles.build(new.certificate_no).certificate


def test_rejected_change_leaves_the_registration_as_it_was(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    before = pilot.ledger.registrations.get(asset)
    changed = resource(before["resource"]["code"], content="rejected change")
    pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", changed)
    pilot.ledger.review.accept(pilot.cast.registrar, [asset])
    pilot.ledger.review.reject(pilot.cast.registrar, asset, REASON)
    told = pilot.ledger.registrations.get(asset)
    assert (told["resource"], told["certificate_no"]) == (before["resource"], before["certificate_no"])
    assert pilot.report(asset).valid


def test_resource_of_another_code_is_no_change(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    with pytest.raises(Conflict, match="RESOURCE_CODE_DIFFERS"):
        pilot.ledger.applications.apply(
            pilot.actor(pilot.cast.provider), asset, "change", resource("review/another-code")
        )


def test_cancellation_is_final_and_frees_the_content(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    told = pilot.ledger.registrations.get(asset)["resource"]
    number = str(pilot.ledger.registrations.get(asset)["certificate_no"])
    applications, review, cast = pilot.ledger.applications, pilot.ledger.review, pilot.cast
    applications.apply(pilot.actor(cast.provider), asset, "cancel", reason="No longer collected")
    review.accept(cast.registrar, [asset])
    review.review(cast.registrar, [asset])
    review.confirm(cast.registrar, [asset])
    assert stand(pilot, asset) == ("cancelled", None, None)
    assert pilot.verified(number).result == "refused"
    same = resource(told["code"])
    for act in (
        lambda: applications.apply(pilot.actor(cast.provider), asset, "change", replace(same, title="Back")),
        lambda: applications.apply(pilot.actor(cast.provider), asset, "cancel", reason="Once more"),
        lambda: pilot.ledger.transfers.offer(asset, cast.provider, cast.bank),
        lambda: pilot.ledger.transfers.freeze(asset, cast.supervisor, "court"),
        lambda: pilot.ledger.transfers.annul(asset, cast.registrar, "fraud", REASON),
    ):
        with pytest.raises(Conflict, match="ASSET_WRONG_STATE"):
            act()
    (again,) = pilot.applied(told["code"])
    assert again != asset
    assert pilot.record(again).state == "applied"


def test_confirming_cancellations_in_bulk_can_be_repeated(pilot: Pilot) -> None:
    ended, waiting = pilot.confirmed(), pilot.confirmed()
    review, registrar = pilot.ledger.review, pilot.cast.registrar
    for asset in (ended, waiting):
        pilot.ledger.applications.apply(pilot.actor(pilot.cast.provider), asset, "cancel", reason="No longer collected")
    review.accept(registrar, [ended, waiting])
    review.review(registrar, [ended, waiting])
    review.confirm(registrar, [ended])
    assert review.confirm(registrar, [ended, waiting]) > 0
    assert review.confirm(registrar, [ended, waiting]) == 0
    assert {stand(pilot, asset)[0] for asset in (ended, waiting)} == {"cancelled"}
