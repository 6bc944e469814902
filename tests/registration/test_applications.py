"""Applications after the first registration: change, correction, cancellation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.errors import Conflict
from tests.support.actors.pilots import Pilot, resource

REASON = "字段说明与样本不符 The fields do not match the sample"


def numbers(pilot: Pilot, asset: str) -> list[str]:
    return [row.certificate_no for row in pilot.certificates(asset)]


@pytest.mark.parametrize("kind", ["change", "correct"])
def test_a_change_or_correction_leads_to_a_new_certificate_and_keeps_the_old_document(pilot: Pilot, kind: str) -> None:
    asset = pilot.confirmed()
    before = pilot.ledger.registration.registrations.get(asset)
    (first,) = numbers(pilot, asset)
    code = before["resource"]["code"]
    after = resource(code, content=f"{code} {kind}", title=f"After {kind}")
    pilot.ledger.registration.applications.apply(pilot.actor(pilot.cast.provider), asset, kind, after)
    assert pilot.ledger.registration.registrations.get(asset)["resource"] == before["resource"]
    pilot.take_through([asset])
    assert numbers(pilot, asset) == [first, pilot.ledger.registration.registrations.get(asset)["certificate_no"]]
    report = pilot.report(asset)
    assert report.valid
    assert report.claims["resource"]["title"] == f"After {kind}"
    old, new = pilot.certificates(asset)
    assert (new.supersedes, report.claims["supersedes"]) == (first, f"sha-256:{old.digest}")
    superseded = pilot.verified(first)
    assert superseded.first_failure is not None
    assert (superseded.result, superseded.first_failure.code) == ("revoked", "SUPERSEDED")
    documents = [each["content"] for each in pilot.ledger.registration.registrations.get(asset)["applications"]]
    assert len(set(documents)) == 2
    assert (
        pilot.ledger.certificates.bundles.build(first).certificate
        != pilot.ledger.certificates.bundles.build(new.certificate_no).certificate
    )


def test_a_rejected_change_leaves_the_registration_unchanged(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    before = pilot.ledger.registration.registrations.get(asset)
    changed = resource(before["resource"]["code"], content="rejected change")
    pilot.ledger.registration.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", changed)
    pilot.ledger.registration.review.accept(pilot.actor(pilot.cast.registrar), [asset])
    pilot.ledger.registration.review.reject(pilot.actor(pilot.cast.registrar), asset, REASON)
    registered = pilot.ledger.registration.registrations.get(asset)
    assert (registered["resource"], registered["certificate_no"]) == (before["resource"], before["certificate_no"])
    assert pilot.report(asset).valid


def test_a_change_of_the_resource_code_is_refused(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    with pytest.raises(Conflict, match="RESOURCE_CODE_DIFFERS"):
        pilot.ledger.registration.applications.apply(
            pilot.actor(pilot.cast.provider), asset, "change", resource("review/another-code")
        )


def test_a_cancelled_registration_stays_cancelled_but_its_content_can_be_registered_again(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    registered = pilot.ledger.registration.registrations.get(asset)["resource"]
    number = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    applications, review, cast = pilot.ledger.registration.applications, pilot.ledger.registration.review, pilot.cast
    applications.apply(pilot.actor(cast.provider), asset, "cancel", reason="No longer collected")
    review.accept(pilot.actor(cast.registrar), [asset])
    review.review(pilot.actor(cast.registrar), [asset])
    review.confirm(pilot.actor(cast.registrar), [asset])
    assert pilot.stands(asset) == ("cancelled", None, None)
    assert pilot.verified(number).result == "refused"
    same = resource(registered["code"])
    for act in (
        lambda: applications.apply(pilot.actor(cast.provider), asset, "change", replace(same, title="Back")),
        lambda: applications.apply(pilot.actor(cast.provider), asset, "cancel", reason="Once more"),
        lambda: pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.bank),
        lambda: pilot.ledger.registration.transfers.freeze(pilot.actor(cast.supervisor), asset, "court"),
        lambda: pilot.ledger.registration.transfers.annul(pilot.actor(cast.registrar), asset, "fraud", REASON),
    ):
        with pytest.raises(Conflict, match="ASSET_WRONG_STATE"):
            act()
    (again,) = pilot.applied(registered["code"])
    assert again != asset
    assert pilot.record(again).state == "applied"


def test_a_call_that_confirms_many_cancellations_can_be_repeated(pilot: Pilot) -> None:
    ended, waiting = pilot.confirmed(), pilot.confirmed()
    review, registrar = pilot.ledger.registration.review, pilot.cast.registrar
    for asset in (ended, waiting):
        pilot.ledger.registration.applications.apply(
            pilot.actor(pilot.cast.provider), asset, "cancel", reason="No longer collected"
        )
    review.accept(pilot.actor(registrar), [ended, waiting])
    review.review(pilot.actor(registrar), [ended, waiting])
    review.confirm(pilot.actor(registrar), [ended])
    assert review.confirm(pilot.actor(registrar), [ended, waiting]) > 0
    assert review.confirm(pilot.actor(registrar), [ended, waiting]) == 0
    assert {pilot.stands(asset)[0] for asset in (ended, waiting)} == {"cancelled"}
